"""Ablations: each names options that training knows, a finished one is not run again, and a table has what was
measured."""

import argparse
import sys

import pytest

from speech_to_face.loading import load_model
from speech_to_face_lab.evaluation import evaluate
from speech_to_face_lab.training import __main__ as training
from speech_to_face_lab.training.assessment import ablations


@pytest.mark.parametrize("name", ablations.ABLATIONS)
def test_training_knows_the_options_of_every_ablation(name, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["training", "--tracks", "t", "--run", "r", *ablations.ABLATIONS[name]])
    chosen = training.options()
    kept = (chosen.views == list(training.VIEWS), chosen.drop == [], chosen.without == [], not chosen.no_augmentation)
    assert kept.count(False) == (0 if name == "everything" else 1), "one thing is left out, and one only"


def test_a_finished_run_is_not_run_again(tiny_checkpoint, tmp_path, monkeypatch):
    chosen = argparse.Namespace(out=tmp_path, steps=10, pretrain=2)
    folder = ablations.folder_of("without real speech", chosen) / "checkpoint"
    folder.parent.mkdir()
    folder.symlink_to(tiny_checkpoint)
    monkeypatch.setattr(ablations.subprocess, "run", lambda *_, **__: pytest.fail("ran again"))
    assert ablations.train("without real speech", chosen) == folder


def test_a_row_has_a_cell_for_every_column_and_a_dash_for_what_was_not_measured(tiny_checkpoint, tmp_path):
    (tmp_path / "val.json").write_text("[]")
    report = evaluate(load_model(str(tiny_checkpoint), device="cpu"), tmp_path, posteriors="none here")
    cells = ablations.row("everything", report)
    assert len(cells) == len(ablations.HEAD) and cells[0] == "everything"
    assert set(cells[1:]) == {"–"}
