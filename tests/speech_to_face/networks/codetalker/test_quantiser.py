"""Which code a latent becomes, and what gradients come back through the choice."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from speech_to_face.networks.codetalker.quantiser import Codebook


@pytest.fixture
def book() -> Codebook:
    """Codes to the right, up and to the left, of different lengths."""
    made = Codebook(3, 2)
    with torch.no_grad():
        made.codes.copy_(torch.tensor([[2.0, 0.0], [0.0, 0.5], [-1.0, 0.0]]))
    return made


def test_the_nearest_code_is_the_most_alike_whatever_its_length(book: Codebook) -> None:
    latent = torch.tensor([[0.1, 0.0], [3.0, 4.0], [-5.0, 1.0]])
    assert book.nearest(latent).tolist() == [0, 1, 2]
    torch.testing.assert_close(book.likeness(latent)[1], torch.tensor([0.6, 0.8, -0.6]))


def test_snapping_gives_codes_of_length_one(book: Codebook) -> None:
    codes, indices = book.snap(torch.tensor([[3.0, 4.0], [-5.0, 1.0]]))
    torch.testing.assert_close(codes, torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    assert indices.tolist() == [1, 2]


def test_the_gradient_passes_straight_through_the_choice(book: Codebook) -> None:
    pull = torch.tensor([[0.3, -0.7]])
    latent = torch.tensor([[3.0, 4.0]], requires_grad=True)
    (book.snap(latent)[0] * pull).sum().backward()
    free = torch.tensor([[3.0, 4.0]], requires_grad=True)
    (F.normalize(free, dim=-1) * pull).sum().backward()
    torch.testing.assert_close(latent.grad, free.grad)
    assert latent.grad is not None and latent.grad.abs().sum() > 0
    assert book.codes.grad is None


def test_the_loss_is_the_squared_distance_once_for_codes_and_a_quarter_for_latents(book: Codebook) -> None:
    latent = torch.tensor([[3.0, 4.0]])  # (0.6, 0.8) against the code (0, 1): 0.36 + 0.04, over two numbers
    assert float(book.loss(latent, torch.tensor([1])).detach()) == pytest.approx(1.25 * 0.2)


def test_the_loss_pulls_codes_four_times_as_hard_as_latents(book: Codebook) -> None:
    with torch.no_grad():
        book.codes.copy_(F.normalize(book.codes, dim=-1))
    latent = torch.tensor([[0.6, 0.8]], requires_grad=True)
    book.loss(latent, torch.tensor([1])).backward()
    assert latent.grad is not None and book.codes.grad is not None
    # Both turn on the unit circle, so the pulls along it are of one size but for the share.
    assert float(book.codes.grad[1].norm()) == pytest.approx(4 * float(latent.grad.norm()), rel=1e-5)


def test_a_code_that_is_hardly_ever_used_begins_anew_at_a_latent_of_the_batch(book: Codebook) -> None:
    torch.manual_seed(0)
    latent = torch.tensor([[1.0, 1.0], [1.0, 0.9]])
    used = torch.tensor([0, 0])
    restarted = [book.restart_unused(latent, used) for _ in range(95)]
    assert sum(restarted) == 2, "each of the two that nobody used, once"
    assert restarted.index(2) == 89, "0.95 ** 90 is the first below 0.01"
    units = F.normalize(latent, dim=-1)
    for code in (1, 2):
        assert any(torch.allclose(book.codes[code], unit) for unit in units)
    torch.testing.assert_close(book.codes[0], torch.tensor([2.0, 0.0]))
