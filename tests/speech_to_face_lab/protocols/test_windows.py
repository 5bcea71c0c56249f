from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from speech_to_face.base import ModelError
from speech_to_face.networks.batch import IGNORED
from speech_to_face.phones import INDEX, Phone
from speech_to_face.streaming.features import LogMel
from speech_to_face_lab.protocols.clips import SubjectClip
from speech_to_face_lab.protocols.windows import (
    brief_clips,
    brief_tracks,
    clip_batches,
    piece,
    tracks,
    windows,
    write_tracks,
)
from speech_to_face_lab.tracks import read_tracks

PHONES = (Phone("AA", 0.0, 0.6), Phone("M", 0.6, 1.0))
ROWS = {"anna": 0, "ben": 1}


def clip(
    subject: str, level: float, seconds: float = 1.0, rate: int = 60, phones: tuple[Phone, ...] | None = PHONES
) -> SubjectClip:
    """Noise as loud as its face is open: a window's sound tells which face it must have."""
    count = round(seconds * 16_000)
    noise = np.random.default_rng(round(level * 100)).normal(0, level, count).astype(np.float32)
    curves = np.full((round(seconds * rate), 32), level, np.float32)
    return SubjectClip(f"{subject}-{level}", subject, "", noise, rate, curves, phones=phones)


CLIPS = [clip("anna", 0.1), clip("ben", 0.2), clip("anna", 0.1), clip("zoe", 0.3, 2.0)]


def test_batches_have_the_shapes_that_training_expects() -> None:
    batch = next(windows(CLIPS, ROWS, 5, 1.5, 0))
    assert batch.mel.shape == (5, 90, 160) and batch.mel.dtype == torch.float32
    assert batch.curves.shape == (5, 90, 32) and batch.curves.dtype == torch.float32
    assert batch.known.shape == (5, 1, 32)
    assert batch.labels.shape == batch.sealed.shape == (5, 90) and batch.labels.dtype == torch.int64
    assert batch.style.shape == (5,) and batch.style.dtype == torch.int64


def test_the_same_seed_draws_the_same_windows() -> None:
    first, second, other = (next(windows(CLIPS, ROWS, 4, 0.5, seed)) for seed in (3, 3, 4))
    assert torch.equal(first.mel, second.mel) and torch.equal(first.style, second.style)
    assert not torch.equal(first.mel, other.mel)


def test_a_window_has_the_face_and_the_row_of_its_own_subject() -> None:
    levels = {0: 0.1, 1: 0.2}
    seen = set()
    for batch in islice(windows(CLIPS, ROWS, 8, 0.5, 0), 10):
        for row, curves in zip(batch.style.tolist(), batch.curves, strict=True):
            seen.add((row, round(float(curves.mean()), 2)))
            assert row == 2 or float(curves.mean()) == pytest.approx(levels[row], abs=1e-3)
    assert seen == {(0, 0.1), (1, 0.2), (2, 0.1), (2, 0.2), (2, 0.3)}, (
        "known subjects are learnt as the unknown one now and then"
    )


def test_features_are_those_of_the_sound_from_its_start() -> None:
    one = clip("anna", 0.1, 2.0)
    (track,) = tracks([one])
    expected = LogMel().push(one.samples)
    assert track.mel == pytest.approx(expected, abs=2e-3)
    assert track.mel.dtype == np.float16


def test_labels_and_seals_follow_the_phones() -> None:
    (track,) = tracks([clip("anna", 0.1)])
    assert track.labels[:36].tolist() == [INDEX["AA"]] * 36
    assert track.sealed[45] == 1 and track.sealed[10] == 0


def test_unknown_phones_are_ignored_and_not_silence() -> None:
    batch = next(windows([clip("anna", 0.1, phones=None)], ROWS, 2, 0.5, 0))
    assert (batch.labels == IGNORED).all()
    assert not batch.sealed.any()


def test_channels_without_a_source_are_zero_and_not_known() -> None:
    one = clip("anna", 0.1)
    assert one.curves is not None
    one.curves[:, 3] = np.nan
    for batch in (next(windows([one], ROWS, 2, 0.5, 0)), next(clip_batches([one], ROWS, 2, 0.5, 0))):
        assert batch.known[0, 0].tolist() == [0.0 if channel == 3 else 1.0 for channel in range(32)]
        assert not batch.curves[:, :, 3].any()


def test_slower_faces_are_brought_to_sixty_frames() -> None:
    made = piece(clip("anna", 0.1, 1.03, rate=30))
    assert len(made.samples) % 800 == 0
    assert len(made.curves) == len(made.labels) == len(made.sealed) == len(made.samples) * 60 // 16_000 == 60


def test_written_features_are_the_ones_that_are_used(tmp_path: Path) -> None:
    write_tracks(CLIPS, tmp_path)
    kept, made = read_tracks(tmp_path, held=False), tracks(CLIPS)
    assert [track.name for track in kept] == [track.name for track in made] == ["anna", "ben", "zoe"]
    for one, other in zip(kept, made, strict=True):
        assert np.array_equal(one.mel, other.mel) and np.array_equal(one.curves, other.curves)
        assert np.array_equal(one.labels, other.labels) and np.array_equal(one.sealed, other.sealed)


def test_paper_sized_batches_hold_sound_and_thirty_frames_a_second() -> None:
    batch = next(clip_batches(CLIPS, ROWS, 3, 0.5, 0))
    assert batch.samples.shape == (3, 8000) and batch.samples.dtype == torch.float32
    assert batch.curves.shape == (3, 15, 32)
    for samples, curves in zip(batch.samples, batch.curves, strict=True):
        assert float(samples.std()) == pytest.approx(float(curves.mean()), rel=0.1), "sound and face are of one clip"


def test_paper_sized_windows_begin_where_their_sound_begins() -> None:
    rising = np.linspace(0, 1, 16_000, endpoint=False, dtype=np.float32)
    face = np.repeat((np.arange(60) / 60).astype(np.float32)[:, None], 32, axis=1)
    one = SubjectClip("a", "anna", "", rising, 60, face)
    for batch in islice(clip_batches([one], ROWS, 4, 0.3, 0), 4):
        assert batch.curves[:, 0, 0].numpy() == pytest.approx(batch.samples[:, 0].numpy(), abs=1e-4)


def test_paper_sized_windows_keep_their_subjects_rows_since_the_network_forgets_some_itself() -> None:
    levels = {0.1: 0, 0.2: 1, 0.3: 2}
    for batch in islice(clip_batches(CLIPS, ROWS, 8, 0.5, 0), 10):
        assert batch.style.tolist() == [levels[round(float(curves.mean()), 1)] for curves in batch.curves]


def test_windows_longer_than_anybody_speaks_are_told() -> None:
    with pytest.raises(ModelError, match="no subject speaks so long"):
        windows(CLIPS, ROWS, 2, 10, 0)
    with pytest.raises(ModelError, match="no subject speaks so long"):
        clip_batches(CLIPS, ROWS, 2, 10, 0)
    with pytest.raises(ModelError, match="no subject speaks so long"):
        windows([], ROWS, 2, 1, 0)


@pytest.mark.parametrize(("seconds", "brief"), [(1.0, ()), (1.5, ("ben",)), (2.1, ("anna", "ben", "zoe"))])
def test_who_speaks_less_than_a_window_is_known(seconds: float, brief: tuple[str, ...]) -> None:
    assert brief_tracks(tracks(CLIPS), seconds) == brief and brief_clips(CLIPS, seconds) == brief


def test_meshes_are_no_coefficients() -> None:
    mesh = SubjectClip(
        "m",
        "F2",
        "female",
        np.zeros(16_000, np.float32),
        25,
        mesh=np.zeros((25, 4, 3), np.float32),
        template=np.zeros((4, 3), np.float32),
    )
    with pytest.raises(ModelError, match="it has a mesh and no curves"):
        windows([mesh], ROWS, 1, 0.5, 0)
