"""The live PMMTalk network, trained as the paper says (equation 8 and section IV-E) for comparison with the other small
systems: `--model pmmtalk-small`.

The shipped model adds terms of its own (lips that close, an aperture, augmentation; see `live` and `terms`). They are
left out here: every system in a table of the papers is trained on the same data by its own paper's objective. What is
not the paper's:

* position and motion are divided by `UNIT_VARIANCE`, which keeps their 1 : 10 and makes them heavier beside the other
  terms;
* temporal and semantic alignment weigh 0.01 each, of means over the last `ALIGN_FRAMES` frames, where the paper has
  1e-4 and 1e-5 (of sums, as we read it); the temporal target is a band around the diagonal, not the softmax of the
  identity;
* stage "face" keeps the branches' own losses of phones (0.4) and picture (1), which the paper's frozen branches do not
  have: they tell the audio encoder, which is trained on, what the frozen branches need to hear.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk import faces, losses
from speech_to_face.networks.pmmtalk.branches import States, to_patches
from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face_lab.training.objectives.aligned import (
    DRAW_EVERY,
    FROZEN,
    branches,
    drawn,
    in_step,
    predict,
    random_seed,
)
from speech_to_face_lab.training.objectives.terms import ALIGN_FRAMES, Weights, image_loss

UNIT_VARIANCE = 0.01
"""Squared errors count in units of what a mouth channel does (a standard deviation of a tenth): the paper's 1 : 10 of
position and motion stays, and the branches' own losses, which are of the size of one, do not outweigh them."""


class SmallPMMTalk(nn.Module):
    """`PMMTalk` as a causal network (`speech_to_face.streaming.causal_model.CausalNetwork`) that is a
    `speech_to_face_lab.training.trainable.Trainable`.

    Stage "branches": the pseudo-text and pseudo-image branches learn to hear phones and to draw mouths, as the paper's
    come pre-trained. Stage "face": both are frozen, the audio encoder, the alignment heads and the decoder learn the
    coefficients (equation 8).
    """

    stages = ("branches", "face")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = PMMTalk(config)

    @property
    def styles(self) -> nn.Embedding:
        """Rows of (branch_width,), one a style, the last one the unknown speaker's."""
        return self.network.styles

    def initial_states(self, batch: int = 1) -> States:
        """Steps so far, int64 (); the default face's code and mouth crop, which do not change; then the states of the
        layers."""
        device = self.network.out.weight.device
        with device:
            face = faces.draw_reference(faces.default_look()).expand(batch, -1, -1, -1)
            with torch.no_grad():
                code = self.network.reference(face)
            crop = to_patches(faces.crop_mouth(face, self.config.image_size))
            return [torch.zeros((), dtype=torch.long), code, crop, *self.network.initial_states(batch)]

    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """See `speech_to_face.streaming.causal_model.CausalNetwork`."""
        clock, code, crop, *layers = states
        out, after, _ = self.network(mel, style, code, crop, clock, layers)
        return out, [clock + mel.shape[1], code, crop, *after]

    def exported(self) -> dict[str, Tensor]:
        """Tensors of a checkpoint folder, as `speech_to_face.networks.pmmtalk.loading` reads them: the weights, and the
        default face made ready."""
        _, code, crop, *_ = self.initial_states()
        return {**self.network.state_dict(), FACE_CODE: code, FACE_CROP: crop}

    def trained(self, stage: str) -> Iterator[nn.Parameter]:
        """ "branches": the audio encoder and what is frozen later; "face": all but that."""
        frozen = tuple(f"{part}." for part in FROZEN)
        for name, parameter in self.network.named_parameters():
            first = name.startswith(("audio.", *frozen))
            if first if stage == "branches" else not name.startswith(frozen):
                yield parameter

    def terms(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """Weighted losses. Every window sees a face of its own (the paper's random reference image)."""
        device = batch.mel.device
        with device:
            look = faces.random_look(batch.mel.shape[0], torch.Generator(device).manual_seed(random_seed()))
            reference, crop = drawn(look, self.config.image_size)
            own = self._branch_terms if stage == "branches" else self._face_terms
            return own(batch, look, reference, crop)

    def _branch_terms(self, batch: Batch, look: faces.Look, reference: Tensor, crop: Tensor) -> dict[str, Tensor]:
        log_phones, images = branches(self.network, batch, reference, crop)
        return self._heard_and_seen(log_phones, images, look, crop, in_step(batch, self.config.delay))

    def _face_terms(self, batch: Batch, look: faces.Look, reference: Tensor, crop: Tensor) -> dict[str, Tensor]:
        predicted, views = predict(self.network, batch, reference, crop)
        truth = in_step(batch, self.config.delay)
        weight, share = (batch.known / UNIT_VARIANCE).expand_as(predicted), Weights()
        aligned = {name: view[:, -ALIGN_FRAMES:] for name, view in views.aligned.items()}
        target = losses.band(min(ALIGN_FRAMES, predicted.shape[1]), predicted.device)
        return {
            "position": share.position * losses.position(predicted, truth.curves, weight),
            "motion": share.motion * losses.motion(predicted, truth.curves, batch.known / UNIT_VARIANCE),
            "temporal": share.temporal * losses.temporal_alignment(aligned, target),
            "semantic": share.semantic * losses.semantic_alignment(aligned),
            **self._heard_and_seen(views.log_phones, views.images[:, ::DRAW_EVERY], look, crop, truth),
        }

    def _heard_and_seen(
        self, log_phones: Tensor, images: Tensor, look: faces.Look, crop: Tensor, truth: Batch
    ) -> dict[str, Tensor]:
        """The branches' own losses; frozen, they still tell the audio encoder what they need to hear."""
        image = image_loss(images, look, crop, truth.curves[:, ::DRAW_EVERY])
        phones = Weights().phones * losses.phone_loss(log_phones, truth.labels)
        return {"phones": phones, "image": Weights().image * image}
