"""Live Link targets that change while poses are sent."""

import threading
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.errors import SinkError
from livelink_bridge.sinks.live_targets import _TAIL_FRAMES, LiveTargets
from livelink_bridge.testing.stand_ins import CollectSink
from livelink_bridge.timing.stamp import Stamp

POSE = np.full(61, 0.5, np.float32)
HERE, THERE = "livelink://127.0.0.1:11111", "livelink://10.0.0.1:11111"


class Opened:
    """Sinks by URI and subject, in the order in which they were opened."""

    def __init__(self, *, refused=()):
        self.sinks = []
        self.refused = refused

    def __call__(self, uri, subject):
        if (uri, subject) in self.refused:
            raise SinkError(f"{uri}: no way")
        sink = CollectSink()
        sink.name, sink.subject = uri, subject
        self.sinks.append(sink)
        return sink


def send(targets, count=1):
    for frame in range(count):
        targets.send(POSE, Stamp(frame, 0.0, Fraction(60)))


def test_a_target_added_meanwhile_gets_the_next_pose():
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    send(targets)
    targets.add(THERE)
    send(targets, 2)
    assert [sink.sent for sink in opened.sinks] == [3, 2]
    assert targets.sent == 5


@pytest.mark.parametrize("again", [HERE, "livelink://localhost:11111", "livelink://127.0.0.1:11111?rate=30"])
def test_a_target_that_is_there_is_not_sent_to_twice(again):
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    targets.add(again)
    assert len(opened.sinks) == 1


def test_a_removed_target_eases_to_neutral_rests_and_is_closed():
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    send(targets, 5)
    targets.clear()
    assert targets.parts == ()
    send(targets, 100)
    (sink,) = opened.sinks
    jaw = sink.weights[:, 17]
    assert (np.diff(jaw) <= 0).all() and sink.sent == 5 + _TAIL_FRAMES
    assert not sink.weights[-12:].any()
    assert sink.closed and targets.sent == sink.sent


def test_clearing_and_adding_the_same_again_leaves_no_trace_in_the_poses():
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    send(targets, 5)
    targets.clear()
    targets.add(HERE)
    send(targets, 100)
    (sink,) = opened.sinks
    assert (sink.weights == 0.5).all() and sink.sent == 105 and not sink.closed


def test_a_stream_that_is_stopped_rests_and_goes_on_when_it_is_started():
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    send(targets)
    targets.stream(False)
    targets.add(THERE)
    send(targets, 100)
    assert [sink.sent for sink in opened.sinks] == [1 + _TAIL_FRAMES, 0]
    assert not opened.sinks[0].weights[-12:].any() and not opened.sinks[0].closed
    targets.stream(True)
    send(targets, 3)
    assert [sink.sent for sink in opened.sinks] == [4 + _TAIL_FRAMES, 3]


def test_after_a_rename_nothing_more_is_sent_under_the_old_name():
    opened = Opened()
    targets = LiveTargets([HERE, THERE], "Ada", opened)
    send(targets, 2)
    targets.rename("Eve")
    targets.rename("Eve")
    send(targets, 2)
    assert [(sink.subject, sink.sent, sink.closed) for sink in opened.sinks] == [
        ("Ada", 2, True),
        ("Ada", 2, True),
        ("Eve", 2, False),
        ("Eve", 2, False),
    ]
    assert targets.sent == 8
    targets.add("livelink://10.0.0.9:11111")
    assert opened.sinks[-1].subject == "Eve"


def test_a_rename_that_fails_changes_nothing():
    opened = Opened(refused={(THERE, "Eve")})
    targets = LiveTargets([HERE, THERE], "Ada", opened)
    with pytest.raises(SinkError):
        targets.rename("Eve")
    send(targets)
    assert [(sink.subject, sink.sent, sink.closed) for sink in opened.sinks] == [
        ("Ada", 1, False),
        ("Ada", 1, False),
        ("Eve", 0, True),
    ]


def test_targets_that_cannot_all_be_opened_leave_none_open():
    opened = Opened(refused={(THERE, "Ada")})
    with pytest.raises(SinkError):
        LiveTargets([HERE, THERE], "Ada", opened)
    assert opened.sinks[0].closed


def test_closing_closes_everything_also_what_was_renamed_away():
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    targets.rename("Eve")
    targets.close()
    targets.close()
    assert all(sink.closed for sink in opened.sinks)


def test_the_sender_is_not_held_up_while_a_target_is_being_opened():
    opened = Opened()
    looking_up, known = threading.Event(), threading.Event()

    def slow(uri, subject):
        if uri == THERE:
            looking_up.set()
            assert known.wait(5)
        return opened(uri, subject)

    targets = LiveTargets([HERE], "Ada", slow)
    thread = threading.Thread(target=targets.add, args=(THERE,))
    thread.start()
    assert looking_up.wait(5)
    send(targets, 10)
    known.set()
    thread.join(5)
    send(targets)
    assert [sink.sent for sink in opened.sinks] == [11, 1]


def test_targets_changed_from_another_thread_lose_no_pose_of_those_that_stay():
    opened = Opened()
    targets = LiveTargets([HERE], "Ada", opened)
    done = threading.Event()

    def change():
        for _ in range(200):
            targets.add(THERE)
            targets.rename("Eve")
            targets.rename("Ada")
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    sent = 0
    while not done.is_set():
        send(targets)
        sent += 1
    thread.join(5)
    targets.add(HERE)
    send(targets)
    assert targets.sent >= sent
    open_now = [sink for sink in opened.sinks if not sink.closed]
    assert set(targets.parts) <= set(open_now)
    targets.close()
    assert all(sink.closed for sink in opened.sinks)
