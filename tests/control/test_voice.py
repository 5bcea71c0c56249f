"""A voice that is directed from elsewhere."""

import logging
import threading

import numpy as np
import pytest

from livelink_bridge.control.voice import DirectedVoice
from livelink_bridge.errors import BridgeError

RATE = 16000


class Face:
    def __init__(self):
        self.calls = []

    def feel(self, mood):
        self.calls.append(mood)

    def rest(self, on):
        self.calls.append(on)


class Front:
    def __init__(self):
        self.gains, self.used = [], []
        self.done = None

    def set_gain(self, gain_db):
        self.gains.append(gain_db)

    def use(self, thresholds):
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
    front, kept = Front(), []
    voice = DirectedVoice(Face(), front, "Desk mic", remember=lambda *row: kept.append(row))
    voice.calibrate()
    with pytest.raises(BridgeError, match="Desk mic is being calibrated already"):
        voice.calibrate()
    assert front.seconds == 4.0
    front.done(np.concatenate([noise(2, 0.001), noise(2, 0.1)]), RATE)
    finished()
    (thresholds,) = front.used
    assert kept == [("Desk mic", thresholds)]
    assert -60 < thresholds.open_dbfs < -40
    assert "calibrated Desk mic: opens at" in caplog.text


def test_a_calibration_without_a_voice_is_a_line_and_another_may_follow(caplog):
    front = Front()
    voice = DirectedVoice(Face(), front, "Desk mic", remember=lambda *_row: None)
    voice.calibrate()
    front.done(noise(4, 0.001), RATE)
    finished()
    assert front.used == []
    assert "expected at least 6 dB" in caplog.text and "the gate stays as it was" in caplog.text
    voice.calibrate()


def test_gain_goes_to_the_microphone_and_rest_to_the_face():
    face, front = Face(), Front()
    voice = DirectedVoice(face, front)
    voice.set_gain(-3.0)
    voice.neutral(True)
    assert (front.gains, face.calls) == ([-3.0], [True])


def test_a_voice_without_a_microphone_says_so():
    voice = DirectedVoice(Face())
    for ask in (voice.calibrate, lambda: voice.set_gain(1.0)):
        with pytest.raises(BridgeError, match="start with --mic"):
            ask()
