"""Timecode: which frame of the day a moment is, at the rates of film and television.

Drop-frame counting as SMPTE ST 12-1 has it: at 29.97 and 59.94 the labels of the first two (four) frames of each minute
but every tenth are skipped, which keeps labels within a frame or so of the clock. Without dropping, labels count evenly
and lose 3.6 s an hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

Origin = Literal["time-of-day", "ntp", "zero"]
"""What frame 0 is: midnight, counted on by the monotonic clock from the start; midnight, followed as the system's clock
is disciplined; or the first frame."""
ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True, slots=True)
class TimecodeRate:
    """One way of counting frames."""

    name: str
    exact: Fraction
    """Frames per second."""
    drop: bool = False
    """Whether labels are skipped to stay with the clock."""

    @property
    def nominal(self) -> int:
        """Labels per second: 30 at 29.97."""
        return math.ceil(self.exact)

    def frames_at(self, of_day_s: float) -> float:
        """Frames since 00:00:00:00 of the label that shows the time of day."""
        return of_day_s * (float(self.exact) if self.drop else self.nominal)

    def seconds_at(self, frames: float) -> float:
        """What the label shows, in seconds: the reverse of `frames_at`."""
        return frames / (float(self.exact) if self.drop else self.nominal)

    def label(self, frame: int) -> str:
        """`HH:MM:SS:FF` of a frame number, with `;` before FF where frames are dropped."""
        counted = frame + (self._dropped_before(frame) if self.drop else 0)
        seconds, frames = divmod(counted, self.nominal)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours % 24:02}:{minutes:02}:{seconds:02}{';' if self.drop else ':'}{frames:02}"

    def _dropped_before(self, frame: int) -> int:
        """Labels skipped before that of frame number `frame`."""
        each = self.nominal // 15
        minute = 60 * self.nominal - each
        tens, rest = divmod(frame, 10 * minute + each)
        return each * (9 * tens + max(0, (rest - each) // minute))


def _ntsc(name: str, nominal: int, drop: bool = False) -> TimecodeRate:
    return TimecodeRate(name, Fraction(nominal * 1000, 1001), drop)


RATES = {
    rate.name: rate
    for rate in (
        _ntsc("23.976", 24),
        TimecodeRate("24", Fraction(24)),
        TimecodeRate("25", Fraction(25)),
        _ntsc("29.97", 30),
        _ntsc("29.97df", 30, drop=True),
        TimecodeRate("30", Fraction(30)),
        TimecodeRate("50", Fraction(50)),
        _ntsc("59.94", 60),
        _ntsc("59.94df", 60, drop=True),
        TimecodeRate("60", Fraction(60)),
    )
}


def counting(fps: Fraction) -> TimecodeRate:
    """The default counting of frames sent at `fps`: drop-frame where there is one, so that it stays with the clock."""
    name = f"{float(fps):.5g}"
    return RATES.get(f"{name}df") or RATES.get(name) or TimecodeRate(name, fps)
