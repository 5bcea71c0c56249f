"""A status in words."""

from __future__ import annotations

import pytest

from livelink_bridge.reporting.metrics import Delay, DelayParts, Device, Level, Losses, Status, Target, VoiceStatus
from livelink_bridge.reporting.status_text import Reports, gate_text, losses_text, parts_text, status_text
from livelink_bridge.testing.stand_ins import ManualClock


def test_the_status_names_rate_delay_level_and_losses() -> None:
    losses = Losses(dropped=1, held=2, overflows=3)
    said = status_text(
        Status(state="live", fps=59.98, delay=Delay(71.2, 74.9), level=Level(-23.4), losses=losses, sent=90)
    )
    assert (
        said
        == "live | 60.0 fps | delay 71 ms (p99 75, last minute) | level -23 dBFS | dropped 1, held 2, overflows 3 | "
        "90 sent"
    )


def test_before_the_first_pose_the_delay_is_not_known() -> None:
    assert "delay ?" in status_text(Status(state="live"))


def test_the_status_names_whatever_else_a_session_has() -> None:
    said = status_text(
        Status(
            state="live",
            level=Level(-23.4, -9.6, -8.2, clips=12, gain_db=3.25),
            gate=1.0,
            mood="happy:0.4",
            device=Device("Yeti", 48000, reopened=2),
            targets=(Target("livelink://a:1", 90, 0), Target("osc://b:2", 60, 30)),
            voice_out=VoiceStatus("Speakers", 0.34, -12.4),
        )
    )
    for part in (
        "level -23 dBFS, peak -8",
        "CLIPPED 12 samples",
        "gain +3.2 dB",
        "gate open",
        "mood happy:0.4",
        "input reopened 2 x",
        "voice +0.3 ms, -12 ppm",
        "osc://b:2: 30 not delivered",
    ):
        assert f" {part} " in f" {said} ".replace("|", " ")
    assert "livelink://a:1" not in said, "a target without errors is not worth the room"


def test_a_voice_that_is_not_heard_says_why() -> None:
    voice = VoiceStatus("Speakers", 0.0, 0.0, "sound output 'Speakers' cannot be opened: busy")
    assert "voice out: sound output 'Speakers' cannot be opened: busy" in status_text(
        Status(state="live", voice_out=voice)
    )


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (None, ""),
        (Delay(3.0, 4.0), ""),
        (Delay(71, 75, DelayParts(67.4, 1.6, 0, 0, 2.0)), "look-ahead 67, compute 2, pacing 2"),
        (
            Delay(71, 75, DelayParts(67.4, 1.6, 8.3, 40, 0.0), 12.0),
            "look-ahead 67, compute 2, resampling 8, added 40, pacing 0; device 12 before",
        ),
        (Delay(71, 75, None, 12.0), "device 12 before"),
    ],
)
def test_a_delay_is_told_by_the_parts_it_has(delay: Delay | None, expected: str) -> None:
    assert parts_text(delay) == expected


def test_no_loss_is_said_in_words() -> None:
    assert losses_text(Losses()) == "nothing lost"
    assert losses_text(Losses(gaps=1, bad_poses=2)) == "gaps 1, bad poses 2"


def test_a_gate_between_open_and_closed_says_how_far() -> None:
    assert [gate_text(gate) for gate in (0.0, 0.001, 0.4, 0.999, 1.0)] == [
        "gate closed",
        "gate closed",
        "gate 40 % open",
        "gate open",
        "gate open",
    ]


def test_each_subject_has_its_own_beat() -> None:
    clock = ManualClock()
    reports = Reports(clock, every_s=5.0)
    live, lost = Status(state="live"), Status(state="no sound arrives")
    assert reports.due("Ada", live) and reports.due("Bo", live)
    clock.advance(2.0)
    assert not reports.due("Ada", live)
    assert reports.due("Bo", lost), "a change is said at once"
    clock.advance(3.0)
    assert reports.due("Ada", live)
    assert not reports.due("Bo", lost), "the next line is due five seconds after the last one"
