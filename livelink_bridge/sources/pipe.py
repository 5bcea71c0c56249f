"""Pipe source: a wav file or raw samples from a pipe, played in real time as they arrive."""

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
"""Seconds of audio read ahead: little, as a pipe can wait."""
_FULL_POLL_S = 0.05
_LONGEST_CHUNK = 1 << 20
"""Bytes of a wav chunk before the audio, which is read and discarded."""
_TAGS = {(1, 16): "s16le", (3, 32): "f32le"}
"""Wav's format tag and bits per sample: WAVE_FORMAT_PCM and WAVE_FORMAT_IEEE_FLOAT in Microsoft's mmreg.h."""
_EXTENSIBLE = 0xFFFE
"""WAVE_FORMAT_EXTENSIBLE: the tag proper is the first two bytes of the sub-format, at byte 24 of the chunk."""
_NAMES = frozenset({b"data", b"fmt ", b"fact", b"LIST", b"bext", b"JUNK"})
"""Names of chunks that may follow an odd one whose writer omitted the padding."""

_log = logging.getLogger(__name__)


class PipeSource(PcmSource):
    """Plays what a program writes into `stream`, from the first audio on. `played_out` tells when all was played."""

    def __init__(
        self,
        stream: ByteStream,
        raw: PcmFormat | None,
        *,
        clock: Clock,
        name: str = "standard input",
        allow_cut: bool = False,
    ) -> None:
        """
        Parameters
        ----------
        stream : pipe to read
        raw : format of raw samples; None expects a wav file and waits for its header
        clock : playout clock
        name : for messages
        allow_cut : accept a wav that ends before its header says; otherwise it is a `failure` once it was played

        Raises
        ------
        SourceError : not a wav file, or one of another sample format
        """
        super().__init__(name, clock=clock, buffer_s=_BUFFER_S)
        self.format, self._declared = (raw, None) if raw else read_wav_header(stream, name)
        self._allow_cut = allow_cut
        self._stream = stream
        self.failure: BridgeError | None = None
        """Why the audio ended early; None otherwise, and before the end."""
        # Only the pipe's writer can wake a thread that reads the pipe, so no thread joins this one.
        threading.Thread(target=self._feed, name="pipe", daemon=True).start()

    def _feed(self) -> None:
        try:
            self._feed_all()
        except BridgeError as error:
            self.failure = error
        except Exception as error:  # a bug, but the thread that waits for the end must see one
            self.failure = SourceError(f"reading {self.name} failed: {error!r}")
            self.failure.__cause__ = error
        finally:
            self.finish()

    def _feed_all(self) -> None:
        # Bytes of an incomplete sample, and bytes declared by the header that have not arrived yet.
        rest, left = b"", self._declared
        while not self._closed.is_set():
            data = self._read()
            if not data:
                self._check_end(left)
                break
            ended = False
            if left is not None and len(data) > left:
                while len(data) < left + 4 and (chunk := self._read()):
                    data += chunk
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
        """Read to the end, so that the writer does not get a broken pipe."""
        while not self._closed.is_set() and self._read():
            pass

    def _ends_in_chunks(self, after: bytes) -> bool:
        """Whether metadata follows the audio. If not, the header was never updated, and all of it is audio."""
        if len(after) < 4 or is_name(after[:4]) or not after.strip(b"\0"):
            return True
        _log.warning(
            "%s: its header says %.1f s and was never updated; it is played to its end",
            self.name,
            self._seconds(self._declared or 0),
        )
        return False

    def _check_end(self, left: int | None) -> None:
        if left is None or self._declared is None or self._seconds(left) <= SLACK_S:
            return
        received_s, declared_s = self._seconds(self._declared - left), self._seconds(self._declared)
        problem = f"{self.name} ended early: {received_s:.2f} of {declared_s:.2f} s"
        if not self._allow_cut:
            raise SourceError(f"{problem}; this part was played; --allow-cut accepts a truncated file")
        _log.warning("%s", problem)

    def _seconds(self, count: int) -> float:
        return count / self.format.frame_bytes / self.format.rate

    def _read(self) -> bytes:
        try:
            # `read` of a raw stream is one system call, as is `read1` of a buffered one. A thread that is never joined
            # must not read a buffered stream: the interpreter aborts when it finds its lock held at exit.
            read = getattr(self._stream, "read1", self._stream.read)
            return read(_READ_BYTES) or b""
        except (OSError, ValueError):  # closed by another thread: the end, too
            return b""

    def _wait_for_room(self) -> None:
        while self.full() and self._clock.wait_until(self._clock.now() + _FULL_POLL_S, self._closed):
            pass


def _exactly(stream: ByteStream, count: int) -> bytes:
    """Read `count` bytes; fewer only at the end."""
    data = b""
    while len(data) < count and (chunk := stream.read(count - len(data))):
        data += chunk
    return data


def read_wav_header(stream: ByteStream, name: str) -> tuple[PcmFormat, int | None]:
    """Read a wav file up to its first sample.

    Parameters
    ----------
    stream : positioned at the start of the file
    name : for messages

    Returns
    -------
    format : sample format, rate and audio channels
    size : bytes of audio declared by the header; None when unknown, as for programs that write into a pipe

    Raises
    ------
    SourceError : not a wav file, or one of another sample format
    """
    riff = _exactly(stream, 12)
    if len(riff) < 12 or riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        got = f"got {riff[:4]!r}" if riff else "it is empty"
        raise SourceError(
            f"{name} does not begin like a wav file ({got}); for raw samples use --raw s16le:24000:1, with your numbers"
        )
    found: PcmFormat | None = None
    pending = b""
    while True:
        header = pending + _exactly(stream, 8 - len(pending))
        if len(header) < 8:
            raise SourceError(f"{name} ends before its audio begins; expected a wav file with a fmt and a data chunk")
        kind, size = header[:4], int(struct.unpack("<I", header[4:])[0])
        if kind == b"data":
            break
        if size > _LONGEST_CHUNK:
            raise SourceError(
                f"{name} is damaged: its {kind!r} chunk has {size} bytes, expected at most {_LONGEST_CHUNK}"
            )
        body = _exactly(stream, size)
        pending = _after_odd(stream) if size % 2 else b""
        found = _wav_format(body, name) if kind == b"fmt " else found
    if found is None:
        raise SourceError(f"{name} is damaged: its audio begins before its fmt chunk")
    return found, None if is_placeholder(size) else size


def _after_odd(stream: ByteStream) -> bytes:
    """Skip the padding after a chunk of odd size; without padding, return the bytes of the next chunk that were
    read."""
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
            f"{name} holds wav audio of format {tag} with {bits} bits, expected 16-bit PCM or 32-bit float; convert "
            "it first"
        )
    try:
        return PcmFormat(_TAGS[tag, bits], rate, channels)
    except UsageError as error:
        raise SourceError(f"{name}: {error}") from None
