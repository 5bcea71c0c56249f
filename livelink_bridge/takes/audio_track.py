"""Audio track of a take: recent audio, aligned so that each sample lines up with the row of its frame.

A frame follows its audio by look-ahead and pacing, and by slightly more or less as clocks drift. The file stays in sync
with the rows: its first sample is the audio of the first row's frame. Between rows the samples are those of the source.
When audio and rows have drifted apart by a sample, one sample is added or removed over the length of that row, by cubic
interpolation.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.audio.delay_line import DelayLine
from livelink_bridge.audio.downmix import Mixer
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.wire.broadcast_wave import HEADER_BYTES, Format, encode_header

BITS = 24
KEPT_S = 12.0
"""Seconds of audio history: the two seconds that a file is read ahead of playback, and the longest time that a disk may
delay the writer."""
_MAX_RATES = 4
"""Largest number of sample rates of one source: utterances may have different ones."""
_MAX_OFFSET = 0.75
"""Samples by which audio and rows may be apart."""
_MAX_STRETCH = 0.02
"""Largest change of speed of a row's audio, a third of a semitone; beyond it, audio was lost or ticks were skipped, and
the audio jumps too."""
_FADE_S = 0.005
"""Crossfade at such a jump."""

Samples = NDArray[np.float32]


class AudioHistory:
    """The last KEPT_S seconds of a source, mono. One thread writes, another reads."""

    def __init__(self) -> None:
        self.rate_hz: int | None = None
        """Sample rate of the newest audio; None before the first."""
        self._mixer = Mixer()
        self._lines: dict[int, DelayLine] = {}
        self._lock = threading.Lock()

    def write(self, block: AudioBlock) -> None:
        """Append a block of the source, sample n at audio time n / rate. A block without samples that starts before the
        end of the history removes the audio after it: an interruption."""
        if not len(block.samples):
            self._truncate(block.start / block.sample_rate)
            return
        self.rate_hz = block.sample_rate
        self._line(block.sample_rate).write(block.start, self._mixer.push(block.samples, block.sample_rate))

    def read(self, position: float, step: float, count: int, rate_hz: int) -> Samples:
        """Read audio at `position`, `position + step` ...

        Parameters
        ----------
        position : first position, in samples at `rate_hz` from the source's start
        step : distance of two positions, samples
        count : number of samples to return
        rate_hz : Hz

        Returns
        -------
        float32 (count,); silence where there is no audio
        """
        with self._lock:
            lines = list(self._lines.items())
        parts = [line.read(position * own / rate_hz, step * own / rate_hz, count) for own, line in lines]
        return sum(parts[1:], parts[0]) if parts else np.zeros(count, np.float32)

    def _line(self, rate_hz: int) -> DelayLine:
        line = self._lines.get(rate_hz)
        if line is None:
            line = DelayLine(round(KEPT_S * rate_hz))
            with self._lock:
                if len(self._lines) == _MAX_RATES:
                    del self._lines[next(iter(self._lines))]
                self._lines[rate_hz] = line
        return line

    def _truncate(self, after_s: float) -> None:
        for rate_hz, line in list(self._lines.items()):
            start = round(after_s * rate_hz)
            if start < line.end:
                line.write(start, np.zeros(0, np.float32))


class SoundFile:
    """A mono 24-bit Broadcast Wave file whose header is valid after every `flush`: after a crash the file is still
    playable."""

    def __init__(self, path: Path, form: Format) -> None:
        """Raises OSError when the file cannot be created or exists already."""
        self.form = form
        self.frames = 0
        """Samples in the file."""
        self._file = open(path, "xb", buffering=0)
        self.flush()

    def write(self, start: int, samples: Samples) -> None:
        """Write samples; a gap before `start` is silence and takes no time to write.

        Parameters
        ----------
        start : index of the first sample in the file
        samples : float32 (n,), clipped to [-1, 1]
        """
        whole = np.round(np.clip(samples, -1, 1) * np.float32(2 ** (BITS - 1) - 1)).astype("<i4")
        self._write(
            HEADER_BYTES + start * self.form.frame_bytes, whole.view(np.uint8).reshape(-1, 4)[:, : BITS // 8].tobytes()
        )
        self.frames = start + len(samples)

    def flush(self) -> None:
        """Write the current size into the header."""
        self._write(0, encode_header(self.form, self.frames))

    def close(self) -> None:
        """Complete the header and close the file. Harmless twice."""
        if self._file.closed:
            return
        try:
            self.flush()
            if self.frames * self.form.frame_bytes % 2:
                self._write(HEADER_BYTES + self.frames * self.form.frame_bytes, b"\0")
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file without completing its header."""
        self._file.close()

    def _write(self, at: int, data: bytes) -> None:
        self._file.seek(at, os.SEEK_SET)
        written = 0
        while written < len(data):
            written += self._file.write(data[written:])


class AudioTrack:
    """Writes the audio of one take in sync with its rows."""

    def __init__(self, history: AudioHistory, file: SoundFile) -> None:
        """
        Parameters
        ----------
        history : recent audio of the source
        file : file to write, at the source's sample rate
        """
        self._history, self._file = history, file
        self._rate_hz = file.form.rate_hz
        self._written = 0
        self._offset: int | None = None
        """Index in the source of the file's sample 0; None while the frames show no audio."""

    def row(self, at_s: float, shown_s: float | None) -> None:
        """Write the audio up to a row. Call it in order of time. Raises OSError.

        Parameters
        ----------
        at_s : seconds since the first row
        shown_s : audio time of the row's frame, seconds; None when it shows no audio
        """
        end = round(at_s * self._rate_hz)
        begin = max(self._written, end - round(KEPT_S * self._rate_hz))  # older audio is not available
        samples = self._samples(begin, max(0, end - begin), shown_s)
        if len(samples):
            self._file.write(begin, samples)
            self._written = end

    def _samples(self, begin: int, count: int, shown_s: float | None) -> Samples:
        if shown_s is None:
            self._offset = None
            return np.zeros(count, np.float32)
        target = shown_s * self._rate_hz - begin - count
        before = round(target) if self._offset is None else self._offset
        self._offset = before if abs(target - before) < _MAX_OFFSET else round(target)
        slip = self._offset - before
        if abs(slip) <= _MAX_STRETCH * count:
            return self._read(begin + before, count, 1 + slip / max(count, 1))
        return self._crossfaded(begin, count, before, self._offset)

    def _crossfaded(self, begin: int, count: int, before: int, after: int) -> Samples:
        """Jump from one position in the source to another without a click."""
        samples = self._read(begin + after, count)
        fade = min(count, round(_FADE_S * self._rate_hz))
        part = np.linspace(0, 1, fade, dtype=np.float32)
        samples[:fade] = part * samples[:fade] + (1 - part) * self._read(begin + before, fade)
        return samples

    def _read(self, position: int, count: int, step: float = 1.0) -> Samples:
        return self._history.read(position, step, count, self._rate_hz)
