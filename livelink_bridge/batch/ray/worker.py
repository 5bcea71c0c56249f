"""The Ray actor that converts files on any machine of the cluster, with one core, exactly as this machine would."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple

from livelink_bridge.batch.job import (
    Load,
    Outcome,
    Recipe,
    Task,
    WorkerContext,
    clear_partials,
    convert_one,
    load_context,
    sha256_of,
)
from livelink_bridge.errors import BridgeError


class Job(NamedTuple):
    """The arguments of a batch for its driver and workers. Picklable."""

    recipe: Recipe
    load: Load
    address: str | None
    jobs: int | None
    sounds: Path
    """A folder of audio files that every worker must see."""
    mark: Path
    """A file in the folder of takes that every worker must see."""


class Worker:
    """An actor: context loaded once, then one task at a time."""

    def __init__(self) -> None:
        self._context: WorkerContext | None = None

    def load(self, job: Job) -> str | None:
        """Check this machine and load the networks. Returns None, or the error on one line."""
        from speech_to_face.base import ModelError

        try:
            _check_machine(job)
            self._context = job.load(job.recipe)
        except (BridgeError, ModelError) as error:
            return str(error)
        return None

    def convert(self, job: Job, task: Task) -> Outcome | str:
        """Run a task. Returns its outcome, or why it could not be started."""
        if self._context is None and (why := self.load(job)):  # restarted after it died while idle
            return why
        assert self._context is not None
        clear_partials(task.out)  # of an earlier attempt, on any machine
        return convert_one(task.sound, task.out, job.recipe, self._context, placed=task.placed)


def _check_machine(job: Job) -> None:
    """Raise BridgeError if this machine would make different takes, or put them elsewhere."""
    from livelink_bridge.version import __version__

    here = socket.gethostname()
    if not job.mark.exists():
        raise BridgeError(
            f"worker {here} sees another {job.mark.parent} than this machine; the folder of takes must be on shared "
            "storage"
        )
    if not job.sounds.is_dir():
        raise BridgeError(
            f"worker {here} does not see {job.sounds}; the folder of audio files must be on shared storage"
        )
    if job.load is not load_context:
        return
    if job.recipe.version != __version__:
        raise BridgeError(
            f"worker {here} has livelink-bridge {__version__}, expected {job.recipe.version}; install the same "
            "everywhere"
        )
    _check_model(job.recipe, here)


def _check_model(recipe: Recipe, here: str) -> None:
    from speech_to_face import checkpoint

    sums = checkpoint.find(recipe.model) / checkpoint.SUMS
    if sha256_of(sums) != recipe.model_sha256:
        raise BridgeError(f"worker {here} has another model {recipe.model}; install the same everywhere")
