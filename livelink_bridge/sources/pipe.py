"""Sound from a pipe, in real time: a wav file or bare samples, as they come."""

from __future__ import annotations

import io
import struct
import threading

from livelink_bridge.clock import Clock
from livelink_bridge.errors import BridgeError, SourceError, UsageError
from livelink_bridge.sources.pcm import PcmSource
from livelink_bridge.wire.pcm import PcmFormat

ByteStream = io.RawIOBase | io.BufferedIOBase

_READ_BYTES = 1 << 16
_BUFFER_S = 2.0
"""A pipe waits as long as it has to, so little need be read ahead."""
_FULL_POLL_S = 0.05
_LONGEST_CHUNK = 1 << 20
"""Bytes of a wav chunk before the sound, which is read and thrown away."""
_TAGS = {(1, 16): "s16le", (3, 32): "f32le"}
"""Wav's format tag and bits per sample: WAVE_FORMAT_PCM and WAVE_FORMAT_IEEE_FLOAT in Microsoft's mmreg.h."""
_EXTENSIBLE = 0xFFFE
"""WAVE_FORMAT_EXTENSIBLE: the tag proper is the first two bytes of the sub-format, at byte 24 of the chunk."""


class PipeSource(PcmSource):
    """What a program writes into `stream`, played from the moment it comes. `heard_out` says when all of it was."""

    def __init__(self, stream: ByteStream, raw: PcmFormat | None, *, clock: Clock, name: str = "standard input") -> None:
        """`raw` is how bare samples are laid down; None expects a wav file. Waits for its header; raises SourceError for another."""
        super().__init__(name, clock=clock, buffer_s=_BUFFER_S)
        self.format = raw or read_wav_header(stream, name)
        self._stream = stream
        self.failure: BridgeError | None = None
        """Why the sound ended before its writer did, once it has."""
        # Nothing wakes a thread that reads a pipe but the pipe's writer, so nobody waits for this one.
        threading.Thread(target=self._feed, name="pipe", daemon=True).start()

    def _feed(self) -> None:
        try:
            self._feed_all()
        except BridgeError as error:
            self.failure = error
        except Exception as error:  # a bug, but whoever waits for the end must be told of one
            self.failure = SourceError(f"{self.name} cannot be read on: {error!r}")
            self.failure.__cause__ = error
        finally:
            self.finish()

    def _feed_all(self) -> None:
        rest = b""
        while not self._closed.is_set():
            data = self._read()
            if not data:
                break
            data = rest + data
            whole = len(data) // self.format.frame_bytes * self.format.frame_bytes
            rest = data[whole:]
            self.push(self.format.decode(data[:whole]), self.format.rate)
            self._wait_for_room()

    def _read(self) -> bytes:
        try:
            # A raw stream's read is one call of the system, as read1 of a buffered one. Buffered ones must not be read from a thread that
            # nobody waits for: the interpreter aborts when it finds them locked at its end.
            read = getattr(self._stream, "read1", self._stream.read)
            return read(_READ_BYTES) or b""
        except (OSError, ValueError):  # closed under our hands, which is the end of it too
            return b""

    def _wait_for_room(self) -> None:
        while self.full() and self._clock.wait_until(self._clock.now() + _FULL_POLL_S, self._closed):
            pass


def _exactly(stream: ByteStream, count: int) -> bytes:
    """So many bytes, fewer only at the end."""
    found = b""
    while len(found) < count and (more := stream.read(count - len(found))):
        found += more
    return found


def read_wav_header(stream: ByteStream, name: str) -> PcmFormat:
    """Read a wav file up to its first sample. Raises SourceError for what is no wav file, or holds sound of another kind.

    The length that the header gives is not heeded: programs that write into a pipe do not know it.
    """
    riff = _exactly(stream, 12)
    if len(riff) < 12 or riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        got = f"got {riff[:4]!r}" if riff else "it is empty"
        raise SourceError(f"{name} does not begin like a wav file ({got}); for bare samples say --raw s16le:24000:1, with your numbers")
    found: PcmFormat | None = None
    while True:
        header = _exactly(stream, 8)
        if len(header) < 8:
            raise SourceError(f"{name} ends before its sound begins; expected a wav file with a fmt and a data chunk")
        kind, size = header[:4], int(struct.unpack("<I", header[4:])[0])
        if kind == b"data":
            break
        if size > _LONGEST_CHUNK:
            raise SourceError(f"{name} is damaged: its {kind!r} chunk has {size} bytes, expected at most {_LONGEST_CHUNK}")
        body = _exactly(stream, size + size % 2)
        found = _wav_format(body, name) if kind == b"fmt " else found
    if found is None:
        raise SourceError(f"{name} is damaged: its sound begins before its fmt chunk")
    return found


def _wav_format(body: bytes, name: str) -> PcmFormat:
    if len(body) < 16:
        raise SourceError(f"{name} is damaged: its fmt chunk has {len(body)} bytes, expected at least 16")
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack("<H", body[24:26])[0]
    if (tag, bits) not in _TAGS:
        raise SourceError(f"{name} holds wav sound of format {tag} with {bits} bits, expected 16-bit PCM or 32-bit float; convert it first")
    try:
        return PcmFormat(_TAGS[tag, bits], rate, channels)
    except UsageError as error:
        raise SourceError(f"{name}: {error}") from None
