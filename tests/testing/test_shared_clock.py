"""Time that several threads wait by moves only while all of them wait."""

from __future__ import annotations

import threading

import pytest

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.workers import Runner, wait_for
from livelink_bridge.testing import shared_clock
from livelink_bridge.testing.shared_clock import SharedClock


def test_threads_meet_their_deadlines_in_order_and_none_is_late() -> None:
    clock, seen = SharedClock(0.0), list[tuple[float, str]]()

    def every(name: str, period_s: float) -> None:
        for number in range(1, 6):
            clock.wait_until(number * period_s, threading.Event())
            seen.append((clock.now(), name))

    with Runner(clock) as runner:
        runner.start("slow", lambda: every("slow", 3.0))
        runner.start("fast", lambda: every("fast", 2.0))
        runner.watch("slow", threading.Event(), lambda: None)
    assert [at_s for at_s, name in seen if name == "slow"] == [3.0, 6.0, 9.0, 12.0, 15.0]
    assert [at_s for at_s, name in seen if name == "fast"] == [2.0, 4.0, 6.0, 8.0, 10.0]


def test_time_stands_still_while_a_thread_works() -> None:
    clock, channel = SharedClock(0.0), Channel[float](1, "wait")

    def work() -> None:
        for number in range(20):
            sum(range(20000))
            channel.put(clock.now() - number)
        channel.close()

    with Runner(clock) as runner:
        runner.start("worker", work)
        found = []
        for _ in range(20):
            found.append(channel.get())
            clock.wait_until(clock.now() + 1, threading.Event())
    assert max(found) <= 1.0, "an item was made within the second in which there was room for it"
    assert clock.now() == 20.0


def test_a_stop_ends_the_wait_at_once() -> None:
    clock, stop = SharedClock(0.0), threading.Event()
    with Runner(clock) as runner:
        runner.start("stopper", lambda: (clock.wait_until(5.0, threading.Event()), stop.set()))
        assert not clock.wait_until(3600.0, stop)
    assert clock.now() == 5.0


def test_waiting_for_a_condition_costs_no_real_time() -> None:
    clock = SharedClock(0.0)
    wait_for(lambda: clock.now() > 3600, clock, threading.Event(), at_most_s=7200)
    assert clock.now() == pytest.approx(3600, abs=0.01)


def test_a_thread_that_never_waits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_clock, "_STUCK_S", 0.05)
    clock, over = SharedClock(0.0), threading.Event()

    def spin() -> None:
        while not over.is_set():
            pass

    thread = threading.Thread(target=spin, name="spinner")
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="spinner neither waits nor ends"):
            clock.wait_until(1.0, threading.Event())
    finally:
        over.set()
        thread.join(5)


def test_the_time_of_day_goes_with_it() -> None:
    clock = SharedClock(time_of_day_s=36000.0)
    clock.wait_until(clock.now() + 5, threading.Event())
    assert clock.time_of_day() == 36005.0
