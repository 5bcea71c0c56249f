"""Models, engines and sounds for the tests of batches. Functions that a process of a pool is given lie here: it imports
them by name."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from livelink_bridge.batch.job import OnProgress, Outcome, Recipe, Task, WorkerContext, convert_one
from livelink_bridge.errors import BridgeError
from livelink_bridge.testing.stand_ins import LoudnessModel
from speech_to_face.base import Stream

RATE_HZ = 16000
RECIPE = Recipe(model="loudness", model_sha256="0" * 64, version="test")


def tone(path: Path, seconds: float, step: float = 0.2, level: float = 0.5) -> Path:
    """A tone that swells and falls four times a second."""
    at = np.arange(int(seconds * RATE_HZ))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.sin(at * step) * np.square(np.sin(4 * np.pi * at / RATE_HZ)), RATE_HZ)
    return path


def loudness(_recipe: Recipe) -> WorkerContext:
    return WorkerContext(LoudnessModel())


def refusing(_recipe: Recipe) -> WorkerContext:
    raise BridgeError("there is no such model")


def dying_at_once(_recipe: Recipe) -> WorkerContext:
    os._exit(7)


def never_ending(_recipe: Recipe) -> WorkerContext:
    """Tools whose process does its task and then does not end: a thread of a library keeps it."""
    threading.Thread(target=threading.Event().wait).start()
    return WorkerContext(LoudnessModel())


class _Full(LoudnessModel):
    """Finds the disk full."""

    def stream(self) -> Stream:
        raise OSError(errno.ENOSPC, "No space left on device")


def full(_recipe: Recipe) -> WorkerContext:
    return WorkerContext(_Full())


class _Deadly(LoudnessModel):
    """Kills its process by a sound that is 0.25 throughout."""

    def stream(self) -> Stream:
        return _DeadlyStream(super().stream())


class _DeadlyStream:
    def __init__(self, inner: Stream) -> None:
        self._inner = inner
        self.reset, self.flush = inner.reset, inner.flush

    def push(self, samples: np.ndarray) -> np.ndarray:
        if len(samples) and np.all(samples == np.float32(0.25)):
            os.kill(os.getpid(), signal.SIGKILL)
        return self._inner.push(samples)


def deadly(_recipe: Recipe) -> WorkerContext:
    """Tools whose process dies of a sound that is 0.25 throughout."""
    return WorkerContext(_Deadly())


class InlineEngine:
    """An engine in this process: a `job.Engine` as small as can be."""

    def __init__(self, full_after: int | None = None) -> None:
        self.began: list[str] = []
        self._full_after = full_after

    def __call__(
        self, tasks: Iterable[Task], recipe: Recipe, on_progress: OnProgress
    ) -> Iterator[tuple[Task, Outcome]]:
        context = loudness(recipe)
        for task in tasks:
            if len(self.began) == self._full_after:
                yield task, Outcome(error=f"take {task.out} cannot be written: No space left on device", no_room=True)
                return
            self.began.append(task.name)
            yield task, convert_one(task.sound, task.out, recipe, context, placed=task.placed)


class Silent:
    """Watches a batch and keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def begin(self, found: object) -> None:
        pass

    def skipped(self, sound: object) -> None:
        pass

    def part(self, task: Task, part: float) -> None:
        self.said.append(f"{task.name} {part:.2f}")

    def done(self, task: Task, outcome: Outcome) -> None:
        if outcome.error:
            self.said.append(outcome.error)

    def refused(self, path: str, why: str) -> None:
        self.said.append(f"{path} {why}")
