"""No model is called better, or written, that does not beat the one it began with on the takes kept back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face_lab.adapt import run, steps, verdict
from speech_to_face_lab.adapt.data.takes import Take
from speech_to_face_lab.adapt.figures import R2, Row
from speech_to_face_lab.adapt.options import AdaptOptions
from speech_to_face_lab.adapt.run import adapt
from speech_to_face_lab.adapt.verdict import judge, speech_s, too_little


def rows(
    jaw: tuple[float, float],
    aperture: tuple[float, float],
    rounding: tuple[float, float],
    r2: tuple[float, float] = (0.1, 0.1),
):
    marks = {"jaw r": jaw, "aperture r": aperture, "rounding r": rounding, "jaw lag, ms": (0, 90), R2: r2}
    return [Row("takes", name, before, after) for name, (before, after) in marks.items()]


SLOW = 31
"""Frames over which this actor's jaw moves: half a second, where the base's is there at once."""
NAN = float("nan")
JUDGED = {
    "a jaw and an aperture that lost": (
        rows((0.900, 0.878), (0.689, 0.589), (0.5, 0.5)),
        False,
        "aperture r fell by 0.100, expected 0.02",
    ),
    "all that rose": (rows((0.729, 0.831), (0.715, 0.811), (0.467, 0.570)), True, "jaw r 0.729 -> 0.831, "),
    "a rise that chance makes": (
        rows((0.7, 0.702), (0.7, 0.702), (0.5, 0.501)),
        False,
        "+0.002 on average, expected +0.01 or more",
    ),
    "nothing that changed": (
        rows((0.7, 0.7), (0.7, 0.7), (0.5, 0.5)),
        False,
        "+0.000 on average, expected +0.01 or more",
    ),
    "a rise that costs the jaw": (rows((0.7, 0.65), (0.5, 0.7), (0.5, 0.7)), False, "jaw r fell by 0.050"),
    "as good, and nearer in size": (
        rows((0.9, 0.899), (0.8, 0.8), (0.5, 0.5), (0.1, 0.6)),
        True,
        "R² of all channels +0.500",
    ),
    "worse in time, nearer in size": (
        rows((0.9, 0.885), (0.8, 0.785), (0.5, 0.5), (0.1, 0.6)),
        False,
        "-0.010 on average, expected",
    ),
    "no rounding in the takes": (rows((0.7, 0.8), (0.7, 0.8), (NAN, NAN)), True, "+0.100 on average"),
    "nothing to measure": (
        rows((NAN, NAN), (NAN, 0.5), (NAN, NAN)),
        False,
        "not judged: neither jaw r, aperture r, rounding r can be",
    ),
}


@pytest.mark.parametrize(("figures", "better", "text"), JUDGED.values(), ids=JUDGED)
def test_the_verdict_follows_the_takes_kept_back(figures, better, text):
    found = judge(figures, speech=42.0)
    assert found.better is better and text in found.text and "\n" not in found.text


def test_figures_on_too_little_speech_are_no_verdict():
    found = judge(rows((0.5, 0.9), (0.5, 0.9), (0.5, 0.9)), speech=9.9)
    assert not found.better
    assert (
        "not judged: too little speech is held out to judge on: 9.9 s, expected 10 s or more, better 60 s" in found.text
    )
    assert too_little(10.0) is None


def test_speech_is_counted_without_its_pauses():
    loud = np.sin(np.arange(16_000) * 0.05).astype(np.float32) * 0.3
    quiet = np.random.default_rng(0).normal(0, 0.001, 32_000).astype(np.float32)
    take = Take("line", np.concatenate([quiet, loud, quiet]), np.zeros((300, 32), np.float32))
    assert speech_s([take, take]) == pytest.approx(2.0, abs=0.1)
    assert speech_s([Take("short", loud[:100], np.zeros((1, 32), np.float32))]) == 0.0


@pytest.fixture
def few_seconds_are_enough(monkeypatch):
    monkeypatch.setattr(verdict, "LEAST_SPEECH_S", 2.0)


@pytest.fixture
def order(base, tmp_path) -> AdaptOptions:
    return AdaptOptions(base, tmp_path / "actor", steps=80, batch=3, window_s=1.0, check_every=20, loaders=0, rate=3e-3)


def did(files, order):
    return adapt(files, order, lambda *_: None, lambda _: None)


def test_a_jaw_that_moves_otherwise_in_every_take_is_learnt_and_the_model_is_written(
    few_seconds_are_enough, make_take, order
):
    slow = [make_take(f"line{seed}", seed, seconds=12.0, smooth=SLOW) for seed in range(3)]
    result = did(slow, order)
    assert result.verdict.better and result.kept, result.verdict.text
    checkpoint.verify(order.out)
    assert f"| Verdict | {result.verdict.text} |" in (order.out / "CARD.md").read_text()
    assert not order.run.exists()


@pytest.fixture
def short_files(few_seconds_are_enough, make_take):
    return [make_take(f"line{seed}", seed, seconds=8.0) for seed in range(3)]


@pytest.mark.parametrize("rate", [1e-9, 1.0], ids=["steps too small to learn", "steps so large that all is lost"])
def test_a_run_that_learns_nothing_leaves_no_model_and_keeps_its_work(short_files, order, rate):
    order = replace(order, rate=rate, steps=4, check_every=2)
    result = did(short_files, order)
    assert not result.verdict.better and not result.kept
    assert "not better" in result.verdict.text
    assert not order.out.exists() and order.run.is_dir()


def test_what_was_judged_is_kept_anyway_without_learning_it_again_and_other_options_begin_anew(
    short_files, order, monkeypatch
):
    order = replace(order, rate=1e-9, steps=2, check_every=2)
    assert not did(short_files, order).kept
    with monkeypatch.context() as patch:
        patch.setattr(steps.Adaptation, "train_step", lambda *_: pytest.fail("it was learnt already"))
        result = did(short_files, replace(order, keep_anyway=True))
    assert result.kept and not result.verdict.better
    checkpoint.verify(order.out)
    other = replace(order, out=order.out.with_name("other"))
    assert not did(short_files, other).kept
    assert did(short_files, replace(other, steps=4)).step == 4


def test_too_little_speech_to_judge_on_is_refused_before_anything_is_learnt_and_more_takes_are_welcome(
    make_take, order, monkeypatch
):
    short = [make_take(f"line{seed}", seed, seconds=9.0) for seed in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(run, "_lay_down", lambda *_: pytest.fail("examples are made"))
        with pytest.raises(
            ModelError, match="too little speech .* on: 5.0 s, expected 10 s or more.*--keep-anyway"
        ) as caught:
            did(short, order)
    assert "\n" not in str(caught.value)
    assert not order.out.exists() and not order.run.exists()
    assert did(short, replace(order, steps=2, check_every=2, keep_anyway=True)).verdict.text.startswith(
        "not judged: too little speech"
    )
