"""The motion prior: its past is final."""

from __future__ import annotations

from dataclasses import replace

import torch

from speech_to_face.networks.codetalker.network import CodeTalker

from .conftest import TINY, built


@torch.no_grad()
def test_the_motion_of_the_first_codes_is_the_beginning_of_the_motion_of_all(network: CodeTalker) -> None:
    codes = torch.randn(2, 20, TINY.slots, TINY.code_width)
    whole = network.prior.decode(codes)
    for frames in (1, 8, 19):
        torch.testing.assert_close(network.prior.decode(codes[:, :frames]), whole[:, :frames], atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_later_motion_does_not_change_the_codes_of_earlier_frames(network: CodeTalker) -> None:
    motion = torch.randn(1, 20, 32)
    other = motion.clone()
    other[:, 12:] += 1
    before, after = network.prior.encoder(motion), network.prior.encoder(other)
    torch.testing.assert_close(before[:, :12], after[:, :12], atol=1e-6, rtol=1e-5)
    assert (before[:, 12:] - after[:, 12:]).abs().min(-1).values.max() > 0


@torch.no_grad()
def test_decoding_frame_by_frame_gives_the_same_motion_and_states_that_never_grow(network: CodeTalker) -> None:
    codes, decoder = torch.randn(1, 12, TINY.slots, TINY.code_width), network.prior.decoder
    states = decoder.stack.silence(1, codes)
    shapes = [state.shape for state in states]
    found = []
    for frame in range(12):
        motion, states = decoder(codes[:, frame : frame + 1], torch.tensor([frame]), states)
        found.append(motion)
    torch.testing.assert_close(torch.cat(found, 1), network.prior.decode(codes), atol=1e-6, rtol=1e-5)
    assert [state.shape for state in states] == shapes


def test_a_short_training_rebuilds_motion() -> None:
    network = built(replace(TINY, prior_width=32)).train()
    times = torch.linspace(0, 12, 40)[None, :, None] + torch.arange(4.0)[:, None, None]
    motion = 0.3 * torch.sin(times + torch.linspace(0, 3, 32))
    optimiser = torch.optim.Adam(network.prior.parameters(), 5e-3)
    errors = []
    for _ in range(60):
        rebuilt, latent, indices = network.prior.rebuild(motion)
        error = torch.abs(rebuilt - motion).mean()
        optimiser.zero_grad()
        (error + network.prior.codebook.loss(latent, indices)).backward()
        optimiser.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.5 * errors[0]
