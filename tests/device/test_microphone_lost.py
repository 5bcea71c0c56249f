"""Microphones that go away and come back, on a real sound system."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61

pytestmark = [pytest.mark.device, pytest.mark.timeout(120)]

JAW = CHANNELS_61.index("JawOpen")
LOSSES = 3
AWAY_S = 1.5
NEUTRAL_S, BACK_S = 0.3, 2.0
"""What is promised: how soon a face without sound is neutral, and how soon one whose microphone is back moves."""

LIVE = """
import sys, threading
from livelink_bridge.face.face import Face
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.modes.microphone import run_live
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.stand_ins import LoudnessModel

stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
run_live(Input(sys.argv[2] or None), LoudnessModel(), Face(), Outputs((sys.argv[1],), "Talker"), 
    clock=MonotonicClock(), stop=stop,
         on_status=lambda status: print(status.state, flush=True))
"""


@pytest.fixture
def live(pulse, receiver):
    """Starts `--mic DEVICE` with the stand-in model; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(wanted: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", LIVE, receiver.uri, wanted]
        started.append(subprocess.Popen(command, env=pulse, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert receiver.first.wait(20), "no packet came"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def moving(receiver, since_s: float, until_s: float) -> list[float]:
    """Arrivals with an open jaw."""
    return [at_s for at_s, packet in receiver.arrived if since_s <= at_s < until_s and packet.values[JAW] > 0.1]


def until_moving(receiver, since_s: float, at_most_s: float = 15.0) -> float:
    """Seconds after `since_s` at which the jaw first opened."""
    while not (found := moving(receiver, since_s, float("inf"))):
        assert time.perf_counter() < since_s + at_most_s, "the face never moved"
        wait(0.02)
    return found[0] - since_s


def test_a_microphone_removed_three_times_during_speech_comes_back_each_time(room, live, receiver, capsys):
    room.speak()
    process = live()
    until_moving(receiver, time.perf_counter())
    rested_s, back_s = [], []
    for _ in range(LOSSES):
        wait(1.0)
        gone_s = room.remove()
        wait(AWAY_S)
        rested_s.append(max(moving(receiver, gone_s, gone_s + AWAY_S), default=gone_s) - gone_s)
        assert not receiver.arrived[-1][1].values.any()
        back_s.append(until_moving(receiver, room.restore()))
    output, _ = process.communicate("", timeout=20)
    times_s = np.array([at_s for at_s, _ in receiver.arrived])
    frames = np.array([packet.frame for _, packet in receiver.arrived])
    with capsys.disabled():
        print(  # noqa: T201 - these are promised: to be seen in the log of every run
            f"\nmicrophone lost {LOSSES} times: neutral after {max(rested_s):.2f} s (bar {NEUTRAL_S}), moving again "
            "after "
            f"{', '.join(f'{one:.2f}' for one in back_s)} s (bar {BACK_S}); longest pause between packets "
            f"{np.diff(times_s).max():.3f} s"
        )
    assert max(rested_s) <= NEUTRAL_S
    assert max(back_s) <= BACK_S
    assert np.diff(times_s).max() < 0.25, "packets never stop"
    assert (np.diff(frames) >= 1).all()
    assert (frames[-1] - frames[0]) / (times_s[-1] - times_s[0]) == pytest.approx(60, abs=0.5)
    states = [
        line for before, line in zip(["", *output.splitlines()], output.splitlines(), strict=False) if line != before
    ]
    assert sum("stopped; was it unplugged?" in state for state in states) == LOSSES
    assert process.returncode == 0


def test_the_systems_default_input_is_followed_when_it_changes(room, live, receiver):
    room.restore("second")
    live()
    wait(1.5)
    assert not moving(receiver, 0, float("inf")), "nobody speaks into the first microphone"
    room.ask("set-default-source", "second.monitor")
    switched_s = time.perf_counter()
    assert until_moving(receiver, switched_s) < BACK_S


def test_a_microphone_of_the_sound_server_is_had_by_name_and_no_other_taken_for_it(room, live, receiver):
    room.restore("second")
    room.speak("voice")
    process = live("second.monitor")
    until_moving(receiver, time.perf_counter())
    gone_s = room.remove("second")
    wait(AWAY_S)
    assert not moving(receiver, gone_s + NEUTRAL_S + 0.2, gone_s + AWAY_S), (
        "the other microphone's voice moved the face"
    )
    back_s = room.restore("second")
    assert until_moving(receiver, back_s) < BACK_S + 1
    output, _ = process.communicate("", timeout=20)
    assert "no sound: microphone" in output
