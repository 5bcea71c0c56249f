"""One adaptation: what is refused, what is written, that it learns, stops, and goes on where it was stopped."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.loading import load_model
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.streaming.features import frame_count
from speech_to_face_lab.adapt import figures, run, steps
from speech_to_face_lab.adapt.card import check_out
from speech_to_face_lab.adapt.options import AdaptOptions
from speech_to_face_lab.adapt.run import adapt
from speech_to_face_lab.training.objectives.aligned import FROZEN

SMALL = {"steps": 4, "batch": 2, "window_s": 1.0, "check_every": 2, "loaders": 0, "keep_anyway": True}
"""Too little to be better, or to be judged: what is written is looked at, not what it is worth."""


@pytest.fixture
def files(make_take):
    return [make_take(f"line{seed}", seed, late=seed % 3) for seed in range(4)] + [
        make_take("strange", 50, strange=True)
    ]


@pytest.fixture
def order(base, tmp_path) -> AdaptOptions:
    return AdaptOptions(base, tmp_path / "actor", **SMALL)


@pytest.fixture
def no_export(monkeypatch, base) -> None:
    """Writes the untouched model and judges nothing: for what happens before and after."""
    monkeypatch.setattr(run, "make_checkpoint", lambda _best, out: shutil.copytree(base, out))
    monkeypatch.setattr(figures, "of_takes", lambda *_: [])


def did(files, order, said=None, shown=None):
    return adapt(
        files,
        order,
        lambda *what: (shown if shown is not None else []).append(what),
        (said if said is not None else []).append,
    )


def test_a_model_comes_of_it_that_loads_with_a_card_of_what_was_done(files, order, base):
    said, shown, before = [], [], {path.name: path.read_bytes() for path in base.iterdir()}
    result = did(files, order, said, shown)
    assert {path.name for path in order.out.iterdir()} == {
        "config.yaml",
        "model.safetensors",
        "step.onnx",
        "CARD.md",
        "SHA256SUMS",
    }
    checkpoint.verify(order.out)
    face = load_model(str(order.out), "cpu").animate(np.zeros(8000, np.float32))
    assert face.shape == (frame_count(8000), 32)
    card = (order.out / "CARD.md").read_text()
    assert "tiny-base" in card and "strange: mistimed or with other audio" in card and "| jaw r |" in card
    assert any(line.startswith("left out: strange") for line in said)
    assert {row.measure for row in result.rows} >= {"jaw r", "aperture r", "rounding r"}
    assert (len(result.learnt), len(result.held), len(result.left)) == (3, 1, 1)
    assert ("learning", 4, 4) in shown and not order.run.exists()
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before


@pytest.mark.usefixtures("no_export")
def test_steps_move_only_what_neither_hears_phones_nor_draws(files, order, base, monkeypatch):
    kept = []
    monkeypatch.setattr(
        steps.Adaptation, "keep_best", lambda loop, _folder: kept.append(deepcopy(loop.average.weights))
    )
    monkeypatch.setattr(steps.Adaptation, "held_loss", lambda loop, _checks: 1.0 / (1 + loop.step))
    did(files, order)
    moved = {name for name in kept[0] if not torch.equal(kept[0][name], kept[-1][name])}
    before = load_network(base, load_config(base / "config.yaml")).state_dict()
    assert len(kept) == 3 and all(torch.equal(kept[0][name], before[name]) for name in kept[0])
    assert not any(name.startswith(FROZEN) for name in moved) and {"out.weight", "audio.stem.weight"} <= moved


@pytest.mark.usefixtures("no_export")
def test_what_was_stopped_goes_on_with_the_state_it_had(files, order, monkeypatch):
    monkeypatch.setattr(steps, "SAVE_EVERY", 2)
    whole = steps.Adaptation.save

    def stopping(loop):
        whole(loop)
        raise KeyboardInterrupt

    monkeypatch.setattr(steps.Adaptation, "save", stopping)
    with pytest.raises(KeyboardInterrupt):
        did(files, order)
    assert (order.run / "state.safetensors").exists() and not order.out.exists()
    monkeypatch.setattr(steps.Adaptation, "save", whole)
    monkeypatch.setattr(run, "_lay_down", lambda *_: pytest.fail("the tracks were there already"))
    shown = []
    assert did(files, order, shown=shown).step == 4
    assert [what for what in shown if what[0] == "learning"] == [("learning", 1, 2), ("learning", 2, 2)]


@pytest.mark.usefixtures("no_export")
def test_a_run_of_other_takes_is_not_gone_on_with(files, order, monkeypatch):
    monkeypatch.setattr(run, "_judged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        did(files, order)
    with pytest.raises(ModelError, match="begun with other takes"):
        did(files[:4], order)


def test_too_few_takes_are_refused_without_a_run_that_refuses_more(files, order):
    with pytest.raises(ModelError, match="2 takes can be used, expected 3 or more"):
        did(files[:2], order)
    assert not order.run.exists()


def test_it_stops_when_the_takes_kept_back_are_followed_no_better():
    falling, flat = [(at, 1.0 - 0.1 * at) for at in range(6)], [(at, 1.0) for at in range(6)]
    assert not steps._stalled(falling) and steps._stalled(flat) and not steps._stalled(flat[:4])
    assert steps._stalled([*falling, *((9 + at, 0.6) for at in range(4))])


@pytest.mark.parametrize("name", ["pmmtalk-live", "pmmtalk-live/mine", "."])
def test_the_shipped_models_are_never_written_to(name):
    with pytest.raises(ModelError, match="shipped"):
        check_out(checkpoint.SHIPPED / name, force=True)


def test_a_name_of_a_shipped_model_and_a_folder_of_other_things_are_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="choose another name"):
        check_out(tmp_path / "pmmtalk-live", force=True)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("hello")
    with pytest.raises(ModelError, match="something else than a model"):
        check_out(tmp_path / "letters", force=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="is a file"):
        check_out(tmp_path / "file", force=True)


@pytest.mark.usefixtures("no_export")
def test_a_model_that_is_there_is_replaced_only_when_told_to(files, order):
    order.out.mkdir()
    (order.out / "config.yaml").write_text("old")
    with pytest.raises(ModelError, match="--force"):
        did(files, order)
    assert not order.run.exists()
    did(files, replace(order, force=True))
    checkpoint.verify(order.out)
    assert not list(order.out.parent.glob(".*.old"))


@pytest.mark.usefixtures("no_export")
def test_speech_of_others_is_heard_too_and_a_folder_without_is_refused(files, order, make_take, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="--others"):
        did(files, replace(order, others=tmp_path / "empty"))
    other = make_take("other", 77).sound
    (tmp_path / "empty" / "other.wav").write_bytes(other.read_bytes())
    did(files, replace(order, others=tmp_path / "empty", force=True))
    assert "and 1 recordings of others" in (order.out / "CARD.md").read_text()
