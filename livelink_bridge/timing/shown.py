"""What a session shows now: written by the sender at every tick, read by recorders, monitor output and time bases."""

from __future__ import annotations


class Shown:
    """The moment of the audio that the newest tick shows.

    One thread writes and any number read; both values of a tick are replaced at once.
    """

    def __init__(self) -> None:
        self._now: tuple[float, float] | None = None

    @property
    def position_s(self) -> float | None:
        """Audio time of the face that is shown, seconds after sample 0; None before the first sound."""
        now = self._now
        return None if now is None else now[0]

    @property
    def zero_s(self) -> float | None:
        """Clock time at which the face of audio time 0 is, or would have been, shown, seconds; None before the first
        sound."""
        now = self._now
        return None if now is None else now[1]

    def write(self, position_s: float, due_s: float) -> None:
        """Audio time `position_s` is shown at clock time `due_s`, seconds."""
        self._now = position_s, due_s - position_s
