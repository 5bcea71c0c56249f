"""What an adaptation is asked to do, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from speech_to_face_lab.adapt.data.takes import LeftOut, Take
from speech_to_face_lab.adapt.figures import Row
from speech_to_face_lab.adapt.verdict import Verdict

Show = Callable[[str, int, int], None]
"""A task's name, how much of it is done, of how much."""
Say = Callable[[str], None]
"""A line for the user."""


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """What is asked for."""

    base: Path
    """Folder of the model to begin with."""
    out: Path
    force: bool = False
    others: Path | None = None
    """Folder with speech of other people, to keep what the network does for them."""
    data: Path | None = None
    """Folder that `evaluate --data` judges on, to show what it costs others."""
    keep_anyway: bool = False
    """Write a model that is not better than `base`, too."""
    steps: int = 400
    batch: int = 6
    """Windows of takes a step, and as many of other voices."""
    window_s: float = 4.5
    rate: float = 4e-4
    """Highest learning rate."""
    check_every: int = 50
    """Steps between looks at the takes kept back."""
    seed: int = 0
    device: str = "cpu"
    loaders: int = 1
    """Processes that lay noise over the examples while the network learns; 0: none but this one."""
    allow_cut: bool = False
    """Take what there is of audio files that end before their headers say."""

    @property
    def run(self) -> Path:
        """Where the work lies until it is done: beside `out`."""
        return self.out.with_name(f"{self.out.name}.run")

    @property
    def tracks(self) -> Path:
        return self.run / "tracks"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    verdict: Verdict
    kept: bool
    """Whether `AdaptOptions.out` was written; if not, the work is still in `AdaptOptions.run`."""
    rows: list[Row]
    learnt: list[Take]
    held: list[Take]
    left: list[LeftOut]
    step: int
    best_step: int
    stopped_early: bool
    history: list[tuple[int, float]] = field(default_factory=list)
    """(step, held-out loss)."""
