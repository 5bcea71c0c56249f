"""`livelink-bridge train`: what it is given, what it says, and where the run lies."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from livelink_bridge import cli
from livelink_bridge.commands.models import train
from livelink_bridge.commands.options import with_settings
from speech_to_face.base import ModelError
from speech_to_face.phones import Phone
from speech_to_face_lab.corpus.engines import SAMPLE_RATE, Utterance
from speech_to_face_lab.corpus.store import write_voice
from speech_to_face_lab.training.loop import engine

torch.set_num_threads(1)
PAPA = tuple(Phone(("AA", "PB")[i % 2], i * 0.15, (i + 1) * 0.15) for i in range(20))
SMALL = ("width=16", "decoder_width=16", "dilations=[1]", "emotion_width=8", "emotion_dilations=[1]")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    sound = (0.3 * np.sign(np.sin(2 * np.pi * 120 * time)) * (time % 0.3 < 0.15)).astype(np.float32)
    for name in ("flite-awb", "flite-rms", "flite-slt"):
        write_voice(folder, name, {}, [Utterance("papa", sound, PAPA)])
    return folder


def run(arguments: Sequence[str]) -> Any:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(with_settings("train", train.train))
    return CliRunner().invoke(app, [*arguments, "--device", "cpu", *(f"--set={change}" for change in SMALL)])


def options(corpus: Path, folder: Path, *more: str) -> list[str]:
    return [
        "--model",
        "emotalk",
        "--data",
        str(corpus),
        "--run",
        str(folder),
        "--steps",
        "3",
        "--batch",
        "2",
        "--seconds",
        "0.5",
        *more,
    ]


def test_it_trains_and_says_what_to_do_with_it(corpus: Path, tmp_path: Path) -> None:
    done = run(options(corpus, tmp_path / "run"))
    assert done.exit_code == 0, done.output
    assert "3 clips of 3 subjects (1 train, 1 validation, 1 test)" in done.output
    assert "3 of at most 3 steps" in done.output and "use it with --model" in done.output
    assert (tmp_path / "run" / "checkpoint" / "SHA256SUMS").is_file()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--protocol", "cross-age"), "expected one of cross-subject, cross-gender"),
        (("--drop", "lips"), "no term 'lips' to leave out"),
        (("--set", "width=wide"), "wrong kind of value"),
        (("--rate", "0"), "must be above 0"),
        (("--corpus", "films"), "got kind 'films'"),
    ],
)
def test_what_cannot_be_is_one_line(corpus: Path, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    done = run(options(corpus, tmp_path / "run", *more))
    assert isinstance(done.exception, ModelError) and said in str(done.exception) and "\n" not in str(done.exception)


def test_a_run_that_was_finished_says_so(corpus: Path, tmp_path: Path) -> None:
    assert "finished before" not in run(options(corpus, tmp_path / "run")).output
    again = run(options(corpus, tmp_path / "run")).output
    assert "3 of at most 3 steps" in again and "finished before: nothing is left to learn" in again


def test_the_test_subjects_figures_are_told(corpus: Path, tmp_path: Path) -> None:
    assert "on 1 test subjects, " in run(options(corpus, tmp_path / "run")).output


def test_public_weights_for_a_network_that_takes_none_are_one_line(corpus: Path, tmp_path: Path) -> None:
    done = run(options(corpus, tmp_path / "run", "--begin", "pmmtalk-live"))
    assert isinstance(done.exception, ModelError) and "--begin: emotalk has no part that public weights fill" in str(
        done.exception
    )
    done = run(options(corpus, tmp_path / "run", "--begin", str(tmp_path)))
    assert isinstance(done.exception, ModelError) and "no config.yaml in it" in str(done.exception)


def test_ctrl_c_ends_with_130_and_one_line_and_the_same_command_goes_on(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = tmp_path / "run", engine.on_device

    def interrupted(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*given)

    command = ["train", *options(corpus, folder), "--device", "cpu", *(f"--set={change}" for change in SMALL)]
    monkeypatch.setattr(engine, "on_device", interrupted)
    assert cli.run(command) == 130
    assert (
        capfd.readouterr().err.splitlines()[-1] == f"stopped; the same command resumes from the last state in {folder}"
    )
    assert (folder / "state.safetensors").is_file()
    monkeypatch.undo()
    assert cli.run(command) == 0
    assert "3 of at most 3 steps" in capfd.readouterr().out


def test_the_options_of_the_shipped_recipe_reach_the_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def stop(order: Any, plan: Any, *_: Any) -> None:
        asked.extend((order, plan))
        raise ModelError("enough")

    monkeypatch.setattr("speech_to_face_lab.training.run.train_run", stop)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(with_settings("train", train.train))
    options = ["--pretrain", "10", "--without", "flite", "--without", "real", "--no-augmentation", "--steps", "40"]
    given = ["--model", "pmmtalk-live", "--data", str(corpus), "--run", str(tmp_path), "--device", "cpu", *options]
    assert str(CliRunner().invoke(app, given).exception) == "enough"
    order, plan = asked
    assert (order.without, order.augmentation) == (("flite", "real"), False)
    assert (plan.steps, plan.shares, plan.joined, plan.batch) == (40, (10, 30), True, 16)
