"""Choosing codes: the loop is the same in one piece, in blocks and in single steps, and the same as in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch

from speech_to_face.networks.codetalker.config import Config
from speech_to_face.networks.codetalker.network import CodeTalker
from speech_to_face.networks.codetalker.objective import TrainableCodeTalker, _spoken, read_back

from .conftest import TINY, built

STEPS = 30


def sound(batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(batch, STEPS, 160), 0.3 * torch.randn(batch, TINY.row)


@torch.no_grad()
def run(network: CodeTalker, sizes: int | tuple[int, ...]) -> torch.Tensor:
    mel, style = sound()
    states, parts = network.initial_states(2), []
    style = style[:, : network.config.row]
    for part in mel.split(sizes, 1):  # type: ignore[no-untyped-call]
        out, states = network(part, style, states)
        parts.append(out)
    return torch.cat(parts, 1)


@pytest.mark.parametrize("sizes", [1, 7, (29, 1)], ids=["steps", "blocks", "block and step"])
@pytest.mark.parametrize("space", ["motion", "shape"])
def test_any_split_of_the_sound_gives_the_same_mouth(
    space: Literal["motion", "shape"], sizes: int | tuple[int, ...]
) -> None:
    network = built(replace(TINY, space=space))
    wanted = run(network, STEPS)
    torch.testing.assert_close(run(network, sizes), wanted, atol=1e-5, rtol=1e-4)
    assert wanted.std(1).max() > 1e-3, "a mouth that stands still is equal to anything"


def test_a_codebook_of_shapes_has_no_mean_face(network: CodeTalker) -> None:
    assert built(replace(TINY, space="shape")).parts(torch.ones(1, TINY.style_width))[1] == 0.0
    assert network.styles.weight.shape[1] == TINY.style_width + 32


def test_what_training_computes_at_once_is_what_the_loop_gives_step_by_step(network: CodeTalker) -> None:
    """Fed what the loop fed itself, all steps at once choose the loop's codes."""
    mel, style = sound()
    manner, mean = network.parts(style)
    looped = run(network, STEPS) - mean[:, None]  # type: ignore[index]
    with torch.no_grad():
        audio, _ = network.audio(mel, network.initial_states(2)[:2])
        _, at_once = _spoken(network, read_back(looped, 1), manner, audio)
    torch.testing.assert_close(at_once, looped, atol=1e-5, rtol=1e-4)


def test_the_mean_face_is_added_to_the_motion_and_does_not_change_it(network: CodeTalker) -> None:
    mel, style = sound(1)
    other = style.clone()
    other[:, TINY.style_width :] += torch.linspace(-0.2, 0.2, 32)
    with torch.no_grad():
        found, moved = (network(mel, one, network.initial_states())[0] for one in (style, other))
    torch.testing.assert_close(moved - found, torch.linspace(-0.2, 0.2, 32).expand_as(found), atol=1e-5, rtol=0)


def test_how_somebody_speaks_changes_the_motion(network: CodeTalker) -> None:
    mel, style = sound(1)
    other = style.clone()
    other[:, : TINY.style_width] += 2
    with torch.no_grad():
        found, moved = (network(mel, one, network.initial_states())[0] for one in (style, other))
    assert (moved - found).abs().max() > 1e-3


def test_each_stage_moves_its_own_part(network: TrainableCodeTalker) -> None:
    prior, speech = ({id(p) for p in network.trained(stage)} for stage in network.stages)
    names = {id(p): name for name, p in network.named_parameters()}
    assert {names[p].split(".")[0] for p in prior} == {"prior", "styles"}
    assert {names[p].split(".")[0] for p in speech} == {"audio", "speech", "styles"}
    assert prior | speech == set(names)


def test_the_small_network_is_within_its_size() -> None:
    config = Config(styles=tuple(f"subject-{n}" for n in range(30)))
    assert sum(value.numel() for value in CodeTalker(config).state_dict().values()) < 2_500_000


@pytest.mark.parametrize(("name", "value"), [("decoder_width", 30), ("prior_width", 10), ("slots", 0), ("delay", 0)])
def test_sizes_that_cannot_be_built_are_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        Config(**{name: value})
