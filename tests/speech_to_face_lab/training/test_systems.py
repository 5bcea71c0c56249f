"""The table of networks: what each is built of, and values that a user may change."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from cases import case
from torch import nn

from speech_to_face.base import ModelError
from speech_to_face.networks.batch import Batch
from speech_to_face_lab.training.orders import plan_of
from speech_to_face_lab.training.systems import ABLATIONS, SYSTEMS, check, config_of, network_of, system

torch.set_num_threads(1)
SMALL = sorted(name for name, row in SYSTEMS.items() if row.data != "clips")
FRAMES = 24


@pytest.fixture(scope="module")
def batch() -> Batch:
    torch.manual_seed(0)
    labels = torch.randint(0, 30, (2, FRAMES))
    curves = 0.3 * torch.rand(2, FRAMES, 32)
    return Batch(
        torch.randn(2, FRAMES, 160), curves, torch.ones(2, 1, 32), labels, torch.zeros(2, FRAMES), torch.tensor([0, 2])
    )


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
        assert trained and any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in trained), (
            f"{name}: {stage} learns nothing"
        )
        assert set(system(name).plan.drop) <= set(terms) or stage != network.stages[-1]  # type: ignore[index]


def test_small_networks_are_of_one_size() -> None:
    sizes = {name: sum(p.numel() for p in built(name).parameters()) / 1e6 for name in SMALL}
    assert all(1.4 <= size <= 2.0 for size in sizes.values()), sizes


def test_shares_fit_the_stages() -> None:
    assert all(len(SYSTEMS[name].plan.shares) == len(built(name).stages) for name in SMALL)  # type: ignore[arg-type]


def test_pmmtalk_has_the_papers_six_ablations() -> None:
    ending = [name.removeprefix("pmmtalk-small-without-") for name in ABLATIONS]
    assert ending == ["text", "audio", "image", "temporal", "semantic", "motion"]
    views = {name: config_of(system(name), ()).views for name in ABLATIONS}
    assert [len(views[name]) for name in ABLATIONS] == [2, 2, 2, 3, 3, 3]


def test_a_value_of_the_config_can_be_changed() -> None:
    assert config_of(system("codetalker"), (), ("slots=2", "space=shape")).slots == 2
    assert config_of(system("pmmtalk-live"), (), ("views=[audio]",)).views == ("audio",)
    assert config_of(system("pmmtalk"), (), ("semantic_weight=1e-06",)).semantic_weight == 1e-6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("width", "expected KEY=VALUE"),
        ("widht=3", "expected KEY=VALUE with one of"),
        ("width=wide", "wrong kind of value"),
        ("decoder_width=15", "decoder_width"),
    ],
)
def test_a_change_that_does_not_fit_is_one_line(change: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        config_of(system("dualtalker"), (), (change,))


def test_sizes_that_make_no_network_are_one_line_before_anything_is_read() -> None:
    for change in [
        "width=[1",
        "width=2001-99-99",
        "heads=0",
        "width=-1",
        "width=0",
        "decoder_width=0",
        "decoder_width=-2",
        "window=0",
        "period=0",
        "dilations=[0]",
        "width=99999999999999",
        "image_convs=[12]",
        "conv_widths=[]",
        "conv_kernels=[3]",
        "image_heads=0",
        "view_width=0",
        "delay=-1",
    ]:
        for name in ["dualtalker", "codetalker", "emotalk", "pmmtalk-live", "pmmtalk"]:
            with case(name, change):
                with pytest.raises(ModelError) as caught:
                    check(name, (change,), ())
                assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_a_network_that_can_be_built_passes() -> None:
    check("pmmtalk", ("image_convs=[12]", "image_heads=4"), ())
    check("pmmtalk-small", ("delay=0",), ())


def test_public_weights_are_for_the_network_that_has_parts_for_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--begin: codetalker has no part that public weights fill"):
        check("codetalker", (), (str(tmp_path),))
    with pytest.raises(ModelError, match="nowhere: no such folder"):
        check("pmmtalk", (), (str(tmp_path / "nowhere"),))


@pytest.mark.parametrize("name", SMALL)
def test_validation_moves_no_buffer_and_no_weight(name: str, batch: Batch) -> None:
    network = built(name).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        for stage in network.stages:  # type: ignore[union-attr]
            assert all(bool(torch.isfinite(term)) for term in network.terms(batch, stage).values())  # type: ignore[operator]
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_paper_size_network_learns_as_its_paper_says_and_the_small_ones_as_ever() -> None:
    keys = ("rate", "schedule", "betas", "weight_decay", "clip", "batch")
    paper, small = ([getattr(plan_of(name), key) for key in keys] for name in ("pmmtalk", "codetalker"))
    assert paper == [1e-4, "constant", (0.9, 0.999), 0.0, 0.0, 1] and small == [
        1.5e-3,
        "cosine",
        (0.9, 0.98),
        0.01,
        1.0,
        8,
    ]


def test_an_unknown_network_is_told_what_there_is() -> None:
    with pytest.raises(ModelError, match="no network 'pmtalk' to train, expected one of voca, faceformer"):
        system("pmtalk")
