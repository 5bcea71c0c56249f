"""What each term of the objective asks for, and what costs nothing."""

from dataclasses import replace

import pytest
import torch

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.batch import IGNORED, Batch
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.losses import phone_loss
from speech_to_face.networks.pmmtalk.network import Views
from speech_to_face.phones import CLASSES, INDEX
from speech_to_face_lab.training.objectives.terms import (
    GAP_WEIGHTS,
    LEADING,
    LIPS,
    SEALED_WEIGHT,
    SMALLEST_SD,
    Weights,
    aperture,
    aperture_loss,
    channel_weights,
    image_loss,
    objective,
    spread_loss,
)

FRAMES, PLAIN = 90, torch.ones(32)
JAW, CLOSE, SMILE = (MOUTH_32.index(name) for name in ("jawOpen", "mouthClose", "mouthSmileLeft"))


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    mouth = 0.3 + 0.2 * torch.sin(torch.arange(FRAMES) / 5)[None, :, None].expand(2, -1, 32)
    labels = torch.full((2, FRAMES), INDEX["AA"])
    return Batch(
        torch.zeros(2, FRAMES, 160),
        mouth,
        torch.ones(2, 1, 32),
        labels,
        torch.zeros(2, FRAMES),
        torch.zeros(2, dtype=torch.long),
    )


def views() -> Views:
    torch.manual_seed(1)
    return Views(
        torch.zeros(2, FRAMES, 30).log_softmax(-1), torch.zeros(0), {name: torch.randn(2, FRAMES, 4) for name in "abc"}
    )


def terms(predicted: torch.Tensor, batch: Batch, channel: torch.Tensor = PLAIN, **weights: float) -> dict[str, float]:
    return {
        name: float(term) for name, term in objective(predicted, views(), batch, channel, Weights(**weights)).items()
    }


MOUTH_TERMS = ("position", "motion", "aperture", "spread")


def test_the_right_mouth_costs_nothing_and_every_term_is_there(batch):
    found = terms(batch.curves, batch)
    assert set(found) == {*MOUTH_TERMS, "phones", "temporal", "semantic"}
    assert all(found[name] == pytest.approx(0, abs=1e-9) for name in MOUTH_TERMS)


def test_every_terms_share_is_a_factor(batch):
    wrong = batch.curves * 1.3 + 0.05
    one, two = (
        terms(wrong, batch),
        terms(wrong, batch, position=2.0, motion=20.0, phones=0.8, aperture=1.0, spread=0.4, temporal=0.02),
    )
    for name in (*MOUTH_TERMS, "phones", "temporal"):
        assert one[name] > 0 and two[name] == pytest.approx(2 * one[name], rel=1e-4), name


def test_lips_that_must_be_closed_count_as_often_as_the_weight_says(batch):
    sealed = replace(batch, sealed=torch.ones(2, FRAMES))
    lips, others = batch.curves.clone(), batch.curves + 0.1
    lips[..., LIPS] += 0.1
    others[..., LIPS] -= 0.1
    assert terms(lips, sealed)["position"] == pytest.approx(SEALED_WEIGHT * terms(lips, batch)["position"], rel=1e-4)
    assert terms(others, sealed)["position"] == pytest.approx(terms(others, batch)["position"])


def test_a_mouth_open_on_a_sealed_frame_costs_more_than_on_another(batch):
    first = torch.zeros(2, FRAMES)
    first[:, :10] = 1
    ajar = batch.curves.clone()
    ajar[:, :10, JAW] += 0.2
    at_seal, later = terms(ajar, replace(batch, sealed=first)), terms(ajar, replace(batch, sealed=first.flip(1)))
    assert at_seal["position"] + at_seal["aperture"] > 1.5 * (later["position"] + later["aperture"])


def test_channels_that_nobody_measured_cost_nothing(batch):
    known = torch.ones(2, 1, 32)
    known[:, :, SMILE] = 0
    wrong = batch.curves.clone()
    wrong[..., SMILE] = torch.rand(2, FRAMES)
    found = terms(wrong, replace(batch, known=known))
    assert all(found[name] == pytest.approx(0, abs=1e-9) for name in MOUTH_TERMS)
    assert all(terms(wrong, batch)[name] > 0 for name in ("position", "motion", "spread"))


def test_an_unmeasured_channel_gets_no_gradient(batch):
    known = torch.ones(2, 1, 32)
    known[:, :, SMILE] = 0
    predicted = (batch.curves + 0.1 * torch.rand(2, FRAMES, 32)).requires_grad_()
    sum(objective(predicted, views(), replace(batch, known=known), PLAIN, Weights()).values()).backward()
    assert not predicted.grad[..., SMILE].any() and predicted.grad[..., JAW].any()


def test_phones_nobody_knows_cost_nothing(batch):
    sure = torch.full((2, FRAMES, 30), -20.0)
    sure[..., INDEX["AA"]] = 0.0
    labels = batch.labels.clone()
    labels[:, ::2] = IGNORED
    assert phone_loss(sure, labels) == pytest.approx(0)
    wrong = sure.roll(1, -1)
    assert phone_loss(wrong, labels) == pytest.approx(20), "the mean is over those that are known"
    assert phone_loss(wrong, torch.full_like(labels, IGNORED)) == 0


def test_an_unsure_guess_costs_the_logarithm_of_the_classes(batch):
    assert phone_loss(views().log_phones, batch.labels) == pytest.approx(float(torch.tensor(len(CLASSES)).log()))


def test_the_spread_term_pulls_a_mouth_that_moves_too_little(batch):
    mean = batch.curves.mean(1, keepdim=True)
    still = (mean + 0.5 * (batch.curves - mean)).requires_grad_()
    cost = spread_loss(still, batch, PLAIN)
    assert (
        cost
        > spread_loss(mean + 0.9 * (batch.curves - mean), batch, PLAIN)
        > spread_loss(batch.curves, batch, PLAIN)
        == 0
    )
    cost.backward()
    outward = ((batch.curves - mean) * -still.grad).sum()
    assert outward > 0, "downhill is away from the mean"


def test_the_spread_term_does_not_mind_where_or_when(batch):
    assert spread_loss(batch.curves.flip(1) + 0.1, batch, PLAIN) == pytest.approx(0, abs=1e-9)


def test_a_still_mouth_that_should_be_still_has_a_finite_gradient(batch):
    still = torch.full((2, FRAMES, 32), 0.2, requires_grad=True)
    spread_loss(still, replace(batch, curves=torch.zeros(2, FRAMES, 32)), PLAIN).backward()
    assert torch.isfinite(still.grad).all()


def test_the_aperture_counts_only_where_every_channel_of_it_is_known(batch):
    known = torch.ones(2, 1, 32)
    known[1, :, CLOSE] = 0
    ajar = batch.curves.clone()
    ajar[..., JAW] += 0.1
    both, one = aperture_loss(ajar, batch), aperture_loss(ajar, replace(batch, known=known))
    assert both == pytest.approx(1.0, rel=1e-3) and one == pytest.approx(float(both) / 2, rel=1e-4)
    known[:] = 1
    known[:, :, torch.where(GAP_WEIGHTS == 0)[0]] = 0
    assert aperture_loss(ajar, replace(batch, known=known)) == both, "what does not open the lips need not be known"


def test_aperture_is_what_is_left_between_the_lips():
    mouth = torch.zeros(32)
    mouth[JAW] = 0.4
    assert aperture(mouth) == pytest.approx(0.4)
    mouth[CLOSE] = 0.4
    assert aperture(mouth) == pytest.approx(0)
    for side in ("Left", "Right"):
        mouth[MOUTH_32.index("mouthPress" + side)] = 0.2
    assert aperture(mouth) == pytest.approx(-0.1), "a pair counts as its mean"


def test_channels_count_in_units_of_what_they_do_and_leading_ones_twice():
    sd = torch.full((32,), 0.1)
    sd[SMILE] = 0.0
    weight = channel_weights(sd)
    other = MOUTH_32.index("mouthRollLower")
    assert weight[other] == pytest.approx(100) and weight[LEADING] == pytest.approx(200)
    assert weight[SMILE] == pytest.approx(1 / SMALLEST_SD**2), "a channel that never moves does not outweigh all others"


def test_the_drawn_mouth_is_compared_with_the_mouth_of_the_same_frame():
    look = faces.default_look()
    crop = faces.crop_mouth(faces.draw_reference(look), 24)
    mouth = torch.zeros(1, 3, 32)
    mouth[0, 1, JAW] = 0.8
    each = faces.Look(*(value.expand(len(mouth[0]), *value.shape[1:]) for value in fields(look)))
    right = to_patches(faces.draw_mouth(each, mouth[0], crop.expand(len(mouth[0]), -1, -1, -1)))[None]
    assert image_loss(right, look, crop, mouth) == pytest.approx(0, abs=1e-6)
    assert image_loss(right.roll(1, 1), look, crop, mouth) > 0.005


def fields(look: faces.Look) -> tuple[torch.Tensor, ...]:
    return look.skin, look.lips, look.width, look.thickness, look.height
