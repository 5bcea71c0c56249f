"""Threads: started, watched, stopped in one order; the first failure wins."""

from __future__ import annotations

import gc
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from livelink_bridge.clock import Clock
from livelink_bridge.errors import BridgeError

_JOIN_S = 5.0
"""A thread that has not ended by then never will."""
_WATCH_S = 0.05
_SWITCH_INTERVAL_S = 0.0005
_POLL_S = 0.005
_steadied = threading.Lock()


@dataclass(frozen=True, slots=True)
class Stage:
    """One thread and how it is told to end."""

    name: str
    thread: threading.Thread
    cancel: Callable[[], None]


class Runner:
    """Runs named stages until one of them, the leading one, ends, one fails, or somebody wants to stop.

    As a context manager: whatever happens inside, on leaving the stop event is set, the stages are cancelled in the order
    they were started (so the source closes before what reads from it) and joined. The first exception of any stage is then
    raised, with the stage's name in a note.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set when all stages have to end."""
        self._stages: list[Stage] = []
        self._failures: list[BaseException] = []

    def start(self, name: str, body: Callable[[], None], *, cancel: Callable[[], None] = lambda: None) -> None:
        """Run `body` on a thread of its own. `cancel` makes it return soon; it may be called when it already has."""
        thread = threading.Thread(target=self._guarded, args=(name, body), name=name)
        self._stages.append(Stage(name, thread, cancel))
        thread.start()

    def watch(self, leading: str, interrupted: threading.Event, on_wait: Callable[[], None]) -> None:
        """Wait for the stage `leading` to end or for either stop event; `on_wait` is called every 50 ms meanwhile."""
        thread = next(stage.thread for stage in self._stages if stage.name == leading)
        while thread.is_alive() and not interrupted.is_set() and not self.stop.is_set():
            thread.join(_WATCH_S)
            on_wait()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.stop.set()
        for stage in self._stages:
            stage.cancel()
        stuck = [stage.name for stage in self._stages if not _ended(stage.thread)]
        if self._failures:
            raise self._failures[0]
        if stuck:
            raise BridgeError(f"thread {', '.join(stuck)} did not end within {_JOIN_S:.0f} s") from error

    def _guarded(self, name: str, body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as error:
            error.add_note(f"in stage {name!r}")
            self._failures.append(error)
            self.stop.set()


def _ended(thread: threading.Thread) -> bool:
    thread.join(_JOIN_S)
    return not thread.is_alive()


def wait_for(ready: Callable[[], bool], clock: Clock, stop: threading.Event, at_most_s: float = math.inf) -> None:
    """Look at `ready` every 5 ms until it is, `stop` is set or the time is over."""
    begun_s = clock.now()
    while not ready() and clock.now() - begun_s < at_most_s and clock.wait_until(clock.now() + _POLL_S, stop):
        pass


def every(period_s: float, clock: Clock, report: Callable[[], None]) -> Callable[[], None]:
    """A function that calls `report` when `period_s` has passed since it last did."""
    due_s = clock.now()

    def maybe() -> None:
        nonlocal due_s
        if clock.now() >= due_s:
            due_s = clock.now() + period_s
            report()

    return maybe


@contextmanager
def steady_interpreter() -> Iterator[None]:
    """An interpreter that does not hold up the threads that must be on time.

    Python lets a thread run for 5 ms before another may; with 0.5 ms the microphone's callback waited 0.2 ms (p99) instead of
    5.3 ms beside a thread of pure Python. And everything alive now (modules, weights) is set aside from garbage collection,
    whose full passes over it would stop all threads for tens of milliseconds; what a session makes is still collected.

    Within another one it does nothing: the sessions of a server come and go, and setting everything aside takes 70 ms.
    """
    if not _steadied.acquire(blocking=False):
        yield
        return
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval_s)
        _steadied.release()
