"""The table of networks: what each is built of, and values that a user may change."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.base import ModelError
from models.training.examples import Batch
from models.training.program.systems import ABLATIONS, SYSTEMS, config_of, network_of, system

torch.set_num_threads(1)
SMALL = sorted(name for name, row in SYSTEMS.items() if row.data == "windows")
FRAMES = 24


@pytest.fixture(scope="module")
def batch() -> Batch:
    torch.manual_seed(0)
    labels = torch.randint(0, 30, (2, FRAMES))
    curves = 0.3 * torch.rand(2, FRAMES, 32)
    return Batch(torch.randn(2, FRAMES, 160), curves, torch.ones(2, 1, 32), labels, torch.zeros(2, FRAMES), torch.tensor([0, 2]))


def built(name: str) -> nn.Module:
    torch.manual_seed(0)
    return network_of(system(name), config_of(system(name), ("anna", "ben")))


@pytest.mark.parametrize("name", SMALL)
def test_every_stage_of_every_small_network_moves_what_it_trains(name: str, batch: Batch) -> None:
    network = built(name).train()
    for stage in network.stages:  # type: ignore[union-attr]
        network.zero_grad(set_to_none=True)
        terms = network.terms(batch, stage)  # type: ignore[operator]
        torch.stack(list(terms.values())).sum().backward()
        trained = [p for p in network.trained(stage) if p.requires_grad]  # type: ignore[operator]
        assert trained and any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in trained), f"{name}: {stage} learns nothing"
        assert set(system(name).drop) <= set(terms) or stage != network.stages[-1]  # type: ignore[index]


def test_small_networks_are_of_one_size() -> None:
    sizes = {name: sum(p.numel() for p in built(name).parameters()) / 1e6 for name in SMALL}
    assert all(1.4 <= size <= 2.0 for size in sizes.values()), sizes


def test_shares_fit_the_stages() -> None:
    assert all(len(SYSTEMS[name].shares) == len(built(name).stages) for name in SMALL)  # type: ignore[arg-type]


def test_pmmtalk_has_the_papers_six_ablations() -> None:
    ending = [name.removeprefix("pmmtalk-live-without-") for name in ABLATIONS]
    assert ending == ["text", "audio", "image", "temporal", "semantic", "motion"]
    views = {name: config_of(system(name), ()).views for name in ABLATIONS}
    assert [len(views[name]) for name in ABLATIONS] == [2, 2, 2, 3, 3, 3]


def test_a_value_of_the_config_can_be_changed() -> None:
    assert config_of(system("codetalker"), (), ("slots=2", "space=shape")).slots == 2
    assert config_of(system("pmmtalk-live"), (), ("views=[audio]",)).views == ("audio",)


@pytest.mark.parametrize(
    ("change", "said"),
    [("width", "expected KEY=VALUE"), ("widht=3", "expected KEY=VALUE with one of"), ("width=wide", "wrong kind of value"),
     ("decoder_width=15", "decoder_width")],
)  # fmt: skip
def test_a_change_that_does_not_fit_is_one_line(change: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        config_of(system("dualtalker"), (), (change,))


def test_an_unknown_network_is_told_what_there_is() -> None:
    with pytest.raises(ModelError, match="no network 'pmtalk' to train, expected one of voca, faceformer"):
        system("pmtalk")
