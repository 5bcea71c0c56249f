"""Undo and redo."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

STEPS = 200
"""Steps that can be undone; the oldest are forgotten first."""


class History(Generic[T]):
    """Values that never change themselves, one after the other.

    A slider that is dragged gives many values and is one step: changes in a row with the same `drag` count as one.
    """

    def __init__(self, first: T, steps: int = STEPS) -> None:
        self.present = first
        self._past: deque[T] = deque(maxlen=steps)
        self._future: list[T] = []
        self._drag: str | None = None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to redo."""
        return bool(self._future)

    def change(self, new: T, drag: str | None = None) -> T:
        """Go on with `new`; what was undone is forgotten. A value equal to the present one is no step. `drag`: what is
        being dragged, such as "JawOpen gain"; None is a step of its own."""
        if new == self.present:
            return new
        if drag is None or drag != self._drag:
            self._past.append(self.present)
        self._future.clear()
        self._drag = drag
        self.present = new
        return new

    def settle(self) -> None:
        """The drag is over: the next change is a step of its own, whatever is dragged."""
        self._drag = None

    def undo(self) -> T:
        """One step back; the present one where there is none."""
        self._drag = None
        if self._past:
            self._future.append(self.present)
            self.present = self._past.pop()
        return self.present

    def redo(self) -> T:
        """One step forward again; the present one where there is none."""
        self._drag = None
        if self._future:
            self._past.append(self.present)
            self.present = self._future.pop()
        return self.present
