"""A network computes on the threads that suit it, and the program around it keeps its own number."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from speech_to_face import checkpoint
from speech_to_face.loading import load_model
from speech_to_face.streaming.causal_model import CausalSteps
from speech_to_face.torch_threads import torch_threads

SECOND = np.zeros(16_000, np.float32)


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    """What the host program has chosen."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", checkpoint.names())
def test_loading_a_model_and_running_it_leave_pytorch_s_number_of_threads_alone(name: str) -> None:
    load_model(name, device="cpu").animate(SECOND)
    assert torch.get_num_threads() == 3


def test_without_a_graph_the_network_runs_in_pytorch_and_leaves_it_alone(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "tiny")
    (folder / checkpoint.GRAPH).unlink()
    checkpoint.write_sums(folder)
    load_model(str(folder), device="cpu").animate(SECOND)
    assert torch.get_num_threads() == 3


class Counting(torch.nn.Module):
    """A network that says how many threads its operators use."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[int] = []

    def initial_states(self) -> list[torch.Tensor]:
        return []

    def forward(
        self, mel: torch.Tensor, _style: torch.Tensor, states: list[torch.Tensor]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        self.seen.append(torch.get_num_threads())
        return mel, states


@pytest.mark.parametrize(("asked", "seen"), [(1, 1), (None, 3)])
def test_steps_run_on_the_threads_that_were_asked_for(asked: int | None, seen: int) -> None:
    network = Counting()
    CausalSteps(network, np.zeros(1, np.float32), asked).run(np.zeros((2, 160), np.float32))
    assert set(network.seen) == {seen} and torch.get_num_threads() == 3


def test_an_error_leaves_the_number_as_it_was_and_threads_that_begin_later_have_it_too() -> None:
    with pytest.raises(ZeroDivisionError), torch_threads(1):
        raise ZeroDivisionError
    seen: list[int] = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert (torch.get_num_threads(), seen) == (3, [3])
