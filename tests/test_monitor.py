"""What the monitor makes of datagrams, and that it hears a port."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message_builder import OscMessageBuilder

from arkit_mapping import CHANNELS_61
from livelink_bridge.arrivals import Arrivals
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.monitor import Monitor, listen, watch, wire_for
from livelink_bridge.sinks.base import Stamp
from livelink_bridge.sinks.osc import OscSink
from livelink_bridge.sinks.vmc import VmcSink
from livelink_bridge.subject_stats import RECENT_PACKETS
from livelink_bridge.subjects import MAX_SUBJECTS, HeardPose
from livelink_bridge.wire.livelink import Packet, encode

ID = "00000000-0000-0000-0000-00000000000"
FACE = Packet(ID + "1", "Talker", 0, 0.0, Fraction(60), np.zeros(61, np.float32))


def face(frame: int = 0, **changed: Any) -> bytes:
    return encode(replace(FACE, frame=frame, **changed))


def posed(**named: float) -> bytes:
    """A packet with these values, even those that our encoder refuses to send."""
    raw = bytearray(face())
    for name, value in named.items():
        struct.pack_into(">f", raw, len(raw) - 244 + 4 * CHANNELS_61.index(name), value)
    return bytes(raw)


def told(datagrams: list[bytes], fps: float = 60.0) -> dict[str, Any]:
    """The summary after these datagrams, evenly spaced."""
    monitor = Monitor()
    for at, datagram in enumerate(datagrams):
        monitor.feed(datagram, 1000 + at / fps)
    summary = monitor.summary()
    json.dumps(summary, allow_nan=False)
    return summary


def reasons(listed: list[dict[str, Any]]) -> dict[str, int]:
    assert all("\n" not in entry["text"] and entry["remedy"] for entry in listed)
    return {entry["reason"]: entry["count"] for entry in listed}


def test_nothing_heard_is_a_summary_too() -> None:
    empty = {"datagrams": 0, "shown": 0, "header_only": 0, "ignored": [], "warnings": [], "subjects": []}
    assert told([]) == empty


def test_a_clean_stream_has_a_rate_and_nothing_to_complain_of() -> None:
    summary = told([face(frame) for frame in range(216000, 216120)])
    assert (summary["datagrams"], summary["shown"], summary["ignored"], summary["warnings"]) == (120, 120, [], [])
    [subject] = summary["subjects"]
    assert (subject["subject"], subject["device_id"], subject["packets"], subject["rate"]) == ("Talker", ID + "1", 120, "60/1")
    assert (subject["fps"], subject["fps_recent"], subject["interval_mean_ms"]) == pytest.approx((60, 60, 16.667), abs=0.01)
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
    assert (subject["values"]["JawOpen"], subject["values"]["HeadYaw"], subject["values"]["MouthClose"]) == (0.75, -0.5, 0.0)


def test_silence_is_told_when_the_time_is() -> None:
    monitor = Monitor()
    monitor.feed(face(), 10.0)
    assert monitor.summary(now_s=12.5)["subjects"][0]["silent_s"] == 2.5  # type: ignore[index]


def test_packets_that_unreal_would_ignore_are_counted_by_reason() -> None:
    header_only = face(values=None)
    summary = told([header_only, b"\x05" + face()[1:], b"\x05" + face()[1:], face()[:-4], b"hello", face() + bytes(2000), face()])
    assert reasons(summary["ignored"]) == {"no-face": 1, "version": 2, "short-values": 1, "too-small": 1, "too-big": 1}
    assert (summary["datagrams"], summary["shown"], summary["header_only"]) == (7, 1, 1)
    assert [subject["packets"] for subject in summary["subjects"]] == [1]


def peer_at_30_fps() -> bytes:
    raw = bytearray(face())
    struct.pack_into(">ii", raw, len(raw) - 245 - 8, 30, 0)
    return bytes(raw)


WARNED: dict[str, tuple[Callable[[], bytes], str]] = {
    "id-length": (lambda: face(device_id="phone"), "5 bytes"),
    "no-name": (lambda: face(subject="None"), "no name to Unreal"),
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
    assert told([face(device_id=ID + "1"), face(device_id=ID + "2")])["warnings"] == [], "a sender that began anew with a new id"


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
    assert first.subject == "Face0" and len(first._intervals) == RECENT_PACKETS


def ticking(step_s: float) -> Callable[[], float]:
    """A clock that goes on by a step each time it is read."""
    return (step_s * tick for tick in count()).__next__


def test_a_port_is_heard_and_summed_up_each_second() -> None:
    each_second: list[Any] = []
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        before_s = arrivals.now()
        for frame in range(30):
            sender.sendto(face(frame), ("127.0.0.1", arrivals.port))
        final: Any = watch(arrivals, 3.0, each_second.append, stop=threading.Event(), now=ticking(0.1))
        assert final["port"] == arrivals.port
        assert before_s - 1 < arrivals.now() - final["subjects"][0]["silent_s"] < arrivals.now() + 1
    assert [summary["datagrams"] for summary in each_second] == [10, 20, 30]
    assert (final["datagrams"], final["shown"], final["subjects"][0]["lost"]) == (30, 30, 0)
    assert final["subjects"][0]["sender"].startswith("127.0.0.1:")
    assert "bursts" in reasons(final["warnings"]), "thirty at once"


def test_after_a_stall_there_is_one_late_summary_and_then_the_usual_ones() -> None:
    each_second: list[Any] = []
    clock = iter([0.0, 0.9, 5.5, 5.6, 5.7, 6.1, 6.5, 7.2])
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for frame in range(7):
            sender.sendto(face(frame), ("127.0.0.1", arrivals.port))
        watch(arrivals, 7.0, each_second.append, stop=threading.Event(), now=clock.__next__)
    assert [summary["listened_s"] for summary in each_second] == [5.5, 6.1, 7.2]


def test_a_long_datagram_is_reported_with_its_true_length() -> None:
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(face() + bytes(9000), ("127.0.0.1", arrivals.port))
        summary: Any = watch(arrivals, 0.1, None, stop=threading.Event(), now=ticking(0.1))
    assert "9312 bytes" in summary["ignored"][0]["text"]


def test_a_stop_request_ends_listening() -> None:
    stop = threading.Event()
    with Arrivals(0, "127.0.0.1") as arrivals:
        port = arrivals.port
    summary = listen(port, 10, lambda _: stop.set(), host="127.0.0.1", stop=stop)
    assert 0.9 < float(summary["listened_s"]) < 5  # type: ignore[arg-type]


def test_a_port_that_another_program_shares_is_warned_about() -> None:
    with Arrivals(0, "127.0.0.1") as unreal:
        summary: Any = listen(unreal.port, 0.01, host="127.0.0.1")
    assert reasons(summary["warnings"]) == {"port-shared": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows shares a port with whoever asks")
def test_a_port_that_cannot_be_opened_is_one_line_and_leaves_nothing_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        with pytest.raises(BridgeError, match="cannot be opened") as caught:
            listen(holder.getsockname()[1], 0.01, host="127.0.0.1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", [0, -1, 65536, 70000])
def test_a_port_that_does_not_exist_is_wrong_on_sight(port: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 65535"):
        listen(port, 0.01)


def test_the_monitor_starts_quickly_and_without_the_network_libraries() -> None:
    code = "import sys, livelink_bridge.monitor; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    root = Path(__file__).parents[1]
    began_s = time.monotonic()
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20, cwd=root).stdout.split()
    assert not {"torch", "transformers", "onnxruntime", "scipy", "sounddevice", "soundfile", "yaml"} & set(loaded)
    assert time.monotonic() - began_s < 5, "half a second on an idle machine"


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


def osc(address: str, *arguments: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return bytes(builder.build().dgram)


def bundle(*messages: bytes) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(message)) + message for message in messages)


IFACIALMOCAP = b"jawOpen-50|mouthSmile_L-25|=head#0,0,0,0,0,0|rightEye#0,0,0|leftEye#0,0,0|"
OTHER_WIRES: dict[str, tuple[str, list[bytes]]] = {
    "osc": ("osc", [osc("/arkit/JawOpen", 0.5), osc("/arkit/JawOpen", 0.5)]),
    "vmc": ("vmc", [bundle(osc("/VMC/Ext/Blend/Val", "JawOpen", 0.5), osc("/VMC/Ext/Blend/Apply"))]),
    "ifacialmocap": ("ifacialmocap", [IFACIALMOCAP]),
}


@pytest.mark.parametrize(("wire", "datagrams"), OTHER_WIRES.values(), ids=OTHER_WIRES)
@pytest.mark.parametrize("told_which", [True, False])
def test_other_wires_are_heard_whether_named_or_told_by_their_bytes(wire: Any, datagrams: list[bytes], told_which: bool) -> None:
    monitor = Monitor(wire=wire if told_which else None)
    for n, datagram in enumerate(datagrams):
        monitor.feed(datagram, n / 60, "10.0.0.1:5000")
    summary: Any = monitor.summary()
    json.dumps(summary, allow_nan=False)
    [subject] = summary["subjects"]
    assert (subject["wire"], subject["subject"], subject["packets"]) == (wire, "10.0.0.1:5000", 1)
    assert subject["values"]["JawOpen"] == 0.5 and subject["lost"] is None
    assert (summary["ignored"], summary["warnings"]) == ([], [])


@pytest.mark.parametrize(("wire", "datagrams"), OTHER_WIRES.values(), ids=OTHER_WIRES)
def test_what_comes_to_unreals_port_on_another_wire_is_named(wire: str, datagrams: list[bytes]) -> None:
    monitor = Monitor()
    monitor.feed(datagrams[0], 0.0)
    [warning] = monitor.summary()["warnings"]  # type: ignore[misc]
    assert warning["reason"] == "other-wire" and f"--wire {wire}" in warning["remedy"]


def test_a_port_of_another_wire_names_live_link_packets_and_noise() -> None:
    monitor = Monitor(wire="vmc")
    for datagram in (face(), b"noise", osc("/VMC/Ext/OK", 1)):
        monitor.feed(datagram, 0.0, "10.0.0.1:5000")
    summary: Any = monitor.summary()
    assert reasons(summary["ignored"]) == {"other-wire": 1, "not-understood": 1}
    assert reasons(summary["warnings"]) == {"no-pose": 1}
    assert summary["subjects"] == []


def test_a_bundle_that_travels_in_fragments_is_told_of() -> None:
    monitor = Monitor(wire="vmc")
    values = [osc("/VMC/Ext/Blend/Val", name, 0.5) for name in CHANNELS_61[:52]]
    monitor.feed(bundle(*values, osc("/VMC/Ext/Blend/Apply")), 0.0, "10.0.0.1:5000")
    assert reasons(monitor.summary()["warnings"]) == {"fragments": 1}  # type: ignore[arg-type]


def test_the_wire_is_the_ports_own_unless_it_is_named() -> None:
    assert [wire_for(None, port) for port in (11111, 39539, 39540, 49983, 9000)] == ["livelink", "vmc", "vmc", "ifacialmocap", None]
    assert wire_for("osc", 11111) == "osc"
    with pytest.raises(UsageError, match="got wire 'artnet', expected one of livelink, osc, vmc, ifacialmocap"):
        wire_for("artnet", 9000)


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
    poses: list[HeardPose] = []
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


@given(st.lists(st.binary(max_size=400) | st.sampled_from([face()[:70], osc("/VMC/Ext/Blend/Val", "A", 1.0), IFACIALMOCAP]), max_size=8))
@settings(deadline=None, max_examples=60)
@pytest.mark.parametrize("wire", [None, "livelink", "osc", "vmc", "ifacialmocap"])
def test_whatever_arrives_there_is_a_summary(wire: Any, datagrams: list[bytes]) -> None:
    monitor = Monitor(wire=wire)
    for n, datagram in enumerate(datagrams):
        monitor.feed(datagram, n / 60, "10.0.0.1:5000")
    summary = monitor.summary(100.0)
    json.dumps(summary, allow_nan=False)
    assert summary["datagrams"] == len(datagrams)


SENT = [("osc", "", OscSink), ("osc", "?preset=facecap", OscSink), ("vmc", "?head=on", VmcSink)]


@pytest.mark.parametrize(("wire", "options", "make"), SENT)
def test_what_this_program_sends_on_other_wires_is_understood(wire: Any, options: str, make: Callable[[str], Any]) -> None:
    values = np.zeros(61, np.float32)
    values[17], values[52], values[53] = 0.5, 0.25, -0.125
    monitor = Monitor(("JawOpen", "HeadYaw", "HeadPitch"), wire=wire)
    with Arrivals(0, "127.0.0.1") as arrivals, closing(make(f"{wire}://127.0.0.1:{arrivals.port}{options}")) as sink:
        for n in range(2):
            sink.send(values, Stamp(n, 0.0, Fraction(60)))
        received = arrivals.receive_from(5)
        while received is not None:
            monitor.feed(*received)
            received = arrivals.receive_from(0.02)
    summary: Any = monitor.summary()
    [subject] = summary["subjects"]
    assert subject["values"] == pytest.approx({"JawOpen": 0.5, "HeadYaw": 0.25, "HeadPitch": -0.125}, abs=1e-5)
    assert subject["packets"] == (1 if wire == "osc" else 2), "an OSC pose is whole when the next begins"
    assert summary["ignored"] == [] and "no-apply" not in reasons(summary["warnings"])
