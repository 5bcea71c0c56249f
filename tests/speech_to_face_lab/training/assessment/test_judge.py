"""How small networks are judged: alignment, closures, and figures whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from arkit_mapping.channels import MOUTH_32
from speech_to_face.phones import INDEX
from speech_to_face.streaming.stepped import PRIME_STEPS
from speech_to_face_lab.tracks import About, Track
from speech_to_face_lab.training.assessment.judge import animate, compared, onsets, real_time_factor, recall_of, score

torch.set_num_threads(1)
AA, PB, SIL = INDEX["AA"], INDEX["PB"], INDEX["SIL"]


class Echo(nn.Module):
    """Step n gives the first 32 features of step n - 3: a network that knows the answer where features hold the
    curves."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(delay=3)
        self.styles = nn.Embedding(2, 4)

    def initial_states(self, batch: int = 1) -> list[Tensor]:
        return [torch.zeros(batch, 3, 32)]

    def forward(self, mel: Tensor, style: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        late = torch.cat([states[0], mel[..., :32]], 1)
        return late[:, : mel.shape[1]], [late[:, mel.shape[1] :]]


@dataclass
class Spoken:
    curves: np.ndarray
    labels: np.ndarray


def spoken(frames: int = 700) -> Spoken:
    """Open for half a second, shut for a p of a tenth, and so on."""
    labels = np.full(frames, AA, np.uint8)
    curves = np.zeros((frames, 32), np.float32)
    curves[:, MOUTH_32.index("jawOpen")] = 0.5
    for at in range(30, frames, 36):
        labels[at : at + 6], curves[at : at + 6] = PB, 0
    labels[:5] = SIL
    return Spoken(curves, labels)


def track_of(said: Spoken) -> Track:
    mel = np.zeros((len(said.curves), 160), np.float16)
    mel[:, :32] = said.curves
    return Track("one", About("one"), mel, said.curves.astype(np.float16), said.labels, np.zeros(len(mel), np.float16))


def test_a_network_that_knows_the_answer_makes_no_error() -> None:
    found = score(Echo(), [track_of(spoken()), track_of(spoken())], 650)
    assert found.errors.lve_sq == pytest.approx(0, abs=1e-9) and found.errors.r2 == pytest.approx(1)
    assert found.closure_recall == 1.0


def test_frames_are_in_step_and_none_is_missing() -> None:
    mel = torch.rand(2, 500, 160)
    assert torch.equal(animate(Echo(), mel), mel[..., :32])


def test_a_network_that_holds_nothing_back_hears_no_silence_after_the_end() -> None:
    network, heard = Echo(), list[int]()
    network.config.delay = 0
    network.register_forward_pre_hook(lambda _, given: heard.append(given[0].shape[1]))
    animate(network, torch.rand(1, 20, 160))
    assert sum(heard) == PRIME_STEPS + 20


def test_coefficients_are_clamped() -> None:
    made = animate(Echo(), torch.full((1, 4, 160), 3.0))
    assert torch.equal(made, torch.ones(1, 4, 32))


def test_errors_are_those_of_the_formula() -> None:
    track = track_of(spoken(100))
    face = track.curves.astype(np.float32).copy()
    face[:, 0] += 0.2
    face[:, 1] += 0.1
    found = compared([face], [track]).errors
    assert found.lve_sq == pytest.approx(0.04, abs=1e-4) and found.ale_sq == pytest.approx((0.04 + 0.01) / 32, abs=1e-5)
    assert found.lve_abs == pytest.approx(0.2, abs=1e-3) and found.ale_abs == pytest.approx(0.3 / 32, abs=1e-4)


def test_a_mouth_that_never_closes_recalls_no_more_than_chance() -> None:
    said = spoken()
    open_mouth = np.zeros_like(said.curves)
    open_mouth[:, MOUTH_32.index("jawOpen")] = 0.5
    assert recall_of([open_mouth], [said.labels]) <= 0.11


def test_onsets_beside_a_closure_are_not_counted_as_open() -> None:
    labels = np.full(60, AA, np.uint8)
    labels[20:24] = PB
    labels[45:] = INDEX["IY"] if "IY" in INDEX else INDEX["S"]
    assert onsets(labels) == [(20, True), (45, False)]


def test_recall_without_any_closure_is_nan() -> None:
    assert np.isnan(recall_of([np.zeros((50, 32), np.float32)], [np.full(50, AA, np.uint8)]))


def test_the_real_time_factor_is_work_over_speech() -> None:
    assert 0 < real_time_factor(Echo(), steps=5) < 1
