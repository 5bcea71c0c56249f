import gc
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from weakref import ref

import numpy as np
import pytest
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from livelink_bridge.errors import UsageError
from livelink_bridge.sinks.livelink import Datagrams, LiveLinkSink, shared_datagrams
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.livelink import decode

DEVICE_ID = "00000000-0000-0000-0000-000000000001"


def closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_packet_carries_subject_id_and_time():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sink = LiveLinkSink(
            f"livelink://localhost:{receiver.getsockname()[1]}", subject="Jörg_テスト", device_id=DEVICE_ID
        )
        sink.send(np.zeros(61, np.float32), Stamp(216000, 0.5, Fraction(60)))
        packet = decode(receiver.recv(2000))
        sink.close()
    assert (packet.device_id, packet.subject) == (DEVICE_ID, "Jörg_テスト")
    assert (packet.frame, packet.subframe, packet.rate) == (216000, 0.5, Fraction(60))
    assert sink.closure == "metahuman"


def test_a_receiver_that_starts_late_gets_every_packet_from_then_on():
    port = closed_port()
    sink = LiveLinkSink(f"livelink://127.0.0.1:{port}", subject="Talker", device_id=DEVICE_ID)
    pose = np.zeros(61, np.float32)
    for frame in range(5):
        sink.send(pose, Stamp(frame, 0.0, Fraction(60)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", port))
        receiver.settimeout(5)
        for frame in range(5, 8):
            sink.send(pose, Stamp(frame, 0.0, Fraction(60)))
        assert [decode(receiver.recv(2000)).frame for _ in range(3)] == [5, 6, 7]
    sink.close()
    assert sink.sent == 8
    assert sink.errors <= 5


@pytest.mark.parametrize("subject", ["", "x" * 2000, "a\0b"])
def test_a_subject_that_unreal_would_not_take_is_a_usage_error(subject):
    with pytest.raises(UsageError, match="cannot be sent"):
        LiveLinkSink("livelink://127.0.0.1:11111", subject=subject, device_id=DEVICE_ID)


@contextmanager
def receivers(count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for sock in found:
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(5)
        yield found


def sink_to(
    receiver: socket.socket, options: str = "", *, subject: str = "Talker", device_id: str = DEVICE_ID
) -> LiveLinkSink:
    return LiveLinkSink(
        f"livelink://127.0.0.1:{receiver.getsockname()[1]}{options}", subject=subject, device_id=device_id
    )


def frames_at(receiver: socket.socket) -> list[int]:
    """The frame numbers of what has arrived until now."""
    receiver.settimeout(0.2)
    frames = []
    try:
        while True:
            frames.append(decode(receiver.recv(2000)).frame)
    except TimeoutError:
        return frames


def test_an_independent_receiver_reads_what_a_sink_sends():
    pose = np.linspace(0, 1, 61, dtype=np.float32)
    with receivers(1) as (receiver,):
        sink = sink_to(receiver)
        sink.send(pose, Stamp(216000, 0.5, Fraction(60)))
        found, theirs = PyLiveLinkFace.decode(receiver.recv(2000))
        sink.close()
    assert found
    assert [theirs.get_blendshape(shape) for shape in FaceBlendShape] == pose.tolist()
    assert (theirs.name, theirs._frames, theirs._sub_frame) == ("Talker", 216000, 0.5)


def test_several_subjects_reach_several_receivers_each_with_its_own_pose():
    people = {"Anna": "A", "Ben": "B", "Cleo": "C"}
    with receivers(4) as found:
        sinks = {
            name: [sink_to(receiver, subject=name, device_id=DEVICE_ID[:-1] + ending) for receiver in found]
            for name, ending in people.items()
        }
        for frame in range(5):
            for number, its in enumerate(sinks.values()):
                stamp, pose = Stamp(frame, 0.0, Fraction(60)), np.full(61, number / 4 + frame / 100, np.float32)
                for sink in its:
                    sink.send(pose, stamp)
        for receiver in found:
            packets = [decode(receiver.recv(2000)) for _ in range(15)]
            for number, name in enumerate(people):
                mine = [
                    (packet.frame, round(float(packet.values[0]), 3)) for packet in packets if packet.subject == name
                ]
                assert mine == [(frame, round(number / 4 + frame / 100, 3)) for frame in range(5)]
        for sink in (sink for its in sinks.values() for sink in its):
            assert (sink.sent, sink.delivery.sent, sink.delivery.refused, sink.delivery.lost) == (5, 5, 0, 0)
            sink.close()


def test_a_pose_is_encoded_once_for_all_receivers_of_its_subject():
    mine, yours = shared_datagrams(DEVICE_ID, "Talker"), shared_datagrams(DEVICE_ID, "Listener")
    assert mine is shared_datagrams(DEVICE_ID, "Talker")
    assert mine is not yours
    pose, stamp = np.zeros(61, np.float32), Stamp(7, 0.0, Fraction(60))
    assert mine.of(pose, stamp) is mine.of(pose.copy(), stamp)
    assert decode(yours.of(pose, stamp)).subject == "Listener"


def test_another_pose_or_another_stamp_is_encoded_anew():
    made = Datagrams(DEVICE_ID, "Talker")
    pose, stamp = np.zeros(61, np.float32), Stamp(7, 0.0, Fraction(60))
    made.of(pose, stamp)
    pose[17] = 0.5
    assert decode(made.of(pose, stamp)).values[17] == 0.5
    assert decode(made.of(pose, Stamp(8, 0.0, Fraction(60)))).frame == 8


def test_nothing_stays_of_a_subject_whose_sinks_are_gone():
    first = shared_datagrams(DEVICE_ID, "Passing")
    first.of(np.zeros(61, np.float32), Stamp(7, 0.0, Fraction(60)))
    gone = ref(first)
    del first
    gc.collect()
    assert gone() is None


def send_still(sink: LiveLinkSink, frames: range, pose: np.ndarray) -> None:
    for frame in frames:
        sink.send(pose, Stamp(frame, 0.0, Fraction(60)))


def test_a_face_at_rest_is_sent_at_the_keep_alive_rate_and_a_changed_one_at_once():
    rest, moved = np.zeros(61, np.float32), np.full(61, 0.25, np.float32)
    with receivers(1) as (receiver,):
        sink = sink_to(receiver, "?rate=10")
        send_still(sink, range(100, 121), rest)
        send_still(sink, range(121, 123), moved)
        sink.close()
        assert frames_at(receiver) == [100, 106, 112, 118, 121]
    assert (sink.sent, sink.spared, sink.errors) == (5, 18, 0)


def test_a_moving_face_is_sent_whole_whatever_the_keep_alive_rate():
    with receivers(1) as (receiver,):
        sink = sink_to(receiver, "?rate=1")
        for frame in range(20):
            sink.send(np.full(61, frame / 20, np.float32), Stamp(frame, 0.0, Fraction(60)))
        sink.close()
        assert frames_at(receiver) == list(range(20))


def test_without_a_keep_alive_rate_every_pose_is_sent():
    with receivers(1) as (receiver,):
        sink = sink_to(receiver)
        send_still(sink, range(12), np.zeros(61, np.float32))
        sink.close()
        assert frames_at(receiver) == list(range(12))


def test_frame_numbers_that_begin_again_do_not_silence_a_face_at_rest():
    with receivers(1) as (receiver,):
        sink = sink_to(receiver, "?rate=1")
        rest = np.zeros(61, np.float32)
        send_still(sink, range(1000, 1002), rest)
        send_still(sink, range(0, 2), rest)
        sink.close()
        assert frames_at(receiver) == [1000, 0]


@pytest.mark.parametrize("rate", ["0", "61", "often"])
def test_a_keep_alive_rate_out_of_range_is_a_usage_error(rate):
    with pytest.raises(UsageError, match="expected a number from 1 to 60 Hz"):
        LiveLinkSink(f"livelink://127.0.0.1:11111?rate={rate}", subject="Talker", device_id=DEVICE_ID)
