import gc
import sys
import threading

import pytest

from livelink_bridge import runner as runner_module
from livelink_bridge.errors import BridgeError, DeviceError
from livelink_bridge.runner import Runner, steady_interpreter


def nothing() -> None:
    pass


def test_it_ends_when_its_leading_stage_does():
    ended: list[str] = []
    with Runner() as runner:
        runner.start("worker", lambda: (runner.stop.wait(5), ended.append("worker")))
        runner.start("leader", lambda: ended.append("leader"))
        runner.watch("leader", threading.Event(), nothing)
    assert ended == ["leader", "worker"]


def test_it_ends_when_somebody_wants_to_stop():
    interrupted = threading.Event()
    with Runner() as runner:
        runner.start("leader", lambda: runner.stop.wait(5))
        threading.Timer(0.05, interrupted.set).start()
        runner.watch("leader", interrupted, nothing)
    assert runner.stop.is_set()
    assert threading.active_count() == 1 or all(thread.name != "leader" for thread in threading.enumerate())


def test_the_first_failure_is_raised_with_its_stages_name():
    def fail() -> None:
        raise DeviceError("the microphone stopped")

    with pytest.raises(DeviceError, match="the microphone stopped") as failure, Runner() as runner:
        runner.start("sender", lambda: runner.stop.wait(5))
        runner.start("model", fail)
        runner.watch("sender", threading.Event(), nothing)
    assert failure.value.__notes__ == ["in stage 'model'"]


def test_an_exception_of_the_main_thread_still_ends_every_stage():
    ended = threading.Event()
    with pytest.raises(KeyboardInterrupt), Runner() as runner:
        runner.start("sender", lambda: (runner.stop.wait(5), ended.set()))
        raise KeyboardInterrupt
    assert ended.is_set()


def test_stages_are_cancelled_in_the_order_they_were_started():
    order: list[str] = []
    with Runner() as runner:
        for name in ("source", "model", "sender"):
            runner.start(name, nothing, cancel=lambda name=name: order.append(name))
    assert order == ["source", "model", "sender"]


def test_a_thread_that_does_not_end_is_named(monkeypatch):
    monkeypatch.setattr(runner_module, "_JOIN_S", 0.05)
    release = threading.Event()
    with pytest.raises(BridgeError, match="thread model did not end"), Runner() as runner:
        runner.start("model", lambda: release.wait(5))
    release.set()


def test_whoever_waits_is_called_meanwhile():
    calls: list[int] = []
    with Runner() as runner:
        enough = threading.Event()
        runner.start("leader", lambda: enough.wait(5))
        runner.watch("leader", threading.Event(), lambda: (calls.append(1), len(calls) > 2 and enough.set()))
    assert len(calls) >= 3


def test_the_interpreter_is_given_back_as_it_was():
    interval_s, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    with pytest.raises(ZeroDivisionError), steady_interpreter():
        assert sys.getswitchinterval() == pytest.approx(0.0005)
        assert gc.get_freeze_count() > frozen
        assert gc.isenabled()
        raise ZeroDivisionError
    assert sys.getswitchinterval() == pytest.approx(interval_s)
    assert gc.get_freeze_count() == 0


def test_a_steady_interpreter_within_another_leaves_everything_to_the_outer_one():
    with steady_interpreter():
        frozen = gc.get_freeze_count()
        with steady_interpreter():
            pass
        assert sys.getswitchinterval() == pytest.approx(0.0005)
        # Frozen objects may still be let go one by one; thawing would leave none.
        assert frozen > 0 and gc.get_freeze_count() > frozen / 2
    assert gc.get_freeze_count() == 0
