"""Scores of a network on tracks: right answers score one, wrong ones do not, and what is not known does not count."""

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.phones import CLASSES, INDEX, VISEMES
from speech_to_face_lab.tracks import About
from speech_to_face_lab.training.assessment import assess


@pytest.fixture
def network(tiny_checkpoint):
    return load_network(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml"))


@pytest.fixture
def track(make_tracks, make_piece):
    return make_tracks(("papa-held", About("recorded", held=True), [make_piece()]), held=True)[0]


def answered(track, mouth, phones, monkeypatch):
    """Score of a network that gives these answers."""
    monkeypatch.setattr(assess, "predicted", lambda network, mel: (mouth[:-3], phones[:-3]))
    network = type("Answers", (), {"config": type("Config", (), {"delay": 3})})
    return assess.score(network, [track])


def test_the_right_answers_score_one(track, monkeypatch):
    found = answered(track, track.curves.astype(np.float32), track.labels.astype(np.int64), monkeypatch)
    assert (
        found.phones == found.visemes == 1
        and found.mean_r == pytest.approx(1)
        and found.closed == 1
        and found.false_closed == 0
    )


def test_a_phone_that_looks_the_same_counts_as_a_viseme_only(track, monkeypatch):
    swapped = {INDEX["AA"]: INDEX["AE"], INDEX["PB"]: INDEX["M"]}
    phones = np.array([swapped.get(int(label), int(label)) for label in track.labels])
    found = answered(track, track.curves.astype(np.float32), phones, monkeypatch)
    assert found.phones < 0.1 and found.visemes == 1


def test_a_mouth_that_never_closes_is_told(track, monkeypatch):
    mouth = np.zeros(track.curves.shape, np.float32)
    mouth[:, MOUTH_32.index("jawOpen")] = 0.5
    found = answered(track, mouth, track.labels.astype(np.int64), monkeypatch)
    assert found.closed == 0 and found.false_closed == 0


def test_frames_and_network_stay_in_step(network, track):
    mouth, phones = assess.predicted(network, track.mel.astype(np.float32))
    assert len(mouth) == len(phones) == len(track.mel) - network.config.delay
    whole = assess.score(network, [track])
    assert 0 <= whole.phones <= whole.visemes <= 1 and whole.seconds == pytest.approx((len(track.mel) - 3) / 60)


def test_every_class_looks_like_one_of_thirteen_visemes():
    assert set(VISEMES) == set(CLASSES) and set(VISEMES.values()) == set(range(13))
