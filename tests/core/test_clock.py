import threading

from livelink_bridge.core.clock import MonotonicClock


def test_waiting_ends_at_the_deadline():
    clock = MonotonicClock()
    deadline_s = clock.now() + 0.03
    assert clock.wait_until(deadline_s, threading.Event())
    assert clock.now() >= deadline_s


def test_a_deadline_that_passed_is_not_waited_for():
    clock = MonotonicClock()
    assert clock.wait_until(clock.now() - 1, threading.Event())


def test_stopping_ends_a_long_wait_within_a_slice():
    clock, stop = MonotonicClock(), threading.Event()
    threading.Timer(0.02, stop.set).start()
    begun_s = clock.now()
    assert not clock.wait_until(begun_s + 15, stop)
    assert clock.now() - begun_s < 5


def test_time_of_day_is_seconds_since_midnight():
    assert 0 <= MonotonicClock().time_of_day() < 86400
