"""Captured faces made fit to learn from."""

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face.streaming.features import frame_count
from speech_to_face_lab.corpus.captures import Capture
from speech_to_face_lab.corpus.captures.faces import TRUSTED, Faces, followed

JAW, FUNNEL, SMILE, PUFF = (MOUTH_32.index(name) for name in ("jawOpen", "mouthFunnel", "mouthSmileLeft", "cheekPuff"))


def capture(curves: np.ndarray | None, rig: str = "mediapipe", dead: tuple[int, ...] = (PUFF,)) -> Capture:
    frames = 60 if curves is None else len(curves)
    samples = np.zeros(frames * 16_000 // 60, np.int16)
    assert frame_count(len(samples)) == frames
    live = None if curves is None else ~np.isin(np.arange(32), dead)
    return Capture("c", "s", "en", samples, curves, live, (), "", rig, False, "")


def moving(rest: float) -> np.ndarray:
    """Sixty frames whose every channel rests at `rest` for a third of the time, and then opens fully."""
    return np.tile(np.clip(np.linspace(-0.5, 1, 60), 0, 1)[:, None] * (1 - rest) + rest, 32).astype(np.float32)


def test_at_rest_a_face_is_zero_and_wide_open_it_is_one():
    one = capture(moving(0.2))
    mouth = Faces.of_all([one]).of(one)
    assert mouth.dtype == np.float32 and mouth.shape == (60, 32)
    assert mouth[:20, JAW].max() == pytest.approx(0, abs=1e-6) and mouth[-1, JAW] == pytest.approx(1, abs=1e-6)


def test_rest_is_of_the_rig_not_of_the_clip():
    low, high = capture(moving(0.1)), capture(np.full((30, 32), 0.5, np.float32))
    faces = Faces.of_all([low, high, capture(None, "")])
    assert set(faces.rest) == {"mediapipe"}
    assert faces.of(high)[0, JAW] == pytest.approx((0.5 - 0.1) / 0.9, abs=0.01), "a clip that stays open stays open"


def test_what_a_rig_measures_badly_is_unknown():
    one = capture(moving(0.0))
    mouth = Faces.of_all([one]).of(one)
    known = {name for name, column in zip(MOUTH_32, mouth.T, strict=True) if not np.isnan(column).any()}
    assert known == set(TRUSTED["mediapipe"])
    assert np.isnan(mouth[:, SMILE]).all()


def test_an_unlisted_rig_is_trusted_in_all_it_carries():
    one = capture(moving(0.0), rig="arkit")
    mouth = Faces.of_all([one]).of(one)
    assert np.isnan(mouth[:, PUFF]).all() and np.isnan(mouth).all(0).sum() == 1


def test_a_trusted_channel_that_this_source_lacks_is_unknown():
    one = capture(moving(0.0), dead=(FUNNEL,))
    assert np.isnan(Faces.of_all([one]).of(one)[:, FUNNEL]).all()


def test_a_rig_without_training_clips_is_taken_as_it_is():
    one = capture(moving(0.2))
    assert Faces({}).of(one)[0, JAW] == pytest.approx(0.2)


@pytest.mark.parametrize("rate", [0.9, 1.0, 1.12])
def test_a_face_follows_sound_at_another_speed(rate):
    ramp = np.tile(np.arange(120, dtype=np.float32)[:, None], 32)
    out = followed(ramp, 100, rate)
    assert out.shape == (100, 32) and out.dtype == np.float32
    np.testing.assert_allclose(out[:, 0], np.minimum(np.arange(100) * rate, 119), rtol=1e-5)


def test_a_face_that_is_too_short_is_held_and_unknown_stays_unknown():
    ramp = np.tile(np.arange(10, dtype=np.float32)[:, None], 32)
    ramp[:, SMILE] = np.nan
    out = followed(ramp, 15, 1.0)
    assert out[9:, JAW].tolist() == [9.0] * 6 and np.isnan(out[:, SMILE]).all()
