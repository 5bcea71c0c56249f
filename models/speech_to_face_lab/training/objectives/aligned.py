"""A PMMTalk network over whole training windows, with its look-ahead taken out: row k of every result is frame k."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.network import PMMTalk, Views

DRAW_EVERY = 9
"""Frames between those whose mouth is drawn and compared: drawing all would cost more than the network."""
FROZEN = ("text.blocks", "text.head", "head", "reference")
"""Modules of the text and image branches, which are frozen after their stage, as the paper's are."""


def in_step(batch: Batch, late: int) -> Batch:
    """The batch without the curves, labels and seals of its last `late` frames: they would need audio after the
    window's end."""
    kept = batch.mel.shape[1] - late
    cut: dict[str, Any] = {name: getattr(batch, name)[:, :kept] for name in ("curves", "labels", "sealed")}
    return replace(batch, **cut)


def predict(network: PMMTalk, batch: Batch, reference: Tensor, crop: Tensor) -> tuple[Tensor, Views]:
    """Coefficients (windows, frames - delay, channels), not clamped, and what the losses read of the same frames.

    reference (windows, 3, pixels, pixels) and crop (windows, 3, pixels, pixels), as `drawn` makes them.
    """
    late, states = network.config.delay, network.initial_states(batch.mel.shape[0])
    clock = torch.zeros((), dtype=torch.long, device=batch.mel.device)
    style, code = network.styles(batch.style), network.reference(reference)
    out, _, views = network(batch.mel, style, code, to_patches(crop), clock, states)
    aligned = {name: view[:, late:] for name, view in views.aligned.items()}
    return out[:, late:], Views(views.log_phones[:, late:], views.images[:, late:], aligned)


def branches(network: PMMTalk, batch: Batch, reference: Tensor, crop: Tensor) -> tuple[Tensor, Tensor]:
    """Phone log-probabilities (windows, frames - delay, phones), and the drawn mouths of every `DRAW_EVERY`th of these
    frames, without the decoder."""
    late = network.config.delay
    drawn_frames = slice(late, None, DRAW_EVERY)
    log_phones, images = network.branches(batch.mel, network.reference(reference), to_patches(crop), drawn_frames)
    return log_phones[:, late:], images


def drawn(look: faces.Look, image_size: int) -> tuple[Tensor, Tensor]:
    """Reference faces of a look and the crops of their mouths, on the look's device."""
    with look.skin.device:
        reference = faces.draw_reference(look)
        return reference, faces.crop_mouth(reference, image_size)


def look_on(look: faces.Look, device: torch.device) -> faces.Look:
    """The same look on another device."""
    return faces.Look(*(getattr(look, field.name).to(device) for field in fields(look)))


def random_seed() -> int:
    """A seed for faces, of torch's own random numbers on the CPU, so that a seeded run draws the same ones."""
    return int(torch.randint(2**31, (), device="cpu"))
