"""`train --model pmmtalk-live`: from a corpus or from tracks to a checkpoint with its graph; what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.loading import load_model
from speech_to_face_lab.tracks import About
from speech_to_face_lab.training import __main__ as training
from speech_to_face_lab.training import prepare, prepared
from speech_to_face_lab.training.data.mixing import Noises
from speech_to_face_lab.training.export import make_checkpoint
from speech_to_face_lab.training.loop.logs import read_log
from speech_to_face_lab.training.orders import TrainOptions, plan_of
from speech_to_face_lab.training.run import CHECKPOINT, train_run

torch.set_num_threads(1)
TINY = (
    "width=16",
    "decoder_width=16",
    "branch_width=8",
    "image_size=16",
    "window=12",
    "heads=2",
    "dilations=[1]",
    "text_dilations=[1]",
)
Buzz = Callable[[], NDArray[np.float32]]


@pytest.fixture(autouse=True)
def no_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LOADERS", 0)


@pytest.fixture
def tracks(make_tracks: Any, make_piece: Any, noises: Noises, tmp_path: Path) -> Path:
    """Tracks of one voice, one of them held out, and the bank of noises."""
    make_tracks(("papa-0", About("recorded"), [make_piece()] * 2))
    make_tracks(("papa-held", About("recorded", held=True), [make_piece()]), held=True)
    np.save(tmp_path / "noise.npy", noises.noise)
    np.save(tmp_path / "babble.npy", noises.babble)
    return tmp_path


def learn(data: Path, run: Path, steps: int = 4, said: list[str] | None = None, **other: Any) -> Any:
    order = TrainOptions(**{"model": "pmmtalk-live", "data": str(data), "changes": TINY} | other)
    plan = plan_of(order.model, 2, steps=steps, batch=2, seconds=1.5, log_every=1, save_every=2)
    return train_run(order, plan, run, "cpu", say=(said if said is not None else []).append)


def test_a_corpus_becomes_tracks_and_a_model_with_a_graph_that_plays(
    corpus: Path, tmp_path: Path, buzz: Buzz, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "NOISE_SECONDS", 10)
    said, out = list[str](), tmp_path / "run"
    assert learn(corpus, out, said=said).finished
    made = out / CHECKPOINT
    assert {path.name for path in made.iterdir()} == {
        "config.yaml",
        "model.safetensors",
        "step.onnx",
        "CARD.md",
        "SHA256SUMS",
    }
    checkpoint.verify(made)
    assert load_model(str(made), device="cpu").animate(buzz()).shape == (180, 32)
    assert (
        "Trained by `livelink-bridge train` on 4 tracks, 0.0 h. 4 steps of 2 windows" in (made / "CARD.md").read_text()
    )
    assert said[0].endswith(f"its tracks are made in {out / 'tracks'}") and said[1] == "4 tracks, 0.0 h; 2 held out"


def test_a_run_that_was_stopped_resumes_and_gives_the_same_files(tracks: Path, tmp_path: Path) -> None:
    assert learn(tracks, tmp_path / "run", steps=3).step == 3
    before = (tmp_path / "run" / CHECKPOINT / "model.safetensors").read_bytes()
    assert learn(tracks, tmp_path / "run", steps=3).begun == 3
    make_checkpoint(tmp_path / "run", tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == before
    rows = read_log(tmp_path / "run")
    assert [row["step"] for row in rows if "image" in row] == [1, 2, 3]
    assert {name for row in rows for name in row} >= {"validation_recorded_phones", "validation_recorded_closed"}


def test_the_33_ms_model_begins_with_the_weights_of_the_other(tracks: Path, tmp_path: Path) -> None:
    learn(tracks, tmp_path / "run")
    done = learn(tracks, tmp_path / "short", model="pmmtalk-live-33", begin=(str(tmp_path / "run"),))
    assert done.finished
    found = load_model(str(tmp_path / "short" / CHECKPOINT), device="cpu")
    assert found.lookahead_s == pytest.approx(2 / 60)


def test_a_run_does_not_resume_under_another_config(tracks: Path, tmp_path: Path) -> None:
    learn(tracks, tmp_path / "run")
    with pytest.raises(ModelError, match="was begun with other changes"):
        learn(tracks, tmp_path / "run", changes=(*TINY, "delay=1"))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"without": ("flyte",)}, "--without flyte: no track in .* starts so; there are papa-0, papa-held"),
        ({"protocol": "cross-gender"}, "--protocol: pmmtalk-live learns from tracks"),
        ({"kind": "cavfa"}, "--corpus cavfa: pmmtalk-live learns from tracks"),
        ({"changes": (*TINY, "delay=0")}, "without look-ahead lips close too late"),
        ({"begin": ("nowhere",)}, "nowhere: no such folder"),
        ({"model": "voca", "without": ("papa",)}, "--pretrain: voca shares its steps"),
    ],
)
def test_what_does_not_fit_is_one_line(tracks: Path, tmp_path: Path, other: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        learn(tracks, tmp_path / "run", **other)


@pytest.mark.parametrize(("options", "said"), [({"without": ("a",)}, "--without"), ({"augmentation": False}, "--no-")])
def test_options_of_tracks_are_refused_for_the_networks_of_the_tables(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError, match=f"{said}.*voca learns from recordings as they are"):
        train_run(TrainOptions("voca", str(tmp_path), **options), plan_of("voca"), tmp_path / "run", "cpu")


def test_tracks_that_are_too_short_or_not_there_are_one_line(tracks: Path, tmp_path: Path) -> None:
    plan = plan_of("pmmtalk-live", 1, steps=2, seconds=60.0)
    with pytest.raises(ModelError, match="no track is as long as a window of 60"):
        train_run(TrainOptions("pmmtalk-live", str(tracks)), plan, tmp_path / "run", "cpu", say=lambda _: None)
    with pytest.raises(ModelError, match="no tracks there"):
        train_run(TrainOptions("pmmtalk-live", str(tmp_path / "no")), plan, tmp_path / "run", "cpu")


def test_the_plan_of_the_shipped_model_is_its_recipe() -> None:
    plan = plan_of("pmmtalk-live")
    assert (plan.steps, plan.batch, plan.seconds, plan.rate, plan.joined) == (11_000, 16, 4.5, 1.5e-3, True)
    assert plan.shares == (3200, 7800) and plan_of("pmmtalk-live-33", 0).stages == ("whole",)
    assert plan_of("pmmtalk-live", 800, steps=5000).shares == (800, 4200)
    with pytest.raises(ModelError, match="--pretrain 9: expected 0 or more and less than the 9 steps"):
        plan_of("pmmtalk-live", 9, steps=9)


def test_a_run_of_the_tables_network_under_its_old_name_resumes_under_its_new_one(tmp_path: Path) -> None:
    from dataclasses import replace

    from speech_to_face_lab.protocols.splits import FILE
    from speech_to_face_lab.training.orders import keep_files

    old = TrainOptions("pmmtalk-live", "corpus")
    keep_files(old, plan_of("pmmtalk-small"), plan_of("voca"), tmp_path)
    (tmp_path / FILE).touch()
    keep_files(replace(old, model="pmmtalk-small"), plan_of("pmmtalk-small"), plan_of("voca"), tmp_path)
    with pytest.raises(ModelError, match="resume it with --model pmmtalk-small"):
        keep_files(old, plan_of("pmmtalk-live"), plan_of("voca"), tmp_path)


def test_the_module_is_the_same_run_under_the_names_that_the_cards_cite(
    tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training.torch, "set_flush_denormal", lambda _: True)
    command = ["training", "--tracks", str(tracks), "--run", str(tmp_path / "run"), "--steps", "2", "--pretrain", "1"]
    command += ["--batch", "2", "--seconds", "1.5", "--views", "text", "audio", "--drop", "temporal"]
    monkeypatch.setattr("sys.argv", command)
    chosen = training.options()
    order, plan = training.order_of(chosen), training.planned(chosen)
    assert order.changes == ("delay=3", "views=[audio, text]") and order.data == str(tracks)
    assert (plan.steps, plan.shares, plan.batch, plan.drop) == (2, (1, 1), 2, ("temporal",))
    whole = training.order_of

    def tiny(chosen: Any) -> TrainOptions:
        return TrainOptions("pmmtalk-live", str(chosen.tracks), "tracks", changes=TINY)

    monkeypatch.setattr(training, "order_of", tiny)
    training.main()
    assert (tmp_path / "run" / CHECKPOINT / "step.onnx").is_file() and "1 tracks" in capsys.readouterr().out
    monkeypatch.setattr(training, "order_of", whole)


def test_a_folder_without_tracks_is_one_line_of_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.torch, "set_flush_denormal", lambda _: True)
    monkeypatch.setattr("sys.argv", ["training", "--tracks", str(tmp_path / "nowhere"), "--run", str(tmp_path / "run")])
    with pytest.raises(SystemExit, match="no tracks there"):
        training.main()
