"""Takes are read, brought in step with their sound and split; what does not fit is named and left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face_lab.adapt.data.split import key_of, split
from speech_to_face_lab.adapt.data.takes import Take, put_right, read_takes
from speech_to_face_lab.adapt.data.timing import timed
from speech_to_face_lab.adapt.data.untouched import Answer, UntouchedNetwork, onsets
from speech_to_face_lab.tracks import UNKNOWN

JAW = MOUTH_32.index("jawOpen")


def ideal(take: Take) -> np.ndarray:
    """A network that knows the jaw from the sound alone: loud is open."""
    frames = len(take.curves)
    at = np.minimum(np.arange(frames) * 16_000 // 60 + 100, len(take.samples) - 1)
    curves = np.zeros((frames, 32), np.float32)
    curves[:, JAW] = np.abs(take.samples[at]) > 0.1
    return curves


def made(seed: int, seconds: float = 2.0, name: str | None = None) -> Take:
    rng = np.random.default_rng(seed)
    sound = rng.uniform(-0.5, 0.5, round(16_000 * seconds)).astype(np.float32)
    return Take(name or f"take{seed}", sound, np.zeros((int(60 * seconds), 32), np.float32))


def test_takes_without_sound_and_broken_ones_are_named_and_the_rest_is_read(make_take):
    files = [make_take("good", 1), make_take("mute", 2, sound=False), make_take("broken", 3), make_take("hush", 4)]
    files[2].table.write_text("Timecode,BlendShapeCount,nothing\n")
    import soundfile

    soundfile.write(files[3].sound, np.zeros(9 * 16_000), 16_000)
    takes, left = read_takes(files)
    assert [take.name for take in takes] == ["good"]
    assert {each.name: why for each in left for why in ("mute.wav", "line 1", "silent") if why in each.reason} == {
        "mute": "mute.wav",
        "broken": "line 1",
        "hush": "silent",
    }


def test_a_take_without_sound_is_told_where_its_sound_would_be(make_take):
    own, app = make_take("own", 1, sound=False), make_take("app", 2, sound=False)
    app.table.with_suffix(".mov").write_bytes(b"film")
    _, left = read_takes([own, app])
    why = {each.name: each.reason for each in left}
    assert "convert again with --with-sound" in why["own"] and ".mov" not in why["own"]
    assert "ffmpeg -i app.mov app.wav" in why["app"] and "convert" not in why["app"]


def test_a_late_face_is_brought_in_step_and_a_stranger_is_left_out(make_take):
    files = [make_take("late", 1, late=12), make_take("early", 2, late=-7)]
    files += [make_take("strange", 3, strange=True), make_take("far", 4, late=150)]
    takes, _ = read_takes(files)
    kept, left = timed(takes, ideal)
    assert [round(60 * take.late_s) for take in kept] == [12, -7]
    assert [each.name for each in left] == ["strange", "far"] and all("mistimed" in each.reason for each in left)
    for take in kept:
        assert len(take.curves) == -(-len(take.samples) * 60 // 16_000)
        r = np.corrcoef(ideal(take)[:, JAW], take.curves[:, JAW])[0, 1]
        assert r > 0.8


def test_short_takes_share_one_lag(make_take):
    takes, _ = read_takes([make_take(f"short{seed}", seed, seconds=3.0, late=5) for seed in range(6)])
    kept, left = timed(takes, ideal)
    assert {round(60 * take.late_s) for take in kept} == {5} and not left


def test_a_take_whose_clocks_drift_apart_is_left_out(make_take):
    takes, _ = read_takes([make_take("drifts", 1, seconds=60.0)])
    at = np.linspace(0, len(takes[0].curves) - 40, len(takes[0].curves))
    drifting = replace(takes[0], curves=takes[0].curves[at.astype(int)])
    kept, left = timed([drifting], ideal)
    assert not kept and "mistimed" in left[0].reason


@pytest.mark.parametrize("late", [0, 4, -4])
def test_moving_a_face_keeps_sound_and_frames_equally_long(late):
    take = put_right(made(1), late)
    assert len(take.curves) == -(-len(take.samples) * 60 // 16_000) and abs(len(take.curves) - 120) <= abs(late)


def test_the_split_follows_what_is_said_whatever_the_names_and_the_order():
    takes = [made(seed) for seed in range(20)]
    learnt, held = split(takes)
    assert held and len(learnt) + len(held) == 20
    renamed = [replace(take, name=f"new{at}") for at, take in reversed(list(enumerate(takes)))]
    assert {key_of(take) for take in split(renamed)[1]} == {key_of(take) for take in held}


def test_one_take_at_least_is_kept_back_and_copies_of_it_are_too():
    for first in range(30):
        learnt, held = split([made(first + at) for at in range(3)])
        assert (len(learnt), len(held)) == (2, 1)
    copies = [replace(take, name=f"{take.name}-copy") for take in (made(0), made(1), made(2))]
    learnt, held = split([made(0), made(1), made(2), *copies])
    assert not {key_of(take) for take in learnt} & {key_of(take) for take in held}


def test_too_few_takes_are_refused_with_a_reason(make_take):
    takes, left = read_takes([make_take("one", 1), make_take("mute", 2, sound=False)])
    with pytest.raises(ModelError, match="1 takes can be used, expected 3 or more.*mute"):
        split(takes, left)


def test_what_the_untouched_network_hears_has_a_frame_for_every_sixtieth(base, make_take):
    untouched = UntouchedNetwork(load_network(base, load_config(base / "config.yaml")))
    take = read_takes([make_take("one", 1)])[0][0]
    answer = untouched.answer(take.samples)
    assert answer.curves.shape == take.curves.shape and len(answer.labels) == len(answer.sealed) == len(take.curves)
    assert np.corrcoef(answer.curves[:, JAW], take.curves[:, JAW])[0, 1] > 0.5


def test_onsets_are_of_phones_that_close_the_lips_and_of_those_that_need_not():
    labels = np.array([0] * 5 + [14] * 5 + [1] * 5 + [UNKNOWN] * 5 + [16] * 5 + [15] * 2 + [18] * 4, np.uint8)
    assert [(word.text, round(60 * word.start_s)) for word in onsets(labels)] == [("p", 5), ("a", 10), ("a", 27)]


def test_lips_that_are_heard_closed_are_closed_in_what_is_learnt(base, make_take, monkeypatch):
    from speech_to_face_lab.adapt.data import material

    take = read_takes([make_take("one", 1)])[0][0]
    labels = np.full(len(take.curves), 1, np.uint8)
    labels[100:112] = 14
    monkeypatch.setattr(
        UntouchedNetwork,
        "answer",
        lambda _network, _sound: Answer(take.curves * 0, labels, (labels == 14).astype(np.float32)),
    )
    piece = material.shown(
        take,
        1.0,
        UntouchedNetwork(load_network(base, load_config(base / "config.yaml"))),
        material.Targets.of([take]),
        None,
    )
    gap = piece.curves[:, JAW] - piece.curves[:, MOUTH_32.index("mouthClose")]
    assert gap[103:109].max() < 1e-6 and gap[:90].max() > 0.3


def test_channels_that_the_takes_do_not_carry_stay_as_the_network_has_them(make_take):
    from speech_to_face_lab.adapt.data.material import Targets

    take = read_takes([make_take("one", 1)])[0][0]
    own = np.full_like(take.curves, 0.3)
    mouth = Targets.of([take]).mouth(take.curves, own)
    carried = [JAW, MOUTH_32.index("mouthFunnel")]
    assert np.array_equal(np.delete(mouth, carried, 1), np.delete(own, carried, 1))
    assert mouth[:, JAW].min() == 0 and np.corrcoef(mouth[:, JAW], take.curves[:, JAW])[0, 1] > 0.99
