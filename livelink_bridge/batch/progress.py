"""How far a batch is: a bar where somebody looks, a line now and then where a program reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livelink_bridge.batch.job import Outcome, Task
from livelink_bridge.batch.walk import Found, Sound
from livelink_bridge.core.clock import Clock
from livelink_bridge.reporting.progress_bar import progress_bar

PLAIN_EVERY_S = 10.0
DRAWN_EVERY_S = 0.2

Say = Callable[[str], None]


class Pace:
    """How much is done, how fast, and how long the rest takes. Bytes measure what is left, since their seconds are not
    known yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began_s = clock, clock.now()
        self.files = self.bytes = 0
        """All there are."""
        self.files_done = 0
        self.failed = 0
        self._kept_bytes = self._done_bytes = 0
        self._sound_s = 0.0
        self._parts: dict[str, float] = {}
        """Take under way -> bytes of its sound that are done."""

    def begin(self, found: Found) -> None:
        self._began_s = self._clock.now()
        self.files, self.bytes = len(found.sounds), sum(sound.size for sound in found.sounds)

    def kept(self, sound: Sound) -> None:
        self.files_done += 1
        self._kept_bytes += sound.size

    def part(self, work: Task, part: float, size: int) -> None:
        self._parts[work.name] = part * size

    def done(self, work: Task, outcome: Outcome, size: int) -> None:
        self._parts.pop(work.name, None)
        self.files_done += 1
        self.failed += outcome.error is not None
        self._done_bytes += size
        self._sound_s += outcome.seconds

    @property
    def bytes_done(self) -> float:
        return self._kept_bytes + self._done_bytes + sum(self._parts.values())

    def times_real_time(self) -> float | None:
        """Seconds of sound converted in a second, those of files under way not counted; None before the first."""
        elapsed_s = self._clock.now() - self._began_s
        return self._sound_s / elapsed_s if self._sound_s and elapsed_s > 0 else None

    def left_s(self) -> float | None:
        """Seconds until everything is done, at the pace so far; None before anything is."""
        worked = self.bytes_done - self._kept_bytes
        if worked <= 0:
            return None
        return (self._clock.now() - self._began_s) * max(0.0, self.bytes - self.bytes_done) / worked

    def text(self) -> str:
        """`120 of 1000 files, 3 failed, 87 x real time, 4:05 left`."""
        parts = [f"{self.files_done} of {self.files} files"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        rate, left_s = self.times_real_time(), self.left_s()
        if rate is not None:
            parts.append(f"{rate:.0f} x real time")
        if left_s is not None:
            parts.append(f"{time_text(left_s)} left")
        return ", ".join(parts)


class Watch:
    """What `run.Batch` tells, said: failures at once and whole, the rest as a line that is drawn anew."""

    def __init__(self, clock: Clock, say: Say, draw: Callable[[Pace], None], every_s: float) -> None:
        self.pace = Pace(clock)
        self._clock, self._say, self._draw, self._every_s = clock, say, draw, every_s
        self._drawn_s = clock.now()

    def begin(self, found: Found) -> None:
        self.pace.begin(found)
        for note in found.notes:
            self._say(note)

    def kept(self, sound: Sound) -> None:
        self.pace.kept(sound)
        self._redraw()

    def part(self, work: Task, part: float) -> None:
        self.pace.part(work, part, _size(work))
        self._redraw()

    def done(self, work: Task, outcome: Outcome) -> None:
        self.pace.done(work, outcome, _size(work))
        if outcome.error is not None:
            self._say(outcome.error)
        self._redraw()

    def refused(self, path: str, why: str) -> None:
        self._say(f"{path} {why}")

    def _redraw(self) -> None:
        now_s = self._clock.now()
        if now_s - self._drawn_s >= self._every_s:
            self._drawn_s = now_s
            self._draw(self.pace)


@contextmanager
def watching(clock: Clock, say: Say) -> Iterator[Watch]:
    """Show a batch on stderr. `say` gets what a person must read, one line at a time."""
    if not sys.stderr.isatty():
        yield Watch(clock, say, lambda pace: say(pace.text()), PLAIN_EVERY_S)
        return
    with progress_bar(time_left=False) as bar:

        def draw(pace: Pace) -> None:
            bar.show(pace.text(), pace.bytes_done / pace.bytes if pace.bytes else None)

        bar.show("starting", None)
        yield Watch(clock, say, draw, DRAWN_EVERY_S)


def time_text(seconds: float) -> str:
    """`4:05` or `1:02:03`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _size(work: Task) -> int:
    try:
        return work.sound.stat().st_size
    except OSError:
        return 0
