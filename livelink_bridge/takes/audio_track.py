"""The sound of a take: what was heard lately, laid so that each sample stands beside the row of its pose.

A pose comes after its sound, by look-ahead and pacing, and by a little more or less as clocks drift. The file is in
step with the rows all the same: its first sample is the sound of the first row's pose. Between rows the samples are the
source's own; only when they have come apart by a sample is one added or left out, over the length of that row, by a
cubic through its neighbours.
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
"""Of what was heard: the two seconds that a file is read ahead of what is heard, and as long as a disk may keep the
writer waiting."""
_MOST_RATES = 4
"""Of one source: utterances may come at rates of their own."""
_APART = 0.75
"""Samples by which sound and rows may be apart."""
_BEND = 0.02
"""Most that a row's sound is stretched, a third of a semitone; beyond, sound was lost or the beat has leapt, and the
sound leaps too."""
_FADE_S = 0.005

Samples = NDArray[np.float32]


class HeardSound:
    """The last seconds of a source, mono. One thread hears, another reads."""

    def __init__(self) -> None:
        self.rate_hz: int | None = None
        """Of the newest sound; None before the first."""
        self._mixer = Mixer()
        self._lines: dict[int, DelayLine] = {}
        self._changing = threading.Lock()

    def hear(self, block: AudioBlock) -> None:
        """Take a block as the source hands it over, sample n at sound time n / rate. One without samples that lies
        before the end of what was heard takes back what lies after it: an interruption."""
        if not len(block.samples):
            self._take_back(block.start / block.sample_rate)
            return
        self.rate_hz = block.sample_rate
        self._line(block.sample_rate).write(block.start, self._mixer.push(block.samples, block.sample_rate))

    def read(self, position: float, step: float, count: int, rate_hz: int) -> Samples:
        """float32 (count,): the sound at `position`, `position + step` ..., in samples at `rate_hz`; silence where
        nothing is known."""
        with self._changing:
            lines = list(self._lines.items())
        heard = [line.read(position * own / rate_hz, step * own / rate_hz, count) for own, line in lines]
        return sum(heard[1:], heard[0]) if heard else np.zeros(count, np.float32)

    def _line(self, rate_hz: int) -> DelayLine:
        line = self._lines.get(rate_hz)
        if line is None:
            line = DelayLine(round(KEPT_S * rate_hz))
            with self._changing:
                if len(self._lines) == _MOST_RATES:
                    del self._lines[next(iter(self._lines))]
                self._lines[rate_hz] = line
        return line

    def _take_back(self, after_s: float) -> None:
        for rate_hz, line in list(self._lines.items()):
            start = round(after_s * rate_hz)
            if start < line.end:
                line.write(start, np.zeros(0, np.float32))


class SoundFile:
    """A Broadcast Wave file, mono, 24 bits, whose header is right after every `flush`: a program that dies leaves a
    file that plays."""

    def __init__(self, path: Path, form: Format) -> None:
        """Raises OSError where the file cannot be made or is there already."""
        self.form = form
        self.frames = 0
        self._file = open(path, "xb", buffering=0)
        self.flush()

    def write(self, start: int, samples: Samples) -> None:
        """float32 (n,), clipped to [-1, 1], from sample `start` on; what is left out before it is silence, and costs no
        time to write."""
        whole = np.round(np.clip(samples, -1, 1) * np.float32(2 ** (BITS - 1) - 1)).astype("<i4")
        self._write(
            HEADER_BYTES + start * self.form.frame_bytes, whole.view(np.uint8).reshape(-1, 4)[:, : BITS // 8].tobytes()
        )
        self.frames = start + len(samples)

    def flush(self) -> None:
        """Write how much there is into the header."""
        self._write(0, encode_header(self.form, self.frames))

    def close(self) -> None:
        """Harmless twice."""
        if self._file.closed:
            return
        try:
            self.flush()
            if self.frames * self.form.frame_bytes % 2:
                self._write(HEADER_BYTES + self.frames * self.form.frame_bytes, b"\0")
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _write(self, at: int, data: bytes) -> None:
        self._file.seek(at, os.SEEK_SET)
        written = 0
        while written < len(data):
            written += self._file.write(data[written:])


class TakeSound:
    """Follows the rows of one take with its sound."""

    def __init__(self, heard: HeardSound, file: SoundFile) -> None:
        self._heard, self._file = heard, file
        self._rate_hz = file.form.rate_hz
        self._written = 0
        self._offset: int | None = None
        """Number in the source of the file's sample 0; None while the face shows no sound."""

    def row(self, at_s: float, shown_s: float | None) -> None:
        """Write the sound up to a row `at_s` seconds after the first, whose pose is of sound time `shown_s`; None: of
        no sound.

        Rows come in order of time. Raises OSError.
        """
        end = round(at_s * self._rate_hz)
        begin = max(self._written, end - round(KEPT_S * self._rate_hz))  # nothing older is known
        sound = self._sound(begin, max(0, end - begin), shown_s)
        if len(sound):
            self._file.write(begin, sound)
            self._written = end

    def _sound(self, begin: int, count: int, shown_s: float | None) -> Samples:
        if shown_s is None:
            self._offset = None
            return np.zeros(count, np.float32)
        wanted = shown_s * self._rate_hz - begin - count
        before = round(wanted) if self._offset is None else self._offset
        self._offset = before if abs(wanted - before) < _APART else round(wanted)
        slipped = self._offset - before
        if abs(slipped) <= _BEND * count:
            return self._read(begin + before, count, 1 + slipped / max(count, 1))
        return self._leapt(begin, count, before, self._offset)

    def _leapt(self, begin: int, count: int, before: int, after: int) -> Samples:
        """From one place in the source to another, without a click."""
        sound = self._read(begin + after, count)
        fade = min(count, round(_FADE_S * self._rate_hz))
        part = np.linspace(0, 1, fade, dtype=np.float32)
        sound[:fade] = part * sound[:fade] + (1 - part) * self._read(begin + before, fade)
        return sound

    def _read(self, position: int, count: int, step: float = 1.0) -> Samples:
        return self._heard.read(position, step, count, self._rate_hz)
