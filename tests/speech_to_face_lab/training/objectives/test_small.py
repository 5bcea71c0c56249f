"""The small PMMTalk of the papers' table: causal, trained in two stages, exported as the live system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arkit_mapping.channels import MOUTH_32
from speech_to_face.loading import load_model
from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face.phones import CLASSES
from speech_to_face.streaming.features import LogMel
from speech_to_face_lab.training.assessment.judge import animate
from speech_to_face_lab.training.export import write_checkpoint
from speech_to_face_lab.training.objectives.aligned import in_step
from speech_to_face_lab.training.objectives.small import UNIT_VARIANCE, SmallPMMTalk

torch.set_num_threads(1)
TINY = Config(
    width=32,
    decoder_width=24,
    dilations=(1, 2),
    text_dilations=(1,),
    branch_width=16,
    image_size=16,
    window=24,
    heads=2,
    phones=CLASSES,
    styles=("anna", "ben"),
    channels=MOUTH_32,
)


def network(seed: int = 0) -> SmallPMMTalk:
    torch.manual_seed(seed)
    made = SmallPMMTalk(TINY)
    torch.nn.init.normal_(made.network.out.weight, std=0.1)
    return made


def batch(frames: int = 30) -> Batch:
    torch.manual_seed(1)
    labels = torch.randint(0, len(CLASSES), (2, frames))
    mel, curves, known = torch.randn(2, frames, 160), torch.rand(2, frames, 32), torch.ones(2, 1, 32)
    return Batch(mel, curves, known, labels, torch.zeros(2, frames), torch.tensor([0, 2]))


def test_steps_one_by_one_give_what_a_whole_window_gives() -> None:
    small, mel = network().eval(), torch.randn(1, 70, 160)
    style = small.styles.weight[:1]
    with torch.inference_mode():
        whole, _ = small(mel, style, small.initial_states())
        states, single = small.initial_states(), []
        for step in range(70):
            out, states = small(mel[:, step : step + 1], style, states)
            single.append(out)
    assert float((torch.cat(single, 1) - whole).abs().max()) < 1e-5


def test_the_delay_is_taken_out_of_the_truth() -> None:
    cut = in_step(batch(), 3)
    assert cut.curves.shape[1] == cut.labels.shape[1] == cut.sealed.shape[1] == 27
    assert torch.equal(cut.curves, batch().curves[:, :27]) and cut.mel.shape[1] == 30


def test_without_a_delay_nothing_is_cut_and_everything_is_learnt_from() -> None:
    assert torch.equal(in_step(batch(), 0).curves, batch().curves)
    torch.manual_seed(0)
    small = SmallPMMTalk(replace(TINY, delay=0))
    for stage in small.stages:
        assert all(bool(torch.isfinite(term)) for term in small.terms(batch(), stage).values())


def test_position_and_motion_are_equations_9_and_10_one_to_ten() -> None:
    small, given = network().train(), batch()
    torch.manual_seed(5)
    with torch.no_grad():
        terms = small.terms(given, "face")
        predicted, _ = small(given.mel, small.styles(given.style), _states(small))
    face, truth = predicted[:, 3:], given.curves[:, :27]
    assert float(terms["position"]) == pytest.approx(float((face - truth).square().mean()) / UNIT_VARIANCE, rel=1e-4)
    apart = (face[:, 1:] - face[:, :-1]) - (truth[:, 1:] - truth[:, :-1])
    assert float(terms["motion"]) == pytest.approx(10 * float(apart.square().mean()) / UNIT_VARIANCE, rel=1e-4)


def _states(small: SmallPMMTalk) -> list[torch.Tensor]:
    """As `terms` begins when torch's seed is 5: random faces, then silence."""
    torch.manual_seed(5)
    look = faces.random_look(2, torch.Generator().manual_seed(int(torch.randint(2**31, ()))))
    reference = faces.draw_reference(look)
    code, crop = small.network.reference(reference), to_patches(faces.crop_mouth(reference, TINY.image_size))
    return [torch.zeros((), dtype=torch.long), code, crop, *small.network.initial_states(2)]


def test_channels_that_are_not_known_do_not_count() -> None:
    given = replace(batch(), known=torch.zeros(2, 1, 32))
    with torch.no_grad():
        terms = network().terms(given, "face")
    assert float(terms["position"]) == 0 and float(terms["motion"]) == 0


def test_each_stage_names_its_losses() -> None:
    small = network()
    assert set(small.terms(batch(), "branches")) == {"phones", "image"}
    assert set(small.terms(batch(), "face")) == {"position", "motion", "temporal", "semantic", "phones", "image"}


def test_what_hears_and_draws_is_frozen_in_the_second_stage() -> None:
    small = network()
    names = {id(p): name for name, p in small.network.named_parameters()}
    first, second = ({names[id(p)] for p in small.trained(stage)} for stage in small.stages)
    frozen = {name for name in names.values() if name.startswith(("text.blocks", "text.head", "head.", "reference."))}
    assert frozen and frozen <= first and not frozen & second
    assert second | first == set(names.values()) and "out.weight" in second - first


def test_a_branch_that_is_left_out_is_not_read() -> None:
    without = SmallPMMTalk(replace(TINY, views=("audio", "image")))
    assert without.network.fuse.in_features == TINY.width + 2 * TINY.branch_width


def test_the_exported_folder_is_the_same_network_live(tmp_path: Path) -> None:
    small = network().eval()
    write_checkpoint(small, tmp_path / "small", "# small\n")
    model = load_model(str(tmp_path / "small"), device="cpu")
    sound = (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)
    mel = torch.from_numpy(LogMel().push(sound))[None]
    bare = animate(small, mel)[0].numpy()
    live = model.animate(sound)
    floored = np.clip((bare - TINY.floor) / (1 - TINY.floor), 0, 1)
    assert np.abs(live[: len(bare) - 3] - floored[: len(live)][: len(bare) - 3]).max() < 1e-5
