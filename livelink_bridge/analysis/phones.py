"""The phones of a recording, as the network's text branch hears them: a track to read, and where lips must meet.

The step graph tells the phones when asked (`speech_to_face.networks.pmmtalk.onnx_steps`); torch is not needed, and no
voice either, since the text branch listens to the sound alone.
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
"""A phone that is heard for less, 33 ms, is a slip of the network: the shortest flaps and closures last about as
long."""
PAUSE = "SIL"
VISEME_NAMES = ("", "ah", "eh", "ee", "oh", "oo", "r", "p b m", "f v", "t d n l", "s", "sh", "k g h")
"""What to write for each of the thirteen visemes, in the order of `phones.yaml`; nothing in a pause."""

_CROP_WIDTH = 48


@dataclass(frozen=True, slots=True)
class Segment:
    """Something that lasts for a while, on a track under the sound."""

    label: str
    """A phone class of `speech_to_face.phones`, or a viseme's name."""
    start_s: float
    end_s: float


class Listening(Protocol):
    """One recording being heard."""

    def push(self, samples: Samples) -> None:
        """The next samples, float32 (n,), mono, 16 kHz."""
        ...

    def finish(self) -> tuple[Segment, ...]:
        """The phones, one after the other without a gap, pauses among them."""
        ...


class Hearing(Protocol):
    """Whatever hears phones."""

    def listen(self) -> Listening: ...


class PhoneNetwork:
    """The text branch of a checkpoint, in ONNX Runtime. Its recordings share the graph and nothing else."""

    def __init__(self, name: str, block_threads: int = BLOCK_THREADS) -> None:
        """A shipped model's name or a folder. Raises ModelError where it is damaged or tells no phones."""
        folder = checkpoint.find(name)
        checkpoint.verify(folder)
        config = load_config(folder / checkpoint.CONFIG)
        if config.system != "pmmtalk" or not config.phones:
            raise ModelError(f"model {name!r} does not tell the phones")
        if not (folder / checkpoint.GRAPH).exists():
            raise ModelError(f"model {name!r} has no {checkpoint.GRAPH}, which would tell the phones")
        self._config, self._graph = config, Graph(folder / checkpoint.GRAPH, phones=True, block_threads=block_threads)

    def listen(self) -> PhoneListening:
        return PhoneListening(self._config, OnnxSteps(self._graph, _nobody(self._config)))


class PhoneListening:
    """The phones of one recording. What is kept of it is a byte for every 1/60 s."""

    def __init__(self, config: Config, steps: OnnxSteps) -> None:
        self._config, self._steps = config, steps
        self._mel = LogMel()
        self._waiting = np.zeros((0, 0), np.float32)
        self._path = BestPath(config.phones, delay=config.delay)
        self._received = 0

    def push(self, samples: Samples) -> None:
        self._received += len(samples)
        fresh = self._mel.push(samples)
        if len(fresh):
            self._waiting = np.concatenate([self._waiting, fresh]) if len(self._waiting) else fresh
        whole = len(self._waiting) // BLOCK_STEPS * BLOCK_STEPS
        self._run(whole)

    def finish(self) -> tuple[Segment, ...]:
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
    """Log-probabilities of phones, step by step, to the phones one after the other.

    The median of three frames spares single leaps; what is still shorter than `SHORTEST_FRAMES` goes to the phone
    before it.
    """

    def __init__(self, names: Sequence[str], delay: int = 0) -> None:
        """`names` of the columns; `delay`: steps after its own time that a frame comes out."""
        self._names = tuple(names)
        self._to_drop = delay
        self._before = np.zeros((0, len(names)), np.float32)
        self._labels: list[NDArray[np.uint8]] = []

    def push(self, log_phones: NDArray[np.float32]) -> None:
        """float32 (steps, names), in portions of any size. What is no number counts as never heard."""
        dropped = min(self._to_drop, len(log_phones))
        self._to_drop -= dropped
        fresh = np.nan_to_num(log_phones[dropped:], nan=-1e3, posinf=0.0, neginf=-1e3)
        if not len(fresh):
            return
        if not len(self._before):
            fresh = np.concatenate([fresh[:1], fresh])  # the first frame has none before it but itself
        rows = np.concatenate([self._before, fresh])
        self._label(rows)
        self._before = rows[-2:].copy()

    def segments(self, frames: int) -> tuple[Segment, ...]:
        """What was heard, cut to so many frames."""
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
    """The text branch of a model, opened once. Raises ModelError as `PhoneNetwork` does."""
    return PhoneNetwork(name, block_threads)


def visemes(phones: Sequence[Segment]) -> tuple[Segment, ...]:
    """What the phones look like: neighbours that look alike are one. Unknown phones are left out."""
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
    """(label, first frame, end) of equal neighbours, none shorter than `SHORTEST_FRAMES` where there is one to join."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    out: list[tuple[int, int, int]] = []
    for first, end in zip(np.append(0, edges).tolist(), np.append(edges, len(labels)).tolist(), strict=True):
        label = int(labels[first]) if end > first else -1
        if out and (end - first < SHORTEST_FRAMES or label == out[-1][0]):
            out[-1] = (out[-1][0], out[-1][1], end)
        elif out and out[-1][2] - out[-1][1] < SHORTEST_FRAMES:  # the very first one: it joins what follows
            out[-1] = (label, out[-1][1], end)
        elif end > first:
            out.append((label, first, end))
    return out


def _span(first: int, end: int, frames: int) -> tuple[float, float]:
    """Frame k is the moment k / 60, so a run lasts from half a frame before its first one to half a frame after its
    last one."""
    start_s = 0.0 if first == 0 else (first - 0.5) / FRAME_RATE
    return start_s, end / FRAME_RATE if end == frames else (end - 0.5) / FRAME_RATE


def _nobody(config: Config) -> Voice:
    """A voice without a face: the text branch never asks for one."""
    squares = (config.image_size // 4) ** 2
    flat = np.zeros((1, config.branch_width), np.float32)
    return Voice(flat, flat, np.zeros((1, squares, _CROP_WIDTH), np.float32))


def hear(path: Path, hearing: Hearing, *, allow_cut: bool = False) -> tuple[Segment, ...]:
    """The phones of a sound file; what is odd about it is not said. Raises SourceError as the command line does."""
    from livelink_bridge.audio.downmix import mono
    from livelink_bridge.audio.resample import Resampler
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.sources.audio_file import WavSource, no_warning

    source = WavSource(
        path, clock=MonotonicClock(), block_s=BLOCK_STEPS / FRAME_RATE, allow_cut=allow_cut, warn=no_warning
    )
    listening, resampler = hearing.listen(), Resampler(source.sample_rate, SAMPLE_RATE)
    for block in source.blocks():
        listening.push(resampler.push(mono(block.samples)))
    listening.push(resampler.flush())
    return listening.finish()
