"""Runs named worker threads; stops them in start order and raises the first exception."""

from __future__ import annotations

import gc
import logging
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.errors import BridgeError

JOIN_S = 5.0
"""A thread, or a cancel, that has not ended by then never will."""
_WATCH_S = 0.05
_SWITCH_INTERVAL_S = 0.0005
_POLL_S = 0.005

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One thread and how to make it end."""

    name: str
    thread: threading.Thread
    cancel: Callable[[], None]
    ended: threading.Event
    """Set when its body has returned or raised."""


class Runner:
    """Runs named stages until the leading one ends, one of them fails, or the caller wants to stop.

    As a context manager: whatever happens inside, on leaving the stop event is set, every stage is cancelled in the
    order they were started (so the source closes before what reads from it) and joined. The first exception of a stage
    is then raised, or else the first of a cancel, or else BridgeError with the names of threads that did not end; what
    else went wrong is in its notes.

    All threads are daemons, and a cancel gets no more than `join_s` either: a device driver that never returns keeps
    neither the block nor the process from ending.
    """

    def __init__(self, clock: Clock | None = None, *, join_s: float = JOIN_S) -> None:
        """
        Parameters
        ----------
        clock : what `watch` waits by; None is the machine's own
        join_s : how long a thread, or a cancel, has to end, seconds of real time: no injected clock makes the system's
            threads end
        """
        self.stop = threading.Event()
        """Set when all stages must end."""
        self._clock = clock or MonotonicClock()
        self._join_s = join_s
        self._stages: list[Worker] = []
        self._failures: list[BaseException] = []

    def start(
        self, name: str, body: Callable[[], None], *, cancel: Callable[[], None] = lambda: None, side: bool = False
    ) -> None:
        """Run a stage on its own thread.

        Parameters
        ----------
        name : of the thread, for error messages
        body : the stage
        cancel : makes `body` return soon; it may be called when it already has
        side : what it raises is logged, and the other stages go on without it
        """
        ended = threading.Event()
        thread = threading.Thread(target=self._guarded, args=(name, body, side, ended), name=name, daemon=True)
        self._stages.append(Worker(name, thread, cancel, ended))
        thread.start()

    def watch(self, leading: str, interrupted: threading.Event, on_wait: Callable[[], None]) -> None:
        """Wait for the stage `leading` to end or for either stop event; `on_wait` is called every 50 ms meanwhile."""
        ended = next(stage.ended for stage in self._stages if stage.name == leading)
        while not (ended.is_set() or interrupted.is_set() or self.stop.is_set()):
            self._clock.wait_until(self._clock.now() + _WATCH_S, ended)
            on_wait()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.stop.set()
        cancels = [self._cancelled(stage) for stage in self._stages]
        stuck = self._stuck()
        found = [*self._failures, *(failure for failure in cancels if failure is not None)]
        if stuck:
            found.append(BridgeError(f"thread {', '.join(stuck)} did not end within {self._join_s:g} s"))
        if error is not None and not self._failures and not stuck:
            _note(error, found)
        elif found:
            _note(found[0], found[1:])
            raise found[0] from error

    def _cancelled(self, stage: Worker) -> BaseException | None:
        """Cancel a stage; what that raises, or that it does not return."""
        raised: list[BaseException] = []

        def cancel() -> None:
            try:
                stage.cancel()
            except BaseException as error:
                error.add_note(f"in the cancel of stage {stage.name!r}")
                raised.append(error)

        thread = threading.Thread(target=cancel, name=f"cancel of {stage.name}", daemon=True)
        thread.start()
        thread.join(self._join_s)
        if thread.is_alive():
            return BridgeError(f"the cancel of {stage.name} did not return within {self._join_s:g} s")
        return raised[0] if raised else None

    def _stuck(self) -> list[str]:
        """Names of the threads that do not end. All were cancelled before the first join, so one time-out is enough."""
        stuck: list[str] = []
        for stage in self._stages:
            stage.thread.join(0.0 if stuck else self._join_s)
            if stage.thread.is_alive():
                stuck.append(stage.name)
        return stuck

    def _guarded(self, name: str, body: Callable[[], None], side: bool, ended: threading.Event) -> None:
        try:
            body()
        except BaseException as error:
            if side:
                report_side_failure(name, error)
                return
            error.add_note(f"in stage {name!r}")
            self._failures.append(error)
            self.stop.set()
        finally:
            ended.set()


def _note(error: BaseException, others: list[BaseException]) -> None:
    """Add the others to the notes of the one that is raised, and to the log: the command line shows no notes."""
    for other in others:
        error.add_note(f"besides, {type(other).__name__}: {other}")
        _log.warning("besides, at the end: %s", other)


def report_side_failure(name: str, error: BaseException) -> None:
    """Log, in one line, that a service beside the session has failed. --debug adds its traceback."""
    kind = "" if isinstance(error, BridgeError) else f"{type(error).__name__}: "
    _log.error(
        "%s has failed: %s%s; going on without it",
        name,
        kind,
        error,
        exc_info=error if _log.isEnabledFor(logging.INFO) else None,
    )


def beside(name: str, call: Callable[..., None]) -> Callable[..., None]:
    """`call`, whose first exception is logged under `name` and after which it is not called any more.

    For what reports on a session without being part of it: status, metrics, log, page. BrokenPipeError passes: the
    reader of the program's output has gone, which ends the program.
    """
    failed = False

    def guarded(*arguments: object) -> None:
        nonlocal failed
        if failed:
            return
        try:
            call(*arguments)
        except BrokenPipeError:
            raise
        except Exception as error:
            failed = True
            report_side_failure(name, error)

    return guarded


def wait_for(ready: Callable[[], bool], clock: Clock, stop: threading.Event, at_most_s: float = math.inf) -> None:
    """Poll `ready` every 5 ms of `clock` until it is True, `stop` is set or `at_most_s` seconds have passed."""
    begun_s = clock.now()
    while not ready() and clock.now() - begun_s < at_most_s and clock.wait_until(clock.now() + _POLL_S, stop):
        pass


def every(period_s: float, clock: Clock, report: Callable[[], None]) -> Callable[[], None]:
    """A function that calls `report` when `period_s` seconds have passed since it last did."""
    due_s = clock.now()

    def maybe() -> None:
        nonlocal due_s
        if clock.now() >= due_s:
            due_s = clock.now() + period_s
            report()

    return maybe


class _Steadied:
    """How many blocks want a steady interpreter, and the settings found when the first began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._interval_s = 0.0
        self._froze = False

    def begin(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            self._interval_s = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_INTERVAL_S)
            # What the host program has frozen could not be distinguished from ours afterwards.
            self._froze = gc.get_freeze_count() == 0
            if self._froze:
                gc.collect()
                gc.freeze()

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            if self._froze:
                gc.unfreeze()
            sys.setswitchinterval(self._interval_s)


_STEADIED = _Steadied()


@contextmanager
def steady_interpreter() -> Iterator[None]:
    """Python's interpreter set up for threads that must be on time. It changes the whole process, so only the command
    line uses it; a program that calls this library may use it around its own sessions.

    By default a thread runs for 5 ms before another may; with 0.5 ms the microphone's callback waited 0.2 ms (p99)
    instead of 5.3 ms beside a thread of pure Python. And everything alive now (modules, weights) is frozen out of
    garbage collection, whose full passes over it would stop all threads for tens of milliseconds; what a session
    allocates is still collected. If objects are frozen already, they stay frozen and nothing is added.

    Blocks may overlap, on any threads: the first changes the settings, the last to end restores them.
    """
    _STEADIED.begin()
    try:
        yield
    finally:
        _STEADIED.end()
