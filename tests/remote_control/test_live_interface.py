"""Remote control of a live session: actions reach the right parts, missing parts are reported."""

import logging
from pathlib import Path

import pytest
from fake_interface import FakeTake

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.peers import Endpoint, Peers
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.protocol import RemoteProtocol
from livelink_bridge.sinks.live_targets import LiveTargets
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.testing.stand_ins import CollectSink, ManualClock


class Voice:
    def __init__(self):
        self.calls = []

    def set_mood(self, mood):
        self.calls.append(str(mood))

    def set_gain(self, gain_db):
        self.calls.append(gain_db)

    def calibrate(self):
        self.calls.append("calibrate")

    def set_muted(self, on):
        self.calls.append(("mute", on))

    def hold_neutral(self, on):
        self.calls.append(on)


class Tape:
    """A recorder of nothing."""

    running = None

    def __init__(self):
        self.slate, self.take, self.recording, self.subject = "MySlate", 1, False, "Ada"

    def start(self, slate, take):
        self.slate, self.take, self.recording = slate, take, True
        return "10:00:00:00"

    def stop(self):
        self.recording = False
        self.take += 1
        return FakeTake("10:00:05:00", Path("a.csv"), None)

    def cancel(self):
        self.recording = False


def opened(uri, subject):
    sink = CollectSink()
    sink.name = f"{subject} to {uri}"
    return sink


def live_interface(*subjects, recorder=None):
    voices = {subject: Voice() for subject in subjects}
    targets = {subject: LiveTargets(["livelink://127.0.0.1:11111"], subject, opened) for subject in subjects}
    return LiveInterface(voices, targets, recorder, timecode=lambda: "10:00:03:00"), voices, targets


def test_moods_gain_calibration_and_neutral_go_to_every_performer_or_to_the_one_they_are_meant_for():
    remote, voices, _ = live_interface("Ada", "Eve")
    remote.set_mood(Mood.parse("happy:0.4"), None)
    remote.set_gain(3.0, "ADA")
    remote.calibrate("eve")
    remote.hold_neutral(True, None)
    remote.set_muted(True, "Eve")
    assert voices["Ada"].calls == ["happy:0.4", 3.0, True]
    assert voices["Eve"].calls == ["happy:0.4", "calibrate", True, ("mute", True)]
    with pytest.raises(BridgeError, match="got subject 'Bob', expected one of Ada, Eve"):
        remote.set_mood(Mood(), "Bob")


def test_a_single_subject_is_renamed_and_heeds_its_new_name():
    tape = Tape()
    remote, voices, targets = live_interface("Ada", recorder=tape)
    remote.rename("Eve")
    remote.rename("Eve")
    assert [part.name for part in targets["Ada"].parts] == ["Eve to livelink://127.0.0.1:11111"]
    remote.set_gain(1.0, "eve")
    assert voices["Ada"].calls == [1.0]
    assert tape.subject == "Eve"


def test_of_several_subjects_none_is_renamed():
    remote, _, _ = live_interface("Ada", "Eve")
    with pytest.raises(BridgeError, match="2 subjects are sent from here, expected one to rename"):
        remote.rename("Bob")


def test_addresses_and_the_stream_are_those_of_all_performers():
    remote, _, targets = live_interface("Ada", "Eve")
    remote.clear_targets()
    remote.add_target("livelink://10.0.0.1:11111")
    assert [[part.name for part in one.parts] for one in targets.values()] == [
        ["Ada to livelink://10.0.0.1:11111"],
        ["Eve to livelink://10.0.0.1:11111"],
    ]


def test_a_mark_is_logged_with_the_take_that_runs(tmp_path, caplog):
    recorder = Recorder(tmp_path, subject="Ada")
    remote, _, _ = live_interface("Ada", recorder=recorder)
    caplog.set_level(logging.INFO)
    remote.mark("too early")
    recorder.arm("Act 2", 3)
    remote.mark("good")
    recorder.cancel()
    remote.mark("too late")
    assert [record.message.partition("mark ")[2] for record in caplog.records if "mark" in record.message] == [
        "'too early' at 10:00:03:00 while no take is recorded",
        "'good' at 10:00:03:00 in take 3 of Act-2",
        "'too late' at 10:00:03:00 while no take is recorded",
    ]


def test_takes_are_the_recorders_and_the_next_number_is_its_own():
    remote, _, _ = live_interface("Ada", recorder=Tape())
    session = RemoteProtocol(remote, Peers(), clock=ManualClock())
    peer = Endpoint("127.0.0.1", 6000)
    for address, arguments, answer in (
        ("/Slate", ("Act2",), ("Act2",)),
        ("/RecordStart", (), ("10:00:00:00",)),
        ("/RecordAddMark", ("x",), ("10:00:03:00",)),
        ("/RecordStop", (1,), ("10:00:05:00", "a.csv", "")),
        ("/TakeQuery", (1,), (2,)),
        ("/RecordStart", ("Act2", 7), ("10:00:00:00",)),
        ("/RecordCancel", (1,), ("10:00:03:00",)),
    ):
        (reply,) = session.handle(peer, address, arguments)
        assert reply.arguments == answer


def test_a_take_of_one_subject_starts_and_ends_on_this_machine_and_every_peer_is_notified():
    tape, told = Tape(), []
    remote = LiveInterface({"Ada": Voice(), "Eve": Voice()}, {}, None, timecode=str, recorders={"Ada": tape})
    remote.on_local_takes(lambda slate, take: told.append((slate, take)), lambda: told.append("ended"))
    assert remote.begin_take("Ada") == "10:00:00:00" and tape.recording
    assert remote.end_take("Ada").csv == Path("a.csv") and not tape.recording
    assert told == [("MySlate", 1), "ended"]
    with pytest.raises(BridgeError, match="takes of Eve are not recorded here"):
        remote.begin_take("Eve")


def test_takes_of_several_performers_are_refused_with_the_reason_not_as_if_none_were_recorded():
    remote = LiveInterface(
        {"Ada": Voice(), "Eve": Voice()}, {}, None, timecode=str, recorders={"Ada": Tape(), "Eve": Tape()}
    )
    with pytest.raises(BridgeError, match="^takes of several performers run for the whole session"):
        remote.record_start("Act1", 1)


def test_without_a_recorder_slate_and_take_are_kept_and_recording_is_refused(caplog):
    remote, _, _ = live_interface("Ada")
    session = RemoteProtocol(remote, Peers(), clock=ManualClock())
    peer = Endpoint("127.0.0.1", 6000)
    session.handle(peer, "/Slate", ("Act2",))
    assert session.handle(peer, "/SlateQuery", ())[0].arguments == ("Act2",)
    assert session.handle(peer, "/RecordStart", ("Act2", 1)) == []
    assert "start with --record DIR" in caplog.text
