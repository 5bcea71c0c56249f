"""Windows of tracks: how often each is drawn, and what of it counts."""

from collections import Counter

import numpy as np
import pytest
import torch

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.batch import IGNORED
from speech_to_face.phones import INDEX
from speech_to_face_lab.corpus.visemes import STYLES
from speech_to_face_lab.tracks import UNKNOWN, About, Piece
from speech_to_face_lab.training.data import examples
from speech_to_face_lab.training.data.examples import (
    ALL_STYLES,
    RIG_STYLES,
    SHARES,
    STYLE_SHARES,
    Windows,
    read_noises,
    spread,
)

JAW, SMILE = MOUTH_32.index("jawOpen"), MOUTH_32.index("mouthSmileLeft")


def flat(value: float, label: int = 0, seconds: int = 6) -> Piece:
    """Sound without any shape, and a mouth that stands at `value`."""
    frames = 60 * seconds
    noise = np.random.default_rng(label).standard_normal(16_000 * seconds).astype(np.float32) * 0.1
    return Piece(
        noise, np.full((frames, 32), value, np.float32), np.full(frames, label, np.uint8), np.zeros(frames, np.float32)
    )


def draw(tracks, noises=None, count=1, **more):
    source = iter(Windows(tracks, noises, **{"batch": 4, "seconds": 1.0, "seed": 0} | more))
    return [next(source) for _ in range(count)]


def test_targets_and_sound_of_an_example_belong_together(papa):
    (batch,) = draw(papa, seconds=2.0)
    assert batch.mel.shape == (4, 120, 160) and batch.curves.shape == (4, 120, 32) and batch.known.shape == (4, 1, 32)
    assert batch.labels.dtype == torch.int64 and batch.mel.dtype == batch.curves.dtype == torch.float32
    loud = batch.mel.mean(-1)
    vowel, closed = loud[batch.labels == INDEX["AA"]].mean(), loud[batch.labels == INDEX["PB"]].mean()
    assert vowel > closed + 0.5, "a vowel buzzes, a p is silent"
    assert (batch.labels[batch.sealed > 0.99] == INDEX["PB"]).float().mean() > 0.7


def test_the_same_seed_gives_the_same_batches_and_another_does_not(papa, noises):
    one, two, other = (draw(papa, noises, 3, seed=seed) for seed in (1, 1, 2))
    for a, b in zip(one, two, strict=True):
        for name in ("mel", "curves", "labels", "sealed", "style", "known"):
            torch.testing.assert_close(getattr(a, name), getattr(b, name))
    assert not torch.equal(one[0].mel, other[0].mel)
    assert not torch.equal(one[0].mel, one[1].mel)


def test_groups_are_drawn_by_their_shares_whatever_their_length(make_tracks):
    rows = [
        ("a", About("recorded"), [flat(0, 1)] * 4),
        ("b", About("formant"), [flat(0, 2)]),
        ("c", About("mine"), [flat(0, 3)]),
    ]
    tracks = make_tracks(*rows, ("d", About("recorded"), [flat(0, 4)]))
    seen = Counter(int(label) for batch in draw(tracks, count=200) for label in batch.labels[:, 0])
    total, weight = sum(seen.values()), SHARES["recorded"] + SHARES["formant"] + examples.OTHER_SHARE
    assert (seen[1] + seen[4]) / total == pytest.approx(SHARES["recorded"] / weight, abs=0.05)
    assert seen[2] / total == pytest.approx(SHARES["formant"] / weight, abs=0.05)
    assert seen[3] / total == pytest.approx(examples.OTHER_SHARE / weight, abs=0.05)
    assert seen[1] / seen[4] == pytest.approx(4, rel=0.35), "inside a group the longer track is drawn more often"


def test_the_shares_are_a_distribution():
    assert sum(SHARES.values()) == pytest.approx(1) and sum(STYLE_SHARES.values()) == pytest.approx(1)
    assert set(STYLE_SHARES) - {"unknown"} == set(STYLES) and ALL_STYLES == (*STYLES, *RIG_STYLES.values())


def test_unknown_labels_are_ignored_ones(make_tracks):
    (batch,) = draw(make_tracks(("a", About("facegood", rig="facegood"), [flat(0.2, UNKNOWN)])))
    assert (batch.labels == IGNORED).all()


def test_channels_that_a_source_lacks_are_masked_and_zero(make_tracks):
    piece = flat(0.2)
    piece.curves[:, SMILE] = np.nan
    (batch,) = draw(make_tracks(("a", About("mediapipe", rig="mediapipe"), [piece])))
    assert torch.isfinite(batch.curves).all()
    assert not batch.known[:, 0, SMILE].any() and not batch.curves[..., SMILE].any()
    assert batch.known.sum() == 4 * 31 and batch.curves[..., JAW] == pytest.approx(0.2, abs=1e-3)


def test_a_channel_that_is_known_only_in_part_of_a_window_does_not_count(make_tracks):
    piece = flat(0.2)
    piece.curves[::50, SMILE] = np.nan
    (batch,) = draw(make_tracks(("a", About("mediapipe", rig="mediapipe"), [piece])))
    assert not batch.known[:, 0, SMILE].any()


def test_windows_without_speech_are_at_rest(make_tracks, noises, monkeypatch):
    monkeypatch.setattr(examples, "NO_SPEECH_SHARE", 0.5)
    piece = flat(0.4, INDEX["AA"])
    piece.sealed[:] = 1
    batches = draw(make_tracks(("a", About("recorded"), [piece])), noises, 10)
    silent = torch.cat([(batch.labels == INDEX["SIL"]).all(1) for batch in batches])
    assert 0.2 < silent.float().mean() < 0.8
    assert (
        not torch.cat([b.curves for b in batches])[silent].any()
        and not torch.cat([b.sealed for b in batches])[silent].any()
    )
    assert torch.cat([b.known for b in batches])[silent].all(), "a resting mouth is known in every channel"
    assert (torch.cat([b.curves for b in batches])[~silent].amax((1, 2)) > 0.2).all()


def test_without_noises_the_sound_is_as_the_track_holds_it(papa):
    (batch,) = draw(papa)
    whole = torch.from_numpy(np.asarray(papa[0].mel, np.float32))
    for row in batch.mel:
        assert any(torch.equal(row, whole[at : at + 60]) for at in range(len(whole) - 59))


def test_noises_change_the_sound_and_not_the_mouth(papa, noises, monkeypatch):
    monkeypatch.setattr(examples, "NO_SPEECH_SHARE", 0.0)
    (plain,), (mixed,) = draw(papa), draw(papa, noises)
    torch.testing.assert_close(plain.curves, mixed.curves)
    torch.testing.assert_close(plain.labels, mixed.labels)
    assert not torch.equal(plain.mel, mixed.mel)


def test_styles_move_rule_made_mouths_as_they_say(make_tracks):
    batches = draw(make_tracks(("a", About("recorded"), [flat(0.2)])), count=60)
    seen = Counter()
    for batch in batches:
        for row, mouth in zip(batch.style, batch.curves, strict=True):
            name = ALL_STYLES[row] if row < len(ALL_STYLES) else "unknown"
            gain = {"subtle": 0.7, "broad": 1.35}.get(name, 1.0)
            assert mouth[:, JAW] == pytest.approx(0.2 * gain, abs=2e-3), name
            seen[name] += 1
    assert set(seen) == set(STYLE_SHARES)
    for name, share in STYLE_SHARES.items():
        assert seen[name] / 240 == pytest.approx(share, abs=0.1)


def test_a_captured_face_is_learnt_under_its_rigs_name_or_none(make_tracks):
    known = draw(make_tracks(("a", About("facegood", rig="facegood"), [flat(0.2)])), count=30)
    rows = Counter(int(row) for batch in known for row in batch.style)
    assert set(rows) == {ALL_STYLES.index(RIG_STYLES["facegood"]), len(ALL_STYLES)}
    assert all(batch.curves[..., JAW] == pytest.approx(0.2, abs=1e-3) for batch in known), (
        "what was captured is not restyled"
    )


def test_somebodys_own_rig_teaches_the_unknown_style_alone(make_tracks):
    rows = {
        int(row)
        for batch in draw(make_tracks(("a", About("x", rig="mine"), [flat(0.2)])), count=10)
        for row in batch.style
    }
    assert rows == {len(ALL_STYLES)}


def test_the_spread_is_of_the_rule_made_mouths(make_tracks):
    moving = flat(0.2)
    moving.curves[:, JAW] = np.tile([0.0, 0.5], 180)
    captured = flat(0.9)
    captured.curves[:, SMILE] = np.nan
    tracks = make_tracks(("a", About("recorded"), [moving] * 4), ("b", About("mediapipe", rig="mediapipe"), [captured]))
    sd = spread(tracks)
    assert sd.shape == (32,) and sd.dtype == torch.float32
    assert sd[JAW] == pytest.approx(0.25, abs=0.02) and sd[SMILE] == pytest.approx(0, abs=1e-3)
    alone = spread([t for t in tracks if t.name == "b"])
    assert alone[SMILE] == 0 and torch.isfinite(alone).all(), "what no track carries does not move"


def test_noises_come_back_from_disk(tmp_path, noises):
    np.save(tmp_path / "noise.npy", noises.noise), np.save(tmp_path / "babble.npy", noises.babble)
    again = read_noises(tmp_path)
    assert isinstance(again.noise, np.memmap)
    np.testing.assert_array_equal(again.babble, noises.babble)
