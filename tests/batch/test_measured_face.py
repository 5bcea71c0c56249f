"""Figures of a take in a report, measured while it is converted."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character
from livelink_bridge.batch.measured_face import POINTS, MeasuredFace

JAW = CHANNELS_61.index("JawOpen")


def watched(
    level_dbfs: np.ndarray, jaw: np.ndarray | float = 0.0, *, chunk: int = 50, lips: bool = False
) -> MeasuredFace:
    poses = np.zeros((len(level_dbfs), 61), np.float32)
    poses[:, JAW] = jaw
    face = MeasuredFace(Character(), lips=lips)
    face.reset()
    for at in range(0, len(poses), chunk):
        face.push(poses[at : at + chunk], level_dbfs[at : at + chunk].astype(np.float32))
    return face


def levels(*parts: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(count, level) for level, count in parts])


def test_the_level_is_that_of_all_the_energy() -> None:
    assert watched(levels((-20, 300), (-120, 300))).level_dbfs == pytest.approx(-23.01, abs=0.01)


def test_speech_is_what_is_about_as_loud_as_the_loudest() -> None:
    assert watched(levels((-20, 100), (-40, 200), (-50, 700))).speech_share == pytest.approx(0.3)
    assert watched(levels((-80, 100))).speech_share == 0.0


@pytest.mark.parametrize(
    ("poses", "chunk"), [(1, 1), (64, 1), (129, 1), (129, 7), (1000, 7), (1000, 600), (36001, 600)]
)
def test_a_picture_of_any_length_keeps_its_peaks_in_their_places(poses: int, chunk: int) -> None:
    jaw = np.zeros(poses, np.float32)
    jaw[poses // 2] = 1.0
    points = bytes.fromhex(watched(np.full(poses, -30.0), jaw, chunk=chunk).curves().jaw)
    assert 1 <= len(points) <= POINTS
    assert max(points) == 255 and sum(points) == 255
    assert abs(points.index(255) - len(points) / 2) <= 1


def test_lips_that_stay_apart_at_a_closure_are_counted() -> None:
    jaw = np.full(600, 0.5)
    jaw[115:125] = 0.0
    face = watched(np.full(600, -20.0), jaw, lips=True)
    assert face.lips_closed([(1.95, 2.05), (5.0, 5.1)]) == (1, 2)
    assert face.lips_closed([(99.0, 99.1)]) == (0, 0)


def test_only_conspicuous_takes_get_warnings() -> None:
    assert watched(np.full(600, -20.0), 0.5).warnings(10.0, 0) == ()
    assert watched(np.full(600, -120.0)).warnings(10.0, 0) == ("silent from beginning to end",)
    assert watched(np.full(600, -50.0), 0.5).warnings(10.0, 0)[0].startswith("quiet, -50 dBFS")
    assert watched(np.full(600, -20.0), 0.01).warnings(10.0, 3)[-1].startswith("3 poses had values that are not finite")
    assert "the jaw hardly moves: is this a voice?" in watched(np.full(600, -20.0), 0.01).warnings(10.0, 3)
    assert watched(np.full(600, -20.0), 0.5).warnings(10.0, 0, 5, 10) == ("lips stay open at many a p, b and m",)
    assert (
        watched(np.full(600, -20.0), 0.5).warnings(10.0, 0, 0, 4)
        == watched(np.full(600, -20.0), 0.5).warnings(10.0, 0, 9, 10)
        == ()
    )
