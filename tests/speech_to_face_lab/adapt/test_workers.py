"""Several processes learn as one: their gradients are averaged before each step."""

from __future__ import annotations

import sys

import pytest
import torch

from speech_to_face.base import ModelError
from speech_to_face_lab.adapt.workers import Workers, workers


class Neighbour:
    """Stands for an accelerator whose other process always has `theirs`."""

    def __init__(self, theirs: float) -> None:
        self.theirs = theirs

    def reduce(self, tensor: torch.Tensor, how: str) -> torch.Tensor:
        assert how == "mean"
        return (tensor + self.theirs) / 2


def test_a_step_follows_the_mean_of_all_gradients():
    weights = [
        torch.nn.Parameter(torch.zeros(2)),
        torch.nn.Parameter(torch.zeros(1)),
        torch.nn.Parameter(torch.zeros(1)),
    ]
    optimiser = torch.optim.SGD(weights, lr=1.0)
    Workers(1, "cpu", Neighbour(3.0)).follow(optimiser)
    weights[0].grad, weights[1].grad = torch.tensor([1.0, 5.0]), torch.tensor([-3.0])
    optimiser.step()
    assert weights[0].tolist() == [-2.0, -4.0] and weights[1].tolist() == [0.0] and weights[2].tolist() == [0.0]


def test_one_process_alone_needs_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setitem(sys.modules, "accelerate", None)
    alone = workers("cpu")
    assert alone.first and alone.mean(2.5) == 2.5
    alone.wait()


def test_several_processes_without_accelerate_are_told_what_is_missing(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ModelError, match="pip install accelerate"):
        workers("cpu")
