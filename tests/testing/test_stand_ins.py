import threading

import numpy as np
import pytest

from livelink_bridge.testing.stand_ins import ListSource, LoudnessModel, ManualClock
from speech_to_face.base import SpeechToFace


@pytest.fixture
def voice() -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(20001) * 0.1).astype(np.float32)


def test_the_loudness_model_is_a_speech_to_face_model():
    assert isinstance(LoudnessModel(), SpeechToFace)


@pytest.mark.parametrize("chunk", [1, 7, 160, 267, 4000, 30000])
def test_any_chunking_gives_the_frames_of_the_whole(voice, chunk):
    model = LoudnessModel()
    stream = model.stream()
    pieces = [stream.push(voice[i : i + chunk]) for i in range(0, len(voice), chunk)] + [stream.flush()]
    np.testing.assert_allclose(np.concatenate(pieces), model.animate(voice), atol=1e-7)
    assert len(model.animate(voice)) == 76


@pytest.mark.parametrize("frame", [0, 1, 2, 3, 10])
def test_a_frame_is_ready_with_the_last_sample_of_its_look_ahead(voice, frame):
    edge = (frame + 4) * 800 // 3
    stream = LoudnessModel().stream()
    assert len(stream.push(voice[: edge - 1])) == frame
    assert len(stream.push(voice[edge - 1 : edge])) == 1


def test_a_loud_voice_opens_the_jaw_and_silence_closes_it():
    sound = np.concatenate([np.zeros(8000), np.full(8000, 0.1), np.zeros(8000)]).astype(np.float32)
    jaw = LoudnessModel().animate(sound)[:, LoudnessModel.channels.index("jawOpen")]
    assert jaw[5] == jaw[-5] == 0
    assert jaw[45] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (266, 1), (267, 2), (16000, 60)])
def test_the_number_of_frames_covers_the_sound(samples, frames):
    assert LoudnessModel().animate(np.zeros(samples, np.float32)).shape == (frames, 32)


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(10.0, time_of_day_s=3600.0, overslept_s=iter([0.5]))
    assert clock.now() == 10.0
    assert clock.wait_until(11.0, threading.Event())
    assert clock.now() == 11.5
    assert clock.time_of_day() == 3601.5
    stopped = threading.Event()
    stopped.set()
    assert not clock.wait_until(12.0, stopped)
    assert clock.now() == 11.5


def test_a_list_source_counts_its_samples(voice):
    blocks = list(ListSource.of_samples(voice, 16000, 160).blocks())
    assert blocks[3].start == 480
    assert blocks[3].arrived_s == 640 / 16000
    assert sum(len(block.samples) for block in blocks) == len(voice)
