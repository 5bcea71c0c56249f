"""Remote control of one performer."""

import logging
import threading

import numpy as np
import pytest

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.audio.mute import Mute
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import BridgeError
from livelink_bridge.remote_control.voice import Calibration, RemoteVoice
from livelink_bridge.testing.stand_ins import ManualClock

RATE = 16000


class Face:
    mood, resting = Mood(), False

    def __init__(self):
        self.calls = []

    def set_mood(self, mood):
        self.calls.append(mood)

    def hold_neutral(self, on):
        self.calls.append(on)


class Chain:
    def __init__(self):
        self.gains, self.used = [], []
        self.done = None

    def set_gain(self, gain_db):
        self.gains.append(gain_db)

    def set_thresholds(self, thresholds):
        self.used.append(thresholds)

    def measure(self, seconds, done):
        self.seconds, self.done = seconds, done


def noise(seconds, level):
    return np.random.default_rng(0).normal(0, level, round(seconds * RATE)).astype(np.float32)


def finished():
    for thread in threading.enumerate():
        if thread.name == "calibration":
            thread.join(5)


def test_a_calibration_measures_sets_the_gate_and_is_remembered(caplog):
    caplog.set_level(logging.INFO)
    chain, kept = Chain(), []
    voice = RemoteVoice(Face(), chain, "Desk mic", remember=lambda *row: kept.append(row))
    voice.calibrate()
    with pytest.raises(BridgeError, match="Desk mic is being calibrated already"):
        voice.calibrate()
    assert chain.seconds == 4.0
    chain.done(np.concatenate([noise(2, 0.001), noise(2, 0.1)]), RATE)
    finished()
    (thresholds,) = chain.used
    assert kept == [("Desk mic", thresholds)]
    assert -60 < thresholds.open_dbfs < -40
    assert "calibrated Desk mic: opens at" in caplog.text


def test_a_microphone_that_stopped_meanwhile_does_not_keep_another_calibration_from_being_asked_for():
    clock, chain = ManualClock(), Chain()
    voice = RemoteVoice(Face(), chain, "Desk mic", remember=lambda *_: None, clock=clock)
    voice.calibrate()
    late = chain.done
    clock.advance(5.0)
    with pytest.raises(BridgeError, match="is being calibrated already"):
        voice.calibrate()
    clock.advance(1.5)
    assert voice.calibration.failed
    voice.calibrate()
    late(np.concatenate([noise(2, 0.001), noise(2, 0.1)]), RATE)  # the answer to the first ends the second as little
    finished()
    with pytest.raises(BridgeError, match="is being calibrated already"):
        voice.calibrate()


def test_a_calibration_without_a_voice_is_a_line_and_another_may_follow(caplog):
    chain = Chain()
    voice = RemoteVoice(Face(), chain, "Desk mic", remember=lambda *_row: None)
    voice.calibrate()
    chain.done(noise(4, 0.001), RATE)
    finished()
    assert chain.used == []
    assert "expected at least 6 dB" in caplog.text and "the gate is unchanged" in caplog.text
    voice.calibrate()


def test_gain_goes_to_the_microphone_and_neutral_to_the_face():
    face, chain = Face(), Chain()
    voice = RemoteVoice(face, chain)
    voice.set_gain(-3.0)
    voice.hold_neutral(True)
    assert (chain.gains, face.calls) == ([-3.0], [True])


def test_mute_silences_the_sound_that_everything_behind_it_hears():
    mute, sound = Mute(), np.full((160, 2), 0.5, np.float32)
    voice = RemoteVoice(Face(), Chain(), mute=mute)
    blocks = mute.over(iter([AudioBlock(sound, RATE, 160 * number, 0.01 * number) for number in range(3)]))
    heard = [next(blocks)]
    voice.set_muted(True)
    heard.append(next(blocks))
    voice.set_muted(False)
    heard.append(next(blocks))
    assert [float(block.samples.max()) for block in heard] == [0.5, 0.0, 0.5]
    assert [block.start for block in heard] == [0, 160, 320] and heard[1].samples.shape == (160, 2)


def test_a_calibration_reports_its_phase_and_its_result():
    chain, clock = Chain(), ManualClock()
    voice = RemoteVoice(Face(), chain, "Desk mic", remember=lambda *_row: None, clock=clock)
    assert voice.calibration == Calibration()
    voice.calibrate()
    clock.advance(1.0)
    assert voice.calibration == Calibration("room", 0.25)
    clock.advance(2.0)
    assert voice.calibration == Calibration("voice", 0.75)
    chain.done(np.concatenate([noise(2, 0.001), noise(2, 0.1)]), RATE)
    finished()
    assert voice.calibration.listening_for is None and voice.calibration.result.startswith("the gate opens at -")


def test_a_voice_without_a_microphone_says_so():
    voice = RemoteVoice(Face())
    for ask in (voice.calibrate, lambda: voice.set_gain(1.0), lambda: voice.set_muted(True)):
        with pytest.raises(BridgeError, match="start with --mic"):
            ask()
