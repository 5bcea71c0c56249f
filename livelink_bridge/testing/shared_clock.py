"""A clock for tests of whole sessions: all threads wait on it, and its time advances only while all of them wait."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType

_POLL_S = 0.0001
"""Real time between two checks of the other threads."""
_STUCK_S = 20.0
"""Real time after which a thread that neither waits nor ends is reported."""


class SharedClock:
    """Stands still while any thread of the session runs, and jumps to the next deadline when all of them wait.

    A session on this clock takes only its computing time, and nothing is late on a busy machine. It checks the thread
    that created it, those that wait on it and those started later. A thread waits if it is in `wait_until`, in a
    `threading.Condition` (which events, channels and queues are built on), or joins another thread.
    """

    def __init__(self, start_s: float = 1000.0, *, time_of_day_s: float = 0.0) -> None:
        """
        Parameters
        ----------
        start_s : the clock's first time, seconds
        time_of_day_s : time of day at `start_s`, seconds since midnight
        """
        self._now_s = start_s
        self._midnight_s = start_s - time_of_day_s
        self._lock = threading.Lock()
        self._waiting: dict[threading.Thread, tuple[float, threading.Event]] = {}
        self._others = {thread for thread in threading.enumerate() if thread is not threading.current_thread()}

    def now(self) -> float:
        """The clock's time, seconds; constant until all threads wait."""
        return self._now_s

    def time_of_day(self) -> float:
        """Seconds since midnight."""
        return self._now_s - self._midnight_s

    def wait_until(self, deadline_s: float, stop: threading.Event) -> bool:
        """Wait until the clock reaches `deadline_s`. Returns True then, False as soon as `stop` is set.

        Raises RuntimeError after 20 s of real time, with the names of the threads that neither wait nor end.
        """
        thread, started_s = threading.current_thread(), time.perf_counter()
        self._waiting[thread] = deadline_s, stop
        try:
            while not stop.is_set():
                if self._now_s >= deadline_s:
                    return True
                self._advance()
                if time.perf_counter() - started_s > _STUCK_S and self._running():
                    raise RuntimeError(f"the clock stands still: {', '.join(self._running())} neither waits nor ends")
            return False
        finally:
            del self._waiting[thread]

    def _advance(self) -> None:
        """Jump to the next deadline if every thread waits, else yield to the others."""
        with self._lock:
            if not self._running():
                deadlines = [deadline_s for deadline_s, _stop in tuple(self._waiting.values())]
                self._now_s = max(self._now_s, min(deadlines))
                return
        time.sleep(_POLL_S)

    def _running(self) -> list[str]:
        """Names of the threads that are not waiting."""
        frames = sys._current_frames()
        return [
            thread.name
            for thread in threading.enumerate()
            if thread not in self._others and not self._is_waiting(thread, frames.get(thread.ident or 0))
        ]

    def _is_waiting(self, thread: threading.Thread, frame: FrameType | None) -> bool:
        if thread in self._waiting:
            deadline_s, stop = self._waiting[thread]
            return deadline_s > self._now_s and not stop.is_set()
        return frame is not None and (_in_condition(frame) or _in_join(frame))


def _in_condition(frame: FrameType) -> bool:
    """Whether a thread is in `Condition.wait` and not notified: a notified thread is no longer among the waiters."""
    if frame.f_code is not threading.Condition.wait.__code__:
        return False
    local_names = frame.f_locals
    return "gotit" in local_names and local_names["waiter"] in local_names["self"]._waiters


def _in_join(frame: FrameType) -> bool:
    """Whether a thread waits for another one that is still alive."""
    names = ("_wait_for_tstate_lock", "join")
    joined = frame.f_locals.get("self")
    return frame.f_code.co_name in names and isinstance(joined, threading.Thread) and joined.is_alive()
