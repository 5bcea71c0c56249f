from __future__ import annotations

import numpy as np
import pytest
import soundfile

from speech_to_face.audio_files import open_recording
from tests.speech_to_face.audio_files.conftest import RATE, read


@pytest.mark.parametrize(("gains", "kept"), [((1.0, -1.0), 0), ((0.7, -0.8), 1), ((-0.9, 0.9, 0.0), 0)])
def test_channels_of_opposite_polarity_are_the_louder_one(tmp_path, voice, gains, kept):
    soundfile.write(tmp_path / "a.wav", voice[:, None] * np.float32(gains), RATE, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[:, 0], voice * np.float32(gains[kept]))
    recording = open_recording(tmp_path / "a.wav")
    assert recording.channels == 1
    assert recording.warnings == [
        f"{tmp_path / 'a.wav'}: its channels cancel each other, having opposite polarity; channel {kept + 1}, the "
        "louder, is taken alone"
    ]


def stereo(voice: np.ndarray, kind: str) -> np.ndarray:
    rng = np.random.default_rng(9)
    right = {
        "the same twice": voice,
        "one side alone": 0 * voice,
        "nothing in common": (0.3 * rng.standard_normal(len(voice))).astype(np.float32),
        "a room's two microphones": np.roll(voice, 5) + (0.02 * rng.standard_normal(len(voice))).astype(np.float32),
        "a little of the other side turned round": -0.3 * voice,
    }[kind]
    return np.stack([voice, right], 1)


@pytest.mark.parametrize(
    "kind",
    [
        "the same twice",
        "one side alone",
        "nothing in common",
        "a room's two microphones",
        "a little of the other side turned round",
    ],
)
def test_other_stereo_is_left_as_it_is(tmp_path, voice, kind):
    soundfile.write(tmp_path / "a.wav", stereo(voice, kind), RATE, subtype="FLOAT")
    recording = open_recording(tmp_path / "a.wav")
    assert (recording.channels, recording.warnings) == (2, [])


def test_silence_before_the_voice_does_not_hide_it(tmp_path, voice):
    sound = np.concatenate([np.zeros(20 * RATE, np.float32), voice])
    soundfile.write(tmp_path / "a.wav", np.stack([sound, -sound], 1), RATE, subtype="FLOAT")
    assert open_recording(tmp_path / "a.wav").channel == 0


def test_silence_in_every_channel_cancels_nothing(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((RATE, 2)), RATE)
    assert open_recording(tmp_path / "a.wav").channels == 2
