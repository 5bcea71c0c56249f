"""What the live page shows of a running session, and that its buttons do what remote control does."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from playing import PlayingSession

from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.preview.editor.live_controls import LiveControls
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.voice import RemoteVoice
from livelink_bridge.reporting.metrics import Status, Target
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp

UNREAL = "livelink://127.0.0.1:11111"


@pytest.fixture
def clock():
    return ManualClock(10.0)


@pytest.fixture
def played(tmp_path, clock):
    """A show of two performers."""
    everybody = [PlayingSession(subject, tmp_path, clock) for subject in ("Ada", "Eve")]
    show = LiveControls({one.subject: one.recorder for one in everybody}, clock=clock)
    remote = LiveInterface(
        {one.subject: one.voice for one in everybody},
        {},
        None,
        timecode=lambda: "10:00:00:00",
        recorders={one.subject: one.recorder for one in everybody},
    )
    show.follow(remote, {one.subject: one for one in everybody})
    yield SimpleNamespace(show=show, remote=remote, ada=everybody[0], eve=everybody[1])
    for one in everybody:
        one.sink.close()
        one.recorder.close()


def test_each_performer_has_a_state_that_a_browser_can_be_told(played):
    state = played.show.state(1)
    json.dumps(state)
    assert state["subjects"] == ["Ada", "Eve"] and state["device"] == "Eve's mic"
    assert (state["gate"], state["muted"], state["neutral"], state["mood"]) == (0.4, False, False, "")
    assert state["figures"][0] == ["sent", "59.9 of 60 fps"]
    assert played.show.sink(1) is played.eve.sink
    assert played.show.state(2)["subjects"] == [] and played.show.sink(2) is None and played.show.meter(7) == []


def test_mute_neutral_and_mood_act_on_the_performer_that_is_chosen(played):
    show, ada, eve = played.show, played.ada, played.eve
    assert [show.act(1, *asked) for asked in (("mute", True), ("neutral", True), ("mood", "happy:0.3"))] == ["", "", ""]
    assert (eve.mute.on, eve.face.held_neutral, str(eve.face.mood)) == (True, True, "happy:0.3")
    assert (ada.mute.on, ada.face.held_neutral, str(ada.face.mood)) == (False, False, "neutral")
    state = show.state(1)
    assert (state["muted"], state["neutral"], state["mood"], state["strength"]) == (True, True, "happy", 0.3)
    for asked in (("mute", False), ("neutral", False), ("mood", "neutral")):
        show.act(1, *asked)
    state = show.state(1)
    assert (state["muted"], state["neutral"], state["mood"]) == (False, False, "")


def test_remote_control_and_the_page_turn_the_same_knobs(played):
    played.remote.set_muted(True, "ada")
    played.remote.hold_neutral(True, None)
    assert played.show.state(0)["muted"] and played.show.state(1)["neutral"]
    assert not played.show.state(1)["muted"]


def test_a_take_is_recorded_timed_and_named(played, clock):
    show, ada = played.show, played.ada
    assert show.state(0)["recording"] == {"on": False, "seconds": 0.0, "last": ""}
    with pytest.raises(BridgeError, match="no frame within"):
        show.act(0, "record", None)
    ada.recorder._first_pose_s = 5.0
    begun: list[tuple[object, ...]] = []
    played.remote.on_local_takes(lambda *take: begun.append(take), lambda: begun.append(()))
    ada.recorder.arm()
    ada.recorder.send(np.zeros(61, np.float32), Stamp(0, 0.0, Fraction(60), 36000.0))
    assert show.state(0)["recording"]["on"]
    clock.advance(12.3)
    assert show.state(0)["recording"]["seconds"] == 12.3
    said = show.act(0, "record", None)
    (take,) = ada.recorder.takes
    assert said == f"Recorded {take}." and begun == [()]
    assert show.state(0)["recording"] == {"on": False, "seconds": 0.0, "last": f"{take.parent.name}/{take.name}"}


def test_a_calibration_shows_what_it_hears_how_far_it_is_and_what_came_of_it(played, clock):
    show, chain = played.show, played.ada.chain
    show.act(0, "calibrate", None)
    clock.advance(1.0)
    assert show.state(0)["calibration"] == {"hears": "room", "done": 0.25, "result": "", "failed": False}
    with pytest.raises(BridgeError, match="being calibrated already"):
        show.act(0, "calibrate", None)
    clock.advance(2.0)
    assert show.state(0)["calibration"]["hears"] == "voice"
    noise = np.random.default_rng(0).normal(0, 0.001, 64000).astype(np.float32)
    chain.push(noise, 16000)
    for thread in [thread for thread in threading.enumerate() if thread.name == "calibration"]:
        thread.join(5)
    calibration = show.state(0)["calibration"]
    assert calibration["hears"] is None and calibration["failed"]
    assert calibration["result"].startswith("The voice (") and calibration["result"].endswith("the gate is unchanged")


def test_a_target_tells_what_was_sent_what_was_not_delivered_and_why(played, clock):
    show, ada = played.show, played.ada
    told = Target(UNREAL, 130, 30, "nothing listens on port 11111 yet")
    for target, trouble in ((told, told.trouble), (replace(told, trouble=None), "")):
        ada.told = Status(state="live", targets=(Target("preview:", 9, 0), target))
        clock.advance(0.5)
        assert show.state(0)["targets"] == [{"name": UNREAL, "sent": 130, "undelivered": 30, "trouble": trouble}]


def test_the_level_is_the_microphones(played):
    played.ada.chain.push((0.5 * np.ones(1600)).astype(np.float32), 16000)
    level, peak, clips = played.show.meter(0)
    assert (round(level), round(peak), clips) == (-6, -6, 0)


def test_a_subject_that_is_renamed_keeps_its_place(tmp_path, clock):
    from livelink_bridge.sinks.live_targets import LiveTargets

    ada = PlayingSession("Ada", tmp_path, clock)
    targets = {"Ada": LiveTargets([], "Ada", lambda uri, subject: ada.sink)}
    show = LiveControls({"Ada": ada.recorder}, clock=clock)
    remote = LiveInterface({"Ada": ada.voice}, targets, ada.recorder, timecode=str, recorders={"Ada": ada.recorder})
    show.follow(remote, {"Ada": ada})
    remote.rename("Bob")
    assert show.state(0)["subjects"] == ["Bob"] and show.act(0, "mute", True) == "" and ada.mute.on
    assert ada.recorder.subject == "Bob" and show.state(0)["recording"] is not None
    ada.sink.close()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("fly", None), "expected one of mute, neutral"),
        (("mood", "hapy"), "mood: got 'hapy', expected neutral"),
        (("mood", {}), "mood: got '{}', expected neutral"),
    ],
)
def test_what_no_button_asks_is_refused_in_a_line(played, asked, words):
    with pytest.raises(UsageError, match=words):
        played.show.act(0, *asked)


def test_before_a_session_begins_nothing_can_be_asked_and_a_new_one_takes_its_place(played, clock):
    show = LiveControls({}, clock=clock)
    assert show.number == 0 and show.state(0)["subjects"] == [] and show.sink(0) is None
    with pytest.raises(UsageError, match="has not begun yet"):
        show.act(0, "mute", True)
    played.show.follow(played.remote, {"Eve": played.eve})
    assert played.show.number == 2 and played.show.sink(0) is played.eve.sink


def test_a_recording_that_is_played_has_no_microphone_to_mute(tmp_path, clock):
    ada = PlayingSession("Ada", tmp_path, clock)
    show = LiveControls({}, clock=clock)
    show.follow(LiveInterface({"Ada": RemoteVoice(ada.face)}, {}, None, timecode=str), {"Ada": ada})
    state = show.state(0)
    assert not state["microphone"] and state["recording"] is None
    for what in ("mute", "calibrate"):
        with pytest.raises(BridgeError, match="start with --mic"):
            show.act(0, what, True)
    with pytest.raises(BridgeError, match="start with --record"):
        show.act(0, "record", None)
    ada.sink.close()
