"""Sound from a pipe, in real time: a wav file or bare samples, as they come."""

from __future__ import annotations

import io
import logging
import struct
import threading

from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError, SourceError, UsageError
from livelink_bridge.sources.paced_pcm import PcmSource
from speech_to_face.audio_files.extent import SLACK_S, is_name
from speech_to_face.audio_files.riff import is_placeholder

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
_NAMES = frozenset({b"data", b"fmt ", b"fact", b"LIST", b"bext", b"JUNK"})
"""Of chunks that may follow an odd one whose writer left the padding out."""

_log = logging.getLogger(__name__)


class PipeSource(PcmSource):
    """What a program writes into `stream`, played from the moment it comes. `heard_out` says when all of it was."""

    def __init__(
        self,
        stream: ByteStream,
        raw: PcmFormat | None,
        *,
        clock: Clock,
        name: str = "standard input",
        allow_cut: bool = False,
    ) -> None:
        """`raw` is how bare samples are laid down; None expects a wav file. Waits for its header; raises SourceError
        for another.

        A wav that ends before its header says is a `failure` once it was played, unless `allow_cut`.
        """
        super().__init__(name, clock=clock, buffer_s=_BUFFER_S)
        self.format, self._declared = (raw, None) if raw else read_wav_header(stream, name)
        self._allow_cut = allow_cut
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
        # Bytes of the last sample that are there, and how many of those that the header promises have not come.
        rest, left = b"", self._declared
        while not self._closed.is_set():
            data = self._read()
            if not data:
                self._check_end(left)
                break
            ended = False
            if left is not None and len(data) > left:
                while len(data) < left + 4 and (more := self._read()):
                    data += more
                ended = self._ends_in_chunks(data[left:])
                data, left = (data[:left], 0) if ended else (data, None)
            elif left is not None:
                left -= len(data)
            data = rest + data
            whole = len(data) // self.format.frame_bytes * self.format.frame_bytes
            rest = data[whole:]
            self.push(self.format.decode(data[:whole]), self.format.rate)
            self._wait_for_room()
            if ended:
                self._read_out()
                break

    def _read_out(self) -> None:
        """So that the writer is not cut off."""
        while not self._closed.is_set() and self._read():
            pass

    def _ends_in_chunks(self, after: bytes) -> bool:
        """Whether what follows the audio is metadata. If not, the header was not brought up to date, and all of it is
        audio."""
        if len(after) < 4 or is_name(after[:4]) or not after.strip(b"\0"):
            return True
        _log.warning(
            "%s: its header says %.1f s and was not brought up to date; it is played to its end",
            self.name,
            self._seconds(self._declared or 0),
        )
        return False

    def _check_end(self, left: int | None) -> None:
        if left is None or self._declared is None or self._seconds(left) <= SLACK_S:
            return
        held_s, declared_s = self._seconds(self._declared - left), self._seconds(self._declared)
        said = f"{self.name} ended early: {held_s:.2f} of {declared_s:.2f} s"
        if not self._allow_cut:
            raise SourceError(f"{said}; what came was played; --allow-cut takes it for whole")
        _log.warning("%s", said)

    def _seconds(self, count: int) -> float:
        return count / self.format.frame_bytes / self.format.rate

    def _read(self) -> bytes:
        try:
            # A raw stream's read is one call of the system, as read1 of a buffered one. Buffered ones must not be read
            # from a thread that nobody waits for: the interpreter aborts when it finds them locked at its end.
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


def read_wav_header(stream: ByteStream, name: str) -> tuple[PcmFormat, int | None]:
    """Read a wav file up to its first sample. Raises SourceError for what is no wav file, or holds sound of another
    kind.

    Also how many bytes of audio the header promises; None where it does not, since programs that write into a pipe do
    not know.
    """
    riff = _exactly(stream, 12)
    if len(riff) < 12 or riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        got = f"got {riff[:4]!r}" if riff else "it is empty"
        raise SourceError(
            f"{name} does not begin like a wav file ({got}); for bare samples say --raw s16le:24000:1, with your "
            "numbers"
        )
    found: PcmFormat | None = None
    begun = b""
    while True:
        header = begun + _exactly(stream, 8 - len(begun))
        if len(header) < 8:
            raise SourceError(f"{name} ends before its sound begins; expected a wav file with a fmt and a data chunk")
        kind, size = header[:4], int(struct.unpack("<I", header[4:])[0])
        if kind == b"data":
            break
        if size > _LONGEST_CHUNK:
            raise SourceError(
                f"{name} is damaged: its {kind!r} chunk has {size} bytes, expected at most {_LONGEST_CHUNK}"
            )
        body = _exactly(stream, size)
        begun = _after_odd(stream) if size % 2 else b""
        found = _wav_format(body, name) if kind == b"fmt " else found
    if found is None:
        raise SourceError(f"{name} is damaged: its sound begins before its fmt chunk")
    return found, None if is_placeholder(size) else size


def _after_odd(stream: ByteStream) -> bytes:
    """Behind an odd chunk: the padding, and then nothing, or what the next chunk begins with where there is none."""
    padding = _exactly(stream, 1)
    if padding == b"\0":
        return b""
    name = padding + _exactly(stream, 3)
    return name if name in _NAMES else name[1:]


def _wav_format(body: bytes, name: str) -> PcmFormat:
    if len(body) < 16:
        raise SourceError(f"{name} is damaged: its fmt chunk has {len(body)} bytes, expected at least 16")
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack("<H", body[24:26])[0]
    if (tag, bits) not in _TAGS:
        raise SourceError(
            f"{name} holds wav sound of format {tag} with {bits} bits, expected 16-bit PCM or 32-bit float; convert "
            "it first"
        )
    try:
        return PcmFormat(_TAGS[tag, bits], rate, channels)
    except UsageError as error:
        raise SourceError(f"{name}: {error}") from None
