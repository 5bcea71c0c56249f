"""Options and result of an adaptation."""

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
    """Options of an adaptation."""

    base: Path
    """Folder of the model to begin with."""
    out: Path
    force: bool = False
    others: Path | None = None
    """Folder with speech of other people, for which the network's answers are kept."""
    data: Path | None = None
    """Folder for `evaluate --data`, to show the effect on others."""
    keep_anyway: bool = False
    """Also write a model that is not better than `base`."""
    steps: int = 400
    batch: int = 6
    """Windows of takes a step, and as many of other voices."""
    window_s: float = 4.5
    rate: float = 4e-4
    """Highest learning rate."""
    check_every: int = 50
    """Steps between two checks on the held-out takes."""
    seed: int = 0
    device: str = "cpu"
    loaders: int = 1
    """Processes that mix noise into the examples while the network learns; 0: none but this one."""
    allow_cut: bool = False
    """Use the audio of files that end before the length in their headers."""

    @property
    def run(self) -> Path:
        """Folder of the unfinished work, beside `out`."""
        return self.out.with_name(f"{self.out.name}.run")

    @property
    def tracks(self) -> Path:
        """Folder of the training tracks."""
        return self.run / "tracks"


@dataclass(frozen=True, slots=True)
class Result:
    """Result of an adaptation."""

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
