"""What the monitor makes of Live Link packets: rates, losses, and what a user should know."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from live_link import ID, face, posed, reasons

from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.monitor.subject_stats import RECENT_PACKETS
from livelink_bridge.monitor.subjects import MAX_SUBJECTS, ReceivedFrame


def told(datagrams: list[bytes], fps: float = 60.0) -> dict[str, Any]:
    """The summary after these datagrams, evenly spaced."""
    monitor = Monitor()
    for at, datagram in enumerate(datagrams):
        monitor.feed(datagram, 1000 + at / fps)
    summary = monitor.summary()
    json.dumps(summary, allow_nan=False)
    return summary


def test_nothing_heard_is_a_summary_too() -> None:
    empty = {"datagrams": 0, "shown": 0, "header_only": 0, "ignored": [], "warnings": [], "subjects": []}
    assert told([]) == empty


def test_a_clean_stream_has_a_rate_and_nothing_to_complain_of() -> None:
    summary = told([face(frame) for frame in range(216000, 216120)])
    assert (summary["datagrams"], summary["shown"], summary["ignored"], summary["warnings"]) == (120, 120, [], [])
    [subject] = summary["subjects"]
    assert (subject["subject"], subject["device_id"], subject["packets"], subject["rate"]) == (
        "Talker",
        ID + "1",
        120,
        "60/1",
    )
    assert (subject["fps"], subject["fps_recent"], subject["interval_mean_ms"]) == pytest.approx(
        (60, 60, 16.667), abs=0.01
    )
    assert (subject["interval_sd_ms"], subject["interval_p99_error_ms"]) == (0, 0)
    assert [subject[key] for key in ("lost", "backwards", "repeated", "restarts", "frame")] == [0, 0, 0, 0, 216119]


def test_one_packet_has_no_rate_yet() -> None:
    [subject] = told([face()])["subjects"]
    assert [subject[key] for key in ("fps", "fps_recent", "interval_sd_ms", "silent_s")] == [None] * 4


def test_jitter_is_measured_on_intervals() -> None:
    monitor = Monitor()
    arrival_s = 0.0
    for frame, interval_ms in enumerate([10, 30] * 99 + [20, 120]):
        arrival_s += interval_ms / 1000
        monitor.feed(face(frame), arrival_s)
    [subject] = monitor.summary()["subjects"]  # type: ignore[misc]
    intervals = np.array(([10, 30] * 99 + [20, 120])[1:])
    assert subject["interval_mean_ms"] == pytest.approx(intervals.mean(), abs=1e-3)
    assert subject["interval_sd_ms"] == pytest.approx(intervals.std(), abs=1e-3)
    assert subject["interval_p99_ms"] == 30, "one interval in 199 is beyond it"
    assert subject["interval_p99_error_ms"] == pytest.approx(intervals.mean() - 10, abs=1e-3)


def test_the_latest_values_are_shown_by_name() -> None:
    [subject] = told([posed(JawOpen=0.25), posed(JawOpen=0.75, HeadYaw=-0.5)])["subjects"]
    assert (subject["values"]["JawOpen"], subject["values"]["HeadYaw"], subject["values"]["MouthClose"]) == (
        0.75,
        -0.5,
        0.0,
    )


def test_silence_is_told_when_the_time_is() -> None:
    monitor = Monitor()
    monitor.feed(face(), 10.0)
    assert monitor.summary(now_s=12.5)["subjects"][0]["silent_s"] == 2.5  # type: ignore[index]


def test_packets_that_unreal_would_ignore_are_counted_by_reason() -> None:
    header_only = face(values=None)
    summary = told(
        [header_only, b"\x05" + face()[1:], b"\x05" + face()[1:], face()[:-4], b"hello", face() + bytes(2000), face()]
    )
    assert reasons(summary["ignored"]) == {"no-face": 1, "version": 2, "short-values": 1, "too-small": 1, "too-big": 1}
    assert (summary["datagrams"], summary["shown"], summary["header_only"]) == (7, 1, 1)
    assert [subject["packets"] for subject in summary["subjects"]] == [1]


def peer_at_30_fps() -> bytes:
    raw = bytearray(face())
    struct.pack_into(">ii", raw, len(raw) - 245 - 8, 30, 0)
    return bytes(raw)


WARNED: dict[str, tuple[Callable[[], bytes], str]] = {
    "id-length": (lambda: face(device_id="phone"), "5 bytes"),
    "no-name": (lambda: face(subject="None"), "not a valid name in Unreal"),
    "nul": (lambda: face(subject="Talk_r").replace(b"_", b"\0"), "NUL"),
    "not-utf8": (lambda: face().replace(b"Talker", b"T\xffker "), "not UTF-8"),
    "rate": (peer_at_30_fps, "zero or negative"),
    "time": (lambda: face().replace(struct.pack(">if", 0, 0.0), struct.pack(">if", -5, 0.0), 1), "frame -5"),
    "trailing-bytes": (lambda: face() + b"tail", "4 bytes after"),
    "not-finite": (lambda: posed(JawOpen=float("nan")), "JawOpen is not a finite"),
    "out-of-range": (lambda: posed(MouthClose=-0.25), "MouthClose is -0.25"),
    "angle": (lambda: posed(HeadYaw=15.0), "HeadYaw is 15"),
}


@pytest.mark.parametrize("reason", WARNED)
def test_packets_that_unreal_shows_but_a_user_should_know_of_are_warned_about(reason: str) -> None:
    make, text = WARNED[reason]
    summary = told([make()])
    assert (summary["shown"], summary["ignored"]) == (1, [])
    assert reasons(summary["warnings"]) == {reason: 1}
    assert text in summary["warnings"][0]["text"]


def test_infinity_in_a_shown_channel_still_makes_json() -> None:
    summary = told([posed(JawOpen=float("inf"))])
    assert summary["subjects"][0]["values"]["JawOpen"] is None
    assert reasons(summary["warnings"]) == {"not-finite": 1, "out-of-range": 1}


def test_two_names_under_one_id_delete_each_others_subject() -> None:
    summary = told([face(subject=name) for name in ("Ada", "Bob", "Ada", "Bob")])
    assert reasons(summary["warnings"]) == {"renamed": 1, "shared-id": 2}
    assert [subject["subject"] for subject in summary["subjects"]] == ["Ada", "Bob"]


def test_one_name_from_two_ids_moves_one_face_twice() -> None:
    summary = told([face(device_id=ID + "1"), face(device_id=ID + "2", subject="TALKER"), face(device_id=ID + "1")])
    assert reasons(summary["warnings"]) == {"shared-name": 1}
    assert told([face(device_id=ID + "1"), face(device_id=ID + "2")])["warnings"] == [], (
        "a sender that began anew with a new id"
    )


def test_two_characters_with_their_own_ids_and_names_are_fine() -> None:
    summary = told([face(device_id=ID + str(n), subject=f"Face{n}") for n in (1, 2, 1, 2)])
    assert summary["warnings"] == []
    assert [subject["packets"] for subject in summary["subjects"]] == [2, 2]


def test_memory_is_bounded_whatever_arrives() -> None:
    monitor = Monitor()
    for n in range(MAX_SUBJECTS + 10):
        monitor.feed(face(device_id=f"{n:036}", subject=f"Face{n}"), n / 60)
    for n in range(RECENT_PACKETS + 10):
        monitor.feed(face(n, device_id=f"{0:036}", subject="Face0"), 100 + n / 60)
    summary: Any = monitor.summary()
    assert len(summary["subjects"]) == MAX_SUBJECTS
    assert reasons(summary["warnings"])["too-many-subjects"] == 10
    first = next(iter(monitor.subjects))
    assert first.subject == "Face0" and first._intervals.count > RECENT_PACKETS == len(first._intervals._readings)


def test_a_subject_that_stopped_is_told_with_the_pose_it_is_held_in() -> None:
    monitor = Monitor()
    for n in range(3):
        monitor.feed(posed(JawOpen=0.4), 10 + n / 60)
    assert reasons(monitor.summary(now_s=10.3)["warnings"]) == {}  # type: ignore[arg-type]
    [stopped] = monitor.summary(now_s=12.5)["warnings"]  # type: ignore[misc]
    assert stopped["reason"] == "stopped" and "JawOpen at 0.40" in stopped["text"]
    monitor.feed(face(9), 13.0)
    [stopped] = monitor.summary(now_s=14.0)["warnings"]  # type: ignore[misc]
    assert "neutral" in stopped["text"]


def test_a_slow_sender_is_told_of_once_there_is_enough_to_judge() -> None:
    assert reasons(told([face(n) for n in range(60)], fps=3)["warnings"]) == {"slow": 1}
    assert told([face(n) for n in range(10)], fps=3)["warnings"] == []
    assert told([face(n) for n in range(60)], fps=30)["warnings"] == []


def test_three_packets_within_a_tick_are_a_burst_and_two_are_not() -> None:
    monitor = Monitor()
    for n, at_s in enumerate((0.0, 0.001, 0.0167, 0.0170, 0.0334, 0.0335, 0.0336)):
        monitor.feed(face(n), at_s)
    summary: Any = monitor.summary()
    assert reasons(summary["warnings"]) == {"bursts": 1}
    assert summary["subjects"][0]["bursts"] == 1


def test_two_programs_that_send_one_subject_are_told_apart_by_their_addresses() -> None:
    monitor = Monitor()
    for n, sender in enumerate(("10.0.0.1:5000", "10.0.0.2:6000", "10.0.0.1:5000", "10.0.0.2:6000")):
        monitor.feed(face(n), n / 60, sender)
    summary: Any = monitor.summary()
    assert reasons(summary["warnings"]) == {"two-senders": 2}
    assert "10.0.0.1:5000" in summary["warnings"][0]["text"] and "10.0.0.2:6000" in summary["warnings"][0]["text"]


def test_a_sender_that_was_started_again_is_no_second_one() -> None:
    monitor = Monitor()
    for n, sender in enumerate(("10.0.0.1:5000", "10.0.0.1:5000", "10.0.0.1:5001", "10.0.0.1:5001")):
        monitor.feed(face(n), n / 60, sender)
    assert monitor.summary()["warnings"] == []


def test_a_renamed_subject_is_told_with_the_name_to_choose_in_unreal() -> None:
    summary = told([face(subject="Ada"), face(1, subject="Bob"), face(2, subject="Bob")])
    assert reasons(summary["warnings"]) == {"renamed": 1}
    assert "'Bob'" in summary["warnings"][0]["remedy"]


def test_who_sent_what_unreal_ignores_is_told() -> None:
    monitor = Monitor()
    monitor.feed(b"hello", 0.0, "10.0.0.9:1234")
    summary: Any = monitor.summary()
    assert summary["ignored"][0]["sender"] == "10.0.0.9:1234"


def test_moving_channels_are_those_that_changed_lately() -> None:
    monitor = Monitor(channels=None)
    for n in range(120):
        monitor.feed(posed(JawOpen=n / 120, MouthPucker=0.5), n / 60)
    summary: Any = monitor.summary(2.0)
    assert set(summary["subjects"][0]["values"]) == {"JawOpen", "MouthPucker"}, "both came out of neutral"
    for n in range(300):
        monitor.feed(posed(JawOpen=n / 300, MouthPucker=0.5), 2 + n / 60)
    summary = monitor.summary(7.0)
    assert set(summary["subjects"][0]["values"]) == {"JawOpen"}


def test_every_pose_is_handed_on_with_its_time() -> None:
    poses: list[ReceivedFrame] = []
    monitor = Monitor(on_pose=poses.append)
    monitor.feed(face(216000 + 30, subframe=0.5), 5.0, "10.0.0.1:5000")
    monitor.feed(peer_at_30_fps(), 5.1)
    assert [(pose.subject, pose.at_s) for pose in poses] == [("Talker", 5.0), ("Talker", 5.1)]
    assert poses[0].timecode_s == pytest.approx(3600 + 30.5 / 60)
    assert poses[1].timecode_s is None, "30/0 is no rate"


def test_packets_that_pylivelinkface_makes_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from pylivelinkface import FaceBlendShape, PyLiveLinkFace

    sender = PyLiveLinkFace(name="Peer", uuid="00000000-0000-0000-0000-000000000009")
    monitor = Monitor()
    for n in range(8):  # it smooths over five packets
        sender.set_blendshape(FaceBlendShape.JawOpen, 0.75)
        monitor.feed(sender.encode(), n / 60)
    summary: Any = monitor.summary()
    assert (summary["shown"], summary["ignored"]) == (8, [])
    assert summary["subjects"][0]["subject"] == "Peer"
    assert summary["subjects"][0]["values"]["JawOpen"] == pytest.approx(0.75, abs=1e-5)
