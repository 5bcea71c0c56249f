"""The losses of CodeTalker's two stages.

From the paper: L1 of rebuilt motion and the codebook's loss; then squared error of motion and of latents against the
codes of the true motion. Added: cross-entropy over the codes of each slot; the mean faces; and feedback other than the
truth. The paper always feeds back true motion (teacher forcing). At 60 frames a second the frame before is almost the
answer, and a network trained so repeats itself and hardly uses the audio; so most windows here read back the network's
own motion of a first pass, and some read nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.codetalker.network import CodeTalker

LATENT, CHOICE, MEAN = 0.02, 0.002, 1.0
"""Shares of the latents' squared error, of the cross-entropy, and of the mean faces."""
SHARPNESS = 10.0
"""Cosines times this are the logits of the cross-entropy."""
OWN, NOTHING = 0.9, 0.05
"""Shares of windows that read back what the network made of them, and that read nothing; the rest reads the truth."""


class Taught(Protocol):
    """The fields of `speech_to_face.networks.batch.Batch` that are read."""

    mel: Tensor
    """(windows, frames, 160)"""
    curves: Tensor
    """(windows, frames, channels)"""
    known: Tensor
    """(windows, 1, channels): 1 for channels that the window's source carries."""
    style: Tensor
    """int64 (windows,)"""


class TrainableCodeTalker(CodeTalker):
    """The network with its two stages of training; a `speech_to_face_lab.training.trainable.Trainable`."""

    stages = ("prior", "speech")
    undecayed = ("styles.weight",)
    """Its mean faces are learnt with the prior; while speech is learnt nothing teaches them, and they must not fade."""

    def terms(self, batch: Taught, stage: str) -> dict[str, Tensor]:
        """Weighted losses of a batch in a stage."""
        style = self.styles(batch.style)
        return prior_terms(self, batch, style) if stage == "prior" else speech_terms(self, batch, style)

    def trained(self, stage: str) -> Iterable[nn.Parameter]:
        """The prior and the mean faces; then, the prior frozen, the audio encoder and the speech decoder."""
        if stage == "prior":
            return [*self.prior.parameters(), *self.styles.parameters()]
        return [*self.audio.parameters(), *self.speech.parameters(), *self.styles.parameters()]


def motion_of(network: CodeTalker, batch: Taught, style: Tensor) -> Tensor:
    """The batch's curves as the codes see them (windows, frames, channels); 0 in channels that are not known."""
    _, mean = network.parts(style.detach())
    return (batch.curves - (mean[:, None] if isinstance(mean, Tensor) else mean)) * batch.known


def prior_terms(network: CodeTalker, batch: Taught, style: Tensor) -> dict[str, Tensor]:
    """Stage "prior"."""
    prior, motion = network.prior, motion_of(network, batch, style)
    rebuilt, latent, indices = prior.rebuild(motion)
    if network.training:
        prior.codebook.restart_unused(latent, indices)
    found = {
        "rebuilt": mean_over_known(torch.abs(rebuilt - motion), batch.known),
        "codebook": prior.codebook.loss(latent, indices),
    }
    _, mean = network.parts(style)
    if isinstance(mean, Tensor):
        found["mean"] = MEAN * mean_over_known(((mean - batch.curves.mean(1)) ** 2)[:, None], batch.known)
    return found


def speech_terms(network: CodeTalker, batch: Taught, style: Tensor) -> dict[str, Tensor]:
    """Stage "speech": row n of what the network gives belongs to frame n - delay."""
    late, motion, book = network.config.delay, motion_of(network, batch, style), network.prior.codebook
    with torch.no_grad():
        wanted = book.nearest(network.prior.encoder(motion))[:, :-late]
    latent, spoken = spoken_with_feedback(network, batch.mel, network.parts(style)[0], motion)
    latent, target = latent[:, late:], motion[:, :-late]
    return {
        "motion": mean_over_known((spoken[:, late:] - target) ** 2, batch.known),
        "latent": LATENT * latent_loss(latent, book.vectors(wanted).detach()),
        "choice": CHOICE * choice_loss(book.likeness(latent), wanted),
    }


def spoken_with_feedback(network: CodeTalker, mel: Tensor, manner: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
    """All steps at once, as in training: latents (windows, steps, slots, code width) and the motion of their codes,
    `delay` steps late."""
    states = network._named(network.initial_states(len(mel)))
    audio, _ = network.audio(mel, states.audio)
    fed = read_back(motion, network.config.delay + 1)
    if network.training:
        fed = untrue(network, fed, manner, audio, torch.rand(len(fed), device=fed.device))
    return _spoken(network, fed, manner, audio)


def _spoken(network: CodeTalker, fed: Tensor, manner: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
    states = network._named(network.initial_states(len(fed)))
    latent, _ = network.speech(fed, manner, audio, states.clock, states.layers)
    codes, _ = network.prior.codebook.snap(latent)
    return latent, network.prior.decode(codes)


def read_back(motion: Tensor, steps: int) -> Tensor:
    """(windows, frames, channels) moved `steps` later; nothing is fed before the first."""
    return F.pad(motion, (0, 0, steps, 0))[:, : motion.shape[1]]


@torch.no_grad()
def untrue(network: CodeTalker, fed: Tensor, manner: Tensor, audio: Tensor, lot: Tensor) -> Tensor:
    """What each window reads back: lot (windows,) in [0, 1) decides between its own motion, nothing and the truth
    `fed`."""
    fed, own = fed.clone(), lot < OWN
    if own.any():
        fed[own] = read_back(_spoken(network, fed[own], manner[own], audio[own])[1], 1).to(fed)
    fed[~own & (lot < OWN + NOTHING)] = 0.0
    return fed


def mean_over_known(errors: Tensor, known: Tensor) -> Tensor:
    """errors (windows, frames, channels), known (windows, 1, channels) of 0 and 1 -> their mean over what is known; 0
    where nothing is."""
    return (errors * known).sum() / (known.sum() * errors.shape[1]).clamp(min=1)


def latent_loss(latent: Tensor, codes: Tensor) -> Tensor:
    """Squared distance of latents, brought to length one, from the codes they should be; mean over vectors."""
    return ((F.normalize(latent, dim=-1) - codes) ** 2).sum(-1).mean()


def choice_loss(likeness: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of cosines (..., codes) as logits against indices int64 (...); mean over slots and frames."""
    return F.cross_entropy((SHARPNESS * likeness).flatten(0, -2), wanted.flatten())
