import gc
import subprocess
import sys
import threading

import pytest

from livelink_bridge.core.workers import Runner, beside, steady_interpreter
from livelink_bridge.errors import BridgeError, DeviceError


def nothing() -> None:
    pass


def test_it_ends_when_its_leading_stage_does():
    ended: list[str] = []
    with Runner() as runner:
        runner.start("worker", lambda: (runner.stop.wait(5), ended.append("worker")))
        runner.start("leader", lambda: ended.append("leader"))
        runner.watch("leader", threading.Event(), nothing)
    assert ended == ["leader", "worker"]


def test_it_ends_when_a_stop_is_asked_for():
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


def test_a_thread_that_does_not_end_is_named():
    release = threading.Event()
    with (
        pytest.raises(BridgeError, match="thread model, sender did not end within 0.05 s"),
        Runner(join_s=0.05) as runner,
    ):
        runner.start("model", lambda: release.wait(30))
        runner.start("sender", lambda: release.wait(30))
    release.set()


HANGS = """
import threading
from livelink_bridge.errors import BridgeError
from livelink_bridge.core.workers import Runner

never = threading.Event()
try:
    with Runner(join_s=0.1) as runner:
        runner.start("model", lambda: {body}, cancel=lambda: {cancel})
except BridgeError as error:
    raise SystemExit(str(error))
"""


@pytest.mark.parametrize(
    ("body", "cancel", "named"),
    [
        ("never.wait()", "None", "thread model did not end"),
        ("None", "never.wait()", "the cancel of model did not return"),
    ],
)
def test_what_hangs_does_not_keep_the_process_alive(body, cancel, named):
    ended = subprocess.run(
        [sys.executable, "-c", HANGS.format(body=body, cancel=cancel)], capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_cancel_that_raises_skips_no_other_and_is_the_failure_where_there_is_no_other():
    cancelled: list[str] = []

    def refuse() -> None:
        raise TimeoutError("pactl does not end")

    with pytest.raises(TimeoutError, match="pactl does not end") as failure, Runner() as runner:
        runner.start("source", lambda: runner.stop.wait(5), cancel=refuse)
        runner.start("model", lambda: runner.stop.wait(5), cancel=lambda: cancelled.append("model"))
    assert cancelled == ["model"]
    assert failure.value.__notes__ == ["in the cancel of stage 'source'"]


def test_the_first_failure_is_raised_and_every_other_noted(caplog):
    def fail() -> None:
        raise DeviceError("the microphone stopped")

    def refuse() -> None:
        raise TimeoutError("pactl does not end")

    release = threading.Event()
    with pytest.raises(DeviceError, match="the microphone stopped") as failure, Runner(join_s=0.05) as runner:
        runner.start("model", fail, cancel=refuse)
        runner.start("sender", lambda: release.wait(30))
        runner.stop.wait(5)
    release.set()
    assert failure.value.__notes__[1:] == [
        "besides, TimeoutError: pactl does not end",
        "besides, BridgeError: thread sender did not end within 0.05 s",
    ]
    assert "pactl does not end" in caplog.text and "thread sender did not end" in caplog.text


def test_what_is_raised_inside_goes_before_what_a_cancel_raises():
    def refuse() -> None:
        raise TimeoutError("pactl does not end")

    with pytest.raises(KeyboardInterrupt) as interrupt, Runner() as runner:
        runner.start("source", lambda: runner.stop.wait(5), cancel=refuse)
        raise KeyboardInterrupt
    assert interrupt.value.__notes__ == ["besides, TimeoutError: pactl does not end"]


def test_a_side_stage_that_fails_is_logged_once_and_the_others_go_on(caplog):
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise ZeroDivisionError("division by zero")

    with Runner() as runner:
        runner.start("remote control", fail, side=True)
        runner.start("sender", lambda: runner.stop.wait(5))
        assert failed.wait(5)
        runner._stages[0].thread.join(5)
        assert not runner.stop.is_set()
    assert [record.getMessage() for record in caplog.records] == [
        "remote control has failed: ZeroDivisionError: division by zero; going on without it"
    ]


def test_what_tells_of_a_session_fails_once_and_is_then_left_out(caplog):
    calls: list[int] = []

    def show(status: int) -> None:
        calls.append(status)
        raise OSError("no space left on device")

    tell = beside("metrics", show)
    for status in range(3):
        tell(status)
    assert calls == [0]
    assert [record.getMessage() for record in caplog.records] == [
        "metrics has failed: OSError: no space left on device; going on without it"
    ]


def test_a_reader_of_the_output_that_has_gone_still_ends_the_program():
    def show() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        beside("the status display", show)()


def test_the_caller_that_waits_is_called_back_meanwhile():
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


def test_the_first_of_several_to_end_leaves_the_interpreter_to_the_others():
    found_s = sys.getswitchinterval()
    first, second = steady_interpreter(), steady_interpreter()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(0.0005) and gc.get_freeze_count() > 0
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(found_s) and gc.get_freeze_count() == 0


def test_objects_that_were_set_aside_before_stay_so():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with steady_interpreter():
            pass
        assert gc.get_freeze_count() > frozen / 2 > 0
    finally:
        gc.unfreeze()
