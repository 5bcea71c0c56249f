"""Progress of a batch: a bar in a terminal, a line every ten seconds otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livelink_bridge.batch.job import Outcome, Task
from livelink_bridge.batch.walk import AudioFile, Found
from livelink_bridge.core.clock import Clock
from livelink_bridge.reporting.progress_bar import progress_bar

PLAIN_INTERVAL_S = 10.0
DRAW_INTERVAL_S = 0.2

Say = Callable[[str], None]


class Progress:
    """Counts, speed and remaining time of a batch. The remaining time is estimated from bytes, since the lengths of the
    remaining files are unknown."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._started_s = clock, clock.now()
        self.files = self.bytes = 0
        """Totals of the batch."""
        self.files_done = 0
        self.failed = 0
        self._skipped_bytes = self._done_bytes = 0
        self._sound_s = 0.0
        self._parts: dict[str, float] = {}
        """Bytes converted so far, by running task."""

    def begin(self, found: Found) -> None:
        """Start the clock and set the totals."""
        self._started_s = self._clock.now()
        self.files, self.bytes = len(found.sounds), sum(sound.size for sound in found.sounds)

    def skipped(self, sound: AudioFile) -> None:
        """Count a file whose take exists already."""
        self.files_done += 1
        self._skipped_bytes += sound.size

    def part(self, task: Task, part: float, size: int) -> None:
        """Set the progress of a task, 0 to 1, of a file of `size` bytes."""
        self._parts[task.name] = part * size

    def done(self, task: Task, outcome: Outcome, size: int) -> None:
        """Count a finished task, of a file of `size` bytes."""
        self._parts.pop(task.name, None)
        self.files_done += 1
        self.failed += outcome.error is not None
        self._done_bytes += size
        self._sound_s += outcome.seconds

    @property
    def bytes_done(self) -> float:
        """Bytes of skipped, finished and partly finished files."""
        return self._skipped_bytes + self._done_bytes + sum(self._parts.values())

    def times_real_time(self) -> float | None:
        """Seconds of audio converted per second, without running tasks; None before the first is done."""
        elapsed_s = self._clock.now() - self._started_s
        return self._sound_s / elapsed_s if self._sound_s and elapsed_s > 0 else None

    def remaining_s(self) -> float | None:
        """Estimated seconds until the end, at the speed so far; None before any progress."""
        worked = self.bytes_done - self._skipped_bytes
        if worked <= 0:
            return None
        return (self._clock.now() - self._started_s) * max(0.0, self.bytes - self.bytes_done) / worked

    def text(self) -> str:
        """`120 of 1000 files, 3 failed, 87 x real time, 4:05 left`."""
        parts = [f"{self.files_done} of {self.files} files"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        rate, remaining_s = self.times_real_time(), self.remaining_s()
        if rate is not None:
            parts.append(f"{rate:.0f} x real time")
        if remaining_s is not None:
            parts.append(f"{time_text(remaining_s)} left")
        return ", ".join(parts)


class ProgressDisplay:
    """The `BatchObserver` that prints failures at once and redraws a line with the progress."""

    def __init__(self, clock: Clock, say: Say, draw: Callable[[Progress], None], interval_s: float) -> None:
        self.progress = Progress(clock)
        self._clock, self._say, self._draw, self._interval_s = clock, say, draw, interval_s
        self._drawn_s = clock.now()

    def begin(self, found: Found) -> None:
        """Print the notes on the files found."""
        self.progress.begin(found)
        for note in found.notes:
            self._say(note)

    def skipped(self, sound: AudioFile) -> None:
        """Count a file whose take exists already."""
        self.progress.skipped(sound)
        self._redraw()

    def part(self, task: Task, part: float) -> None:
        """Set the progress of a task, 0 to 1."""
        self.progress.part(task, part, _size(task))
        self._redraw()

    def done(self, task: Task, outcome: Outcome) -> None:
        """Count a finished task and print its error, if any."""
        self.progress.done(task, outcome, _size(task))
        if outcome.error is not None:
            self._say(outcome.error)
        self._redraw()

    def refused(self, path: str, why: str) -> None:
        """Print why a path cannot be converted."""
        self._say(f"{path} {why}")

    def _redraw(self) -> None:
        now_s = self._clock.now()
        if now_s - self._drawn_s >= self._interval_s:
            self._drawn_s = now_s
            self._draw(self.progress)


@contextmanager
def show_progress(clock: Clock, say: Say) -> Iterator[ProgressDisplay]:
    """Show the progress of a batch on stderr. `say` prints one line, such as an error."""
    if not sys.stderr.isatty():
        yield ProgressDisplay(clock, say, lambda progress: say(progress.text()), PLAIN_INTERVAL_S)
        return
    with progress_bar(time_left=False) as bar:

        def draw(progress: Progress) -> None:
            bar.show(progress.text(), progress.bytes_done / progress.bytes if progress.bytes else None)

        bar.show("starting", None)
        yield ProgressDisplay(clock, say, draw, DRAW_INTERVAL_S)


def time_text(seconds: float) -> str:
    """`4:05` or `1:02:03`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _size(task: Task) -> int:
    try:
        return task.sound.stat().st_size
    except OSError:
        return 0
