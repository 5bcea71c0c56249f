from __future__ import annotations

import numpy as np
import pytest

from speech_to_face.base import ModelError
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, genders, resampled, trimmed

SOUND = np.zeros(16_000, np.float32)
FACE = np.repeat(np.arange(60, dtype=np.float32)[:, None] / 60, 32, axis=1)


def clip(**parts: object) -> SubjectClip:
    return SubjectClip(
        **{"name": "c", "subject": "s", "gender": "", "samples": SOUND, "rate": 60, "curves": FACE, **parts}
    )  # type: ignore[arg-type]


def test_sixty_frames_to_thirty_takes_every_second_one() -> None:
    assert np.array_equal(resampled(FACE, 60, 30), FACE[::2])
    assert resampled(FACE, 60, 60) is FACE


def test_frames_at_another_rate_are_the_face_at_their_time() -> None:
    slow = FACE[:25] * 0 + (np.arange(25, dtype=np.float32) / 25)[:, None]
    fast = resampled(slow, 25, 60)
    assert len(fast) == 60
    assert fast[:58, 0] == pytest.approx(np.arange(58) / 60, abs=1e-6)
    assert fast[59, 0] == pytest.approx(24 / 25), "the end is held"


def test_meshes_are_resampled_too() -> None:
    mesh = np.zeros((2, 5, 3), np.float32)
    mesh[1, 4] = 1
    assert resampled(mesh, 30, 60)[1, 4].tolist() == [0.5, 0.5, 0.5]


def test_the_longer_of_sound_and_face_is_cut_and_counted() -> None:
    tally = Tally()
    samples, face = trimmed("a", np.zeros(19_200, np.float32), FACE, 60, tally)
    assert (len(samples), len(face)) == (16_000, 60)
    samples, face = trimmed("b", np.zeros(12_800, np.float32), FACE, 60, tally)
    assert (len(samples), len(face)) == (12_800, 48)
    assert (tally.clips, tally.sound_s, tally.face_s) == (2, pytest.approx(0.2), pytest.approx(0.2))
    assert "2 clips trimmed: 0.20 s of audio without a face, 0.20 s of face without audio" in str(tally)


def test_less_than_a_frame_is_not_told() -> None:
    tally = Tally()
    samples, face = trimmed("a", np.zeros(16_100, np.float32), FACE, 60, tally)
    assert (len(samples), len(face)) == (16_000, 60)
    assert not tally


def test_sound_and_face_of_two_recordings_are_refused() -> None:
    with pytest.raises(ModelError, match=r"got 1\.00 s of face for 3\.00 s of audio"):
        trimmed("a", np.zeros(48_000, np.float32), FACE, 60, Tally())


def test_a_clip_has_curves_or_a_mesh_with_its_template() -> None:
    mesh, template = np.zeros((60, 5, 3), np.float32), np.zeros((5, 3), np.float32)
    assert clip(curves=None, mesh=mesh, template=template).frames == 60
    assert clip().seconds == 1
    with pytest.raises(ModelError, match="either curves or a mesh"):
        clip(curves=None)
    with pytest.raises(ModelError, match="either curves or a mesh"):
        clip(mesh=mesh, template=template)
    with pytest.raises(ModelError, match="got no template"):
        clip(curves=None, mesh=mesh)
    with pytest.raises(ModelError, match=r"got a template of shape \(4, 3\)"):
        clip(curves=None, mesh=mesh, template=template[:4])


def test_other_shapes_and_types_are_refused() -> None:
    with pytest.raises(ModelError, match=r"got curves of shape \(60, 31\)"):
        clip(curves=FACE[:, 1:])
    with pytest.raises(ModelError, match="got int16 samples"):
        clip(samples=SOUND.astype(np.int16))
    with pytest.raises(ModelError, match="got 0 frames"):
        clip(curves=FACE[:0])


def test_a_subject_has_one_gender() -> None:
    assert genders([clip(gender="female"), clip(subject="t", gender="male")]) == {"s": "female", "t": "male"}
    with pytest.raises(ModelError, match="'male' here and 'female' elsewhere"):
        genders([clip(gender="female"), clip(gender="male")])
