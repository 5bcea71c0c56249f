"""What runs in Ray's worker processes, on whichever machine: an actor with one core that makes takes as this machine
would."""

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
    load_tools,
    sha256_of,
)
from livelink_bridge.errors import BridgeError


class Job(NamedTuple):
    """What the driver is started with, and every worker is given. Picklable."""

    recipe: Recipe
    load: Load
    address: str | None
    jobs: int | None
    sounds: Path
    """A folder of sounds that every worker must see."""
    mark: Path
    """A file in the folder of takes that every worker must see."""


class Worker:
    """An actor: tools loaded once, then one sound at a time."""

    def __init__(self) -> None:
        self._tools: WorkerContext | None = None

    def load(self, job: Job) -> str | None:
        """Get ready; why that cannot be, on one line."""
        from speech_to_face.base import ModelError

        try:
            _check_place(job)
            self._tools = job.load(job.recipe)
        except (BridgeError, ModelError) as error:
            return str(error)
        return None

    def convert(self, job: Job, work: Task) -> Outcome | str:
        """What became of a sound, or why it could not be begun."""
        if self._tools is None and (why := self.load(job)):  # it died while it had nothing to do, and this is another
            return why
        assert self._tools is not None
        clear_partials(work.out)  # of a try before this one, on whichever machine
        return convert_one(work.sound, work.out, job.recipe, self._tools, placed=work.placed)


def _check_place(job: Job) -> None:
    """Raise BridgeError where this machine would make other takes, or put them elsewhere."""
    from livelink_bridge.version import __version__

    here = socket.gethostname()
    if not job.mark.exists():
        raise BridgeError(
            f"worker {here} sees another {job.mark.parent} than this machine; the takes' folder has to be shared "
            "storage"
        )
    if not job.sounds.is_dir():
        raise BridgeError(f"worker {here} does not see {job.sounds}; the sounds' folder has to be shared storage")
    if job.load is not load_tools:
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
