"""Phone recognition with the network's text branch: a phone track to display, and the input for lip closures.

The step graph outputs the phones on request (`speech_to_face.networks.pmmtalk.onnx_steps`); neither torch nor a voice
is needed, as the text branch uses only the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face import checkpoint
from speech_to_face.base import ModelError, Samples
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.onnx_steps import BLOCK_THREADS, Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.phones import VISEMES
from speech_to_face.streaming.features import SAMPLE_RATE, LogMel, frame_count, step_end
from speech_to_face.streaming.stepped import BLOCK_STEPS

SHORTEST_FRAMES = 2
"""Shorter phone segments (less than 2 frames, 33 ms) are treated as recognition noise: the shortest flaps and closures
last about this long."""
PAUSE = "SIL"
VISEME_NAMES = ("", "ah", "eh", "ee", "oh", "oo", "r", "p b m", "f v", "t d n l", "s", "sh", "k g h")
"""Display name of each of the thirteen visemes, in the order of `phones.yaml`; empty for a pause."""

_CROP_WIDTH = 48


@dataclass(frozen=True, slots=True)
class Segment:
    """A labelled segment of the timeline."""

    label: str
    """A phone class of `speech_to_face.phones`, or a viseme's name."""
    start_s: float
    """Seconds."""
    end_s: float
    """Seconds."""


class PhoneStream(Protocol):
    """Phone recognition of one recording."""

    def push(self, samples: Samples) -> None:
        """Process the next samples, float32 (n,), mono, 16 kHz, in [-1, 1]."""
        ...

    def finish(self) -> tuple[Segment, ...]:
        """The phones in order, without gaps, pauses included."""
        ...


class PhoneRecognizer(Protocol):
    """Recognizes phones in recordings."""

    def listen(self) -> PhoneStream:
        """Start a new recording."""
        ...


class PhoneNetwork:
    """The text branch of a checkpoint, in ONNX Runtime. Recordings share only the graph."""

    def __init__(self, name: str, block_threads: int = BLOCK_THREADS) -> None:
        """
        Parameters
        ----------
        name : a shipped model's name, or a folder
        block_threads : threads of ONNX Runtime

        Raises
        ------
        ModelError : the model is damaged, or has no phone output
        """
        folder = checkpoint.find(name)
        checkpoint.verify(folder)
        config = load_config(folder / checkpoint.CONFIG)
        if config.system != "pmmtalk" or not config.phones:
            raise ModelError(f"model {name!r} does not recognize phones")
        if not (folder / checkpoint.GRAPH).exists():
            raise ModelError(f"model {name!r} has no {checkpoint.GRAPH}, which recognizes the phones")
        self._config, self._graph = config, Graph(folder / checkpoint.GRAPH, phones=True, block_threads=block_threads)

    def listen(self) -> NetworkPhoneStream:
        """Start a new recording."""
        return NetworkPhoneStream(self._config, OnnxSteps(self._graph, _null_voice(self._config)))


class NetworkPhoneStream:
    """Recognizes the phones of one recording; stores one byte per 1/60 s."""

    def __init__(self, config: Config, steps: OnnxSteps) -> None:
        self._config, self._steps = config, steps
        self._mel = LogMel()
        self._waiting = np.zeros((0, 0), np.float32)
        self._path = BestPath(config.phones, delay=config.delay)
        self._received = 0

    def push(self, samples: Samples) -> None:
        """Process the next samples, float32 (n,), mono, 16 kHz, in [-1, 1]."""
        self._received += len(samples)
        fresh = self._mel.push(samples)
        if len(fresh):
            self._waiting = np.concatenate([self._waiting, fresh]) if len(self._waiting) else fresh
        whole = len(self._waiting) // BLOCK_STEPS * BLOCK_STEPS
        self._run(whole)

    def finish(self) -> tuple[Segment, ...]:
        """The phones in order, without gaps, pauses included."""
        frames = frame_count(self._received)
        missing = step_end(frames + self._config.delay - 1) - self._received if frames else 0
        self.push(np.zeros(max(0, missing), np.float32))
        self._run(len(self._waiting))
        return self._path.segments(frames)

    def _run(self, steps: int) -> None:
        for first in range(0, steps, BLOCK_STEPS):
            columns = self._steps.run(self._waiting[first : min(first + BLOCK_STEPS, steps)])
            self._path.push(columns[:, len(self._config.channels) :])
        self._waiting = self._waiting[steps:]


class BestPath:
    """Decodes the log-probabilities of phones into a sequence of phones.

    A median over three frames removes single outliers; a phone still shorter than `SHORTEST_FRAMES` is merged into the
    one before it.
    """

    def __init__(self, names: Sequence[str], delay: int = 0) -> None:
        """
        Parameters
        ----------
        names : phone class of each column
        delay : steps by which the network's output is late
        """
        self._names = tuple(names)
        self._to_drop = delay
        self._before = np.zeros((0, len(names)), np.float32)
        self._labels: list[NDArray[np.uint8]] = []

    def push(self, log_phones: NDArray[np.float32]) -> None:
        """Process log-probabilities, float32 (steps, names), in chunks of any size. NaN counts as probability 0."""
        dropped = min(self._to_drop, len(log_phones))
        self._to_drop -= dropped
        fresh = np.nan_to_num(log_phones[dropped:], nan=-1e3, posinf=0.0, neginf=-1e3)
        if not len(fresh):
            return
        if not len(self._before):
            fresh = np.concatenate([fresh[:1], fresh])  # the first frame is its own predecessor
        rows = np.concatenate([self._before, fresh])
        self._label(rows)
        self._before = rows[-2:].copy()

    def segments(self, frames: int) -> tuple[Segment, ...]:
        """The phones of the first `frames` frames."""
        if len(self._before):
            self._label(np.concatenate([self._before, self._before[-1:]]))
            self._before = self._before[:0]
        labels = np.concatenate([np.zeros(0, np.uint8), *self._labels])[:frames]
        return tuple(
            Segment(self._names[label], *_span(first, end, len(labels))) for label, first, end in _runs(labels)
        )

    def _label(self, rows: NDArray[np.float32]) -> None:
        before, now, after = rows[:-2], rows[1:-1], rows[2:]
        low, high = np.minimum(before, now), np.maximum(before, now)
        self._labels.append(np.maximum(low, np.minimum(high, after)).argmax(1).astype(np.uint8))


@lru_cache(maxsize=2)
def phone_network(name: str, block_threads: int = BLOCK_THREADS) -> PhoneNetwork:
    """The text branch of a model, loaded once; see `PhoneNetwork`."""
    return PhoneNetwork(name, block_threads)


def visemes(phones: Sequence[Segment]) -> tuple[Segment, ...]:
    """Map phones to visemes; adjacent equal visemes are merged, unknown phones skipped."""
    out: list[Segment] = []
    for phone in phones:
        if phone.label not in VISEMES:
            continue
        name = VISEME_NAMES[VISEMES[phone.label]]
        if out and out[-1].label == name and abs(out[-1].end_s - phone.start_s) < 1e-6:
            out[-1] = Segment(name, out[-1].start_s, phone.end_s)
        else:
            out.append(Segment(name, phone.start_s, phone.end_s))
    return tuple(out)


def _runs(labels: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """(label, first frame, end) of runs of equal labels; runs shorter than `SHORTEST_FRAMES` are merged."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    out: list[tuple[int, int, int]] = []
    for first, end in zip(np.append(0, edges).tolist(), np.append(edges, len(labels)).tolist(), strict=True):
        label = int(labels[first]) if end > first else -1
        if out and (end - first < SHORTEST_FRAMES or label == out[-1][0]):
            out[-1] = (out[-1][0], out[-1][1], end)
        elif out and out[-1][2] - out[-1][1] < SHORTEST_FRAMES:  # the first run is merged into the next
            out[-1] = (label, out[-1][1], end)
        elif end > first:
            out.append((label, first, end))
    return out


def _span(first: int, end: int, frames: int) -> tuple[float, float]:
    """Start and end of a run in seconds. Frame k is at k / 60 s, so a run lasts from half a frame before its first to
    half a frame after its last."""
    start_s = 0.0 if first == 0 else (first - 0.5) / FRAME_RATE
    return start_s, end / FRAME_RATE if end == frames else (end - 0.5) / FRAME_RATE


def _null_voice(config: Config) -> Voice:
    """A placeholder voice: the text branch does not use it."""
    squares = (config.image_size // 4) ** 2
    flat = np.zeros((1, config.branch_width), np.float32)
    return Voice(flat, flat, np.zeros((1, squares, _CROP_WIDTH), np.float32))


def recognize_file(path: Path, recognizer: PhoneRecognizer, *, allow_cut: bool = False) -> tuple[Segment, ...]:
    """Recognize the phones of an audio file, without warnings about the file.

    Parameters
    ----------
    path : audio file
    recognizer : the network
    allow_cut : accept a truncated file

    Raises
    ------
    SourceError : the file cannot be read
    """
    from livelink_bridge.audio.downmix import mono
    from livelink_bridge.audio.resample import Resampler
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.sources.audio_file import WavSource, no_warning

    source = WavSource(
        path, clock=MonotonicClock(), block_s=BLOCK_STEPS / FRAME_RATE, allow_cut=allow_cut, warn=no_warning
    )
    stream, resampler = recognizer.listen(), Resampler(source.sample_rate, SAMPLE_RATE)
    for block in source.blocks():
        stream.push(resampler.push(mono(block.samples)))
    stream.push(resampler.flush())
    return stream.finish()
