"""A 30 fps model at 60: its own frames stay, the others lie half-way between, live as in a recording."""

from __future__ import annotations

import numpy as np
import pytest

from speech_to_face.base import Coefficients, ModelError, Samples, SpeechToFace
from speech_to_face.streaming.to_60_fps import UpsampledModel, to_60_fps


class Counting:
    """Frame k is [k, -k], ready `wait` seconds of sound after time k / rate; silence follows the end."""

    name, device, sample_rate, channels = "counting", "cpu", 16_000, ("up", "down")

    def __init__(self, frame_rate: int = 30, wait: float = 0.1) -> None:
        self.frame_rate, self.lookahead_s = frame_rate, wait

    def stream(self) -> CountingStream:
        return CountingStream(self)

    def animate(self, samples: Samples) -> Coefficients:
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.flush()])


class CountingStream:
    def __init__(self, model: Counting) -> None:
        self._model = model
        self.reset()

    def reset(self) -> None:
        self._received = self._given = 0

    def push(self, samples: Samples) -> Coefficients:
        self._received += len(samples)
        return self._up_to(int((self._received / 16_000 - self._model.lookahead_s) * self._model.frame_rate + 1e-6) + 1)

    def flush(self) -> Coefficients:
        return self._up_to(-(-self._received * self._model.frame_rate // 16_000))

    def _up_to(self, end: int) -> Coefficients:
        first, self._given = self._given, max(self._given, end)
        frames = np.arange(first, self._given, dtype=np.float32)
        return np.stack([frames, -frames], axis=1)


def test_own_frames_stay_and_those_between_lie_half_way_and_the_last_is_held() -> None:
    face = to_60_fps(Counting()).animate(np.zeros(1600, np.float32))  # 3 frames of 30, 6 of 60
    assert face[:, 0].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]
    assert np.array_equal(face[:, 1], -face[:, 0])


@pytest.mark.parametrize("samples", [0, 1, 266, 267, 268, 533, 534, 535, 1601, 16_000])
def test_there_is_a_frame_for_every_sixtieth_of_a_second_begun(samples: int) -> None:
    assert len(to_60_fps(Counting()).animate(np.zeros(samples, np.float32))) == -(-samples * 60 // 16_000)


@pytest.mark.parametrize("rate", [15, 20, 30])
@pytest.mark.parametrize("chunk", [1, 100, 777, 5000])
def test_any_chunks_give_what_the_recording_gives(rate: int, chunk: int) -> None:
    model, sound = to_60_fps(Counting(rate)), np.zeros(5003, np.float32)
    stream = model.stream()
    found = [stream.push(sound[at : at + chunk]) for at in range(0, len(sound), chunk)]
    assert np.array_equal(np.concatenate([*found, stream.flush()]), model.animate(sound))


def test_every_frame_is_there_when_its_lookahead_has_been_heard() -> None:
    model = UpsampledModel(Counting())
    stream, given = model.stream(), 0
    assert model.lookahead_s == pytest.approx(0.1 + 1 / 60)
    for heard in range(80, 8001, 80):
        given += len(stream.push(np.zeros(80, np.float32)))
        due = int((heard / 16_000 - model.lookahead_s) * 60 - 1e-6) + 1 if heard / 16_000 > model.lookahead_s else 0
        assert given >= due


def test_a_reset_stream_is_a_new_one_and_a_second_flush_gives_nothing() -> None:
    stream = to_60_fps(Counting()).stream()
    first = [stream.push(np.zeros(3000, np.float32)), stream.flush()]
    assert len(stream.flush()) == 0
    stream.reset()
    again = [stream.push(np.zeros(3000, np.float32)), stream.flush()]
    assert [one.tolist() for one in again] == [one.tolist() for one in first]


def test_a_model_of_60_is_left_alone_and_one_of_25_is_refused() -> None:
    model: SpeechToFace = Counting(60)
    assert to_60_fps(model) is model
    with pytest.raises(ModelError, match="gives 25 frames a second, expected 60"):
        to_60_fps(Counting(25))
