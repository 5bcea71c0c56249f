"""The shipped network, trained as it is shipped: two stages (section IV-E), the terms of `terms`, random faces.

Stage "branches": the pseudo-text and pseudo-image branches learn to hear phones and to draw mouths. Stage "face": both
are frozen, as the paper's are, and the audio encoder and the decoder learn the coefficients, while the frozen branches'
own losses keep what they hear in its place. Stage "whole", for a run that starts from trained weights: nothing is
frozen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from arkit_mapping.channels import MOUTH_32
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.networks.batch import IGNORED, Batch
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP
from speech_to_face.networks.pmmtalk.losses import phone_loss
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face_lab.training.loop.state import FILE, fill, load_average
from speech_to_face_lab.training.objectives.aligned import (
    DRAW_EVERY,
    FROZEN,
    branches,
    drawn,
    in_step,
    look_on,
    predict,
    random_seed,
)
from speech_to_face_lab.training.objectives.terms import (
    CLOSED,
    OPEN,
    Weights,
    aperture,
    channel_weights,
    image_loss,
    objective,
)


class LivePMMTalk(PMMTalk):
    """`PMMTalk` as a `speech_to_face_lab.training.trainable.Trainable`; its tensors are those of the checkpoint."""

    stages = ("branches", "face")
    whole = "whole"
    """The one stage of a run without pre-training."""
    compiled = True
    """A checkpoint has an ONNX graph."""
    channel: Tensor
    """float32 (32,): one over the variance of each channel; `learn_from` sets it."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.lots: torch.Generator | None = None
        """Draws the faces of the windows; None: each batch draws by torch's own random numbers."""
        self.register_buffer("channel", torch.ones(len(config.channels)), persistent=False)

    def learn_from(self, spread: Tensor) -> None:
        """Weigh errors by how far each channel moves.

        spread: float32 (32,), its standard deviation in the training data.
        """
        self.channel = channel_weights(spread).to(self.channel)

    def trained(self, stage: str) -> Iterator[nn.Parameter]:
        """ "branches": the audio encoder and what is frozen later; "face": all but that; "whole": all."""
        frozen = tuple(f"{part}." for part in FROZEN)
        for name, parameter in self.named_parameters():
            first = name.startswith(("audio.", *frozen))
            if stage == self.whole or (first if stage == "branches" else not name.startswith(frozen)):
                yield parameter

    def terms(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """Weighted losses. Every window sees a face of its own (the paper's random reference image), drawn by lot on
        the CPU, so that a seed gives the same faces on every device."""
        lot = faces.random_look(batch.mel.shape[0], self.lots or torch.Generator().manual_seed(random_seed()))
        look = look_on(lot, batch.mel.device)
        reference, crop = drawn(look, self.config.image_size)
        truth = in_step(batch, self.config.delay)
        if stage == "branches":
            log_phones, images = branches(self, batch, reference, crop)
            found = {"phones": phone_loss(log_phones, truth.labels)}
        else:
            predicted, views = predict(self, batch, reference, crop)
            images = views.images[:, ::DRAW_EVERY]
            found = objective(predicted, views, truth, self.channel, Weights())
        with batch.mel.device:
            found["image"] = Weights().image * image_loss(images, look, crop, truth.curves[:, ::DRAW_EVERY])
        return found

    @torch.no_grad()
    def measures(self, batch: Batch, stage: str) -> dict[str, float]:
        """`scores` of a batch under the default face; none before the decoder is trained."""
        if stage == "branches":
            return {}
        predicted, log_phones = self.seen(batch)
        return scores(predicted, log_phones, in_step(batch, self.config.delay))

    def seen(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Coefficients and phone log-probabilities of a batch under the default face."""
        reference, crop = drawn(look_on(faces.default_look(), batch.mel.device), self.config.image_size)
        many = (batch.mel.shape[0], -1, -1, -1)
        predicted, views = predict(self, batch, reference.expand(many), crop.expand(many))
        return predicted, views.log_phones

    @torch.no_grad()
    def exported(self) -> dict[str, Tensor]:
        """Tensors of a checkpoint: the weights, and the default face as the reference encoder sees it."""
        face, crop = drawn(look_on(faces.default_look(), self.out.weight.device), self.config.image_size)
        return {**self.state_dict(), FACE_CODE: self.reference(face), FACE_CROP: to_patches(crop)}


def build(config: Config) -> LivePMMTalk:
    """The network with new weights. ModelError for a config without look-ahead."""
    if config.delay < 1:
        raise ModelError(
            f"delay {config.delay}: expected 1 or more; without look-ahead lips close too late to be seen closed"
        )
    return LivePMMTalk(config)


def begin(network: LivePMMTalk, folders: Sequence[Path]) -> str:
    """Start from trained weights: the averaged ones of a run, or those of a checkpoint. Returns "", no warning.

    Styles and look-ahead may differ, sizes may not. ModelError names what does not fit.
    """
    if len(folders) > 1:
        raise ModelError(f"--begin: got {len(folders)} folders, expected one run or checkpoint to start from")
    for folder in folders:
        if (folder / FILE).exists():
            load_average(folder / FILE, network)
        else:
            fill(folder / checkpoint.WEIGHTS, network, checkpoint_tensors(folder / checkpoint.WEIGHTS))
    return ""


def checkpoint_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a checkpoint's weights file. ModelError for one that is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error}); install the model again") from error


def scores(predicted: Tensor, log_phones: Tensor, batch: Batch) -> dict[str, float]:
    """Measures of a validation batch whose look-ahead is taken out.

    Returns
    -------
    dict
        phones: share of known frames whose phone is right. r: mean correlation over the channels that move and are
        known in every window; jaw_r: of the jaw. closed: share of sealed frames whose lips are less than `CLOSED`
        apart; false_closed: the same of frames whose target is more than `OPEN` apart.
    """
    p, t = predicted.flatten(0, 1), batch.curves.flatten(0, 1)
    live = torch.where((t.std(0) > 0.01) & (batch.known[:, 0] > 0).all(0))[0]
    jaw = MOUTH_32.index("jawOpen")
    open_target = (aperture(batch.curves) > OPEN) & (batch.sealed == 0)
    closed, heard = aperture(predicted) < CLOSED, batch.labels != IGNORED
    return {
        "phones": float((log_phones.argmax(-1) == batch.labels)[heard].float().mean()),
        "r": float(torch.tensor([_correlation(p[:, i], t[:, i]) for i in live]).mean()),
        "jaw_r": _correlation(p[:, jaw], t[:, jaw]),
        "closed": float(closed[batch.sealed > 0.99].float().mean()),
        "false_closed": float(closed[open_target].float().mean()),
    }


def _correlation(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one, other]))[0, 1])
