"""One training run: the network, its optimiser and average, and the two stages of PMMTalk (section IV-E).

First the pseudo-text and pseudo-image branches learn to hear phones and to draw mouths; then both are frozen, as the
paper's are, and the audio encoder and the decoder learn the coefficients while the frozen branches' own losses keep
what they hear in its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face.networks.pmmtalk.network import PMMTalk, Views
from speech_to_face_lab.training.examples import IGNORED, Batch
from speech_to_face_lab.training.objective import (
    CLOSED,
    DRAW_EVERY,
    OPEN,
    Weights,
    aperture,
    image_loss,
    objective,
    phone_loss,
)
from speech_to_face_lab.training.state import MOMENTS, Average, restore, take_over

WARM_UP = 100
FROZEN = ("text.blocks", "text.head", "head", "reference")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast a run learns."""

    run: Path
    steps: int
    pretrain: int = 0
    """The first steps, for the text and image branches alone."""
    rate: float = 1.5e-3
    """Highest learning rate."""
    seed: int = 0
    device: str = "cpu"
    dropped: tuple[str, ...] = ()
    """Terms of the objective that are left out."""
    start: Path | None = None
    """Folder of another run whose averaged weights a new run starts from."""


class Loop:
    """Model, optimiser, running average; resumes from `plan.run`."""

    def __init__(self, config: Config, channel: Tensor, plan: Plan) -> None:
        self.config, self.plan, self.step = config, plan, 0
        self.device = torch.device(plan.device)
        self.model = PMMTalk(config).to(self.device)
        self.average = Average(self.model)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=plan.rate, weight_decay=0.01, betas=(0.9, 0.98))
        self.channel = channel.to(self.device)
        self.looks = torch.Generator().manual_seed(plan.seed)
        self.state_file = plan.run / "state.safetensors"
        if self.state_file.exists():
            self.step = restore(self.state_file, self.model, self.average, self.optimiser)
            self._keep_moments_beside_their_weights()
        elif plan.start is not None:
            take_over(plan.start / self.state_file.name, self.model, self.average)

    def _keep_moments_beside_their_weights(self) -> None:
        for p, state in self.optimiser.state.items():
            state.update({moment: state[moment].to(p.device) for moment in MOMENTS})

    @property
    def pretraining(self) -> bool:
        return self.step < self.plan.pretrain

    def train_step(self, batch: Batch) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self._freeze(not self.pretraining and self.plan.pretrain > 0)
        terms = {name: term for name, term in self._terms(batch).items() if name not in self.plan.dropped}
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.model, self.step)
        return {name: float(value.detach()) for name, value in terms.items()}

    def _freeze(self, frozen: bool) -> None:
        for part in FROZEN:
            self.model.get_submodule(part).requires_grad_(not frozen)

    def _rate(self) -> float:
        """Linear at first, then a cosine down to nothing."""
        falling = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / self.plan.steps)))
        return self.plan.rate * min(1.0, (self.step + 1) / WARM_UP) * falling + 1e-6

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        look = self._here(faces.random_look(batch.mel.shape[0], self.looks))
        reference, crop = self._drawn(look)
        batch_now = self.in_step(batch)
        if self.pretraining:
            log_phones, images = self._branches(batch, reference, crop)
            terms = {"phones": phone_loss(log_phones, batch_now.labels)}
        else:
            predicted, views = self.predict(batch, reference, crop)
            images = views.images[:, ::DRAW_EVERY]
            terms = objective(predicted, views, batch_now, self.channel, Weights())
        with self.device:  # it draws too
            terms["image"] = Weights().image * image_loss(images, look, crop, batch_now.curves[:, ::DRAW_EVERY])
        return terms

    def _here(self, look: faces.Look) -> faces.Look:
        """The same look on the loop's device: looks are drawn by lot on the CPU, so that a seed gives the same faces
        everywhere."""
        return faces.Look(*(getattr(look, field.name).to(self.device) for field in fields(look)))

    def _drawn(self, look: faces.Look) -> tuple[Tensor, Tensor]:
        """Reference faces and their mouths' crops, drawn where the look lies."""
        with self.device:
            reference = faces.draw_reference(look)
            return reference, faces.crop_mouth(reference, self.config.image_size)

    def in_step(self, batch: Batch) -> Batch:
        """The batch's frames that the network can have heard: the last `delay` ones would need sound after its end."""
        kept = batch.mel.shape[1] - self.config.delay
        return Batch(
            batch.mel, batch.curves[:, :kept], batch.known, batch.labels[:, :kept], batch.sealed[:, :kept], batch.style
        )

    def _branches(self, batch: Batch, reference: Tensor, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Phone log-probabilities and some drawn mouths, without the decoder; the delay is taken out."""
        drawn = slice(self.config.delay, None, DRAW_EVERY)
        log_phones, images = self.model.branches(batch.mel, self.model.reference(reference), to_patches(crop), drawn)
        return log_phones[:, self.config.delay :], images

    def predict(self, batch: Batch, reference: Tensor, crop: Tensor) -> tuple[Tensor, Views]:
        """Run a batch and take the delay out: row k of every result belongs to frame k."""
        style, code = self.model.styles(batch.style), self.model.reference(reference)
        states = self.model.initial_states(batch.mel.shape[0])
        out, _, views = self.model(
            batch.mel, style, code, to_patches(crop), torch.zeros((), dtype=torch.long, device=self.device), states
        )
        late = self.config.delay
        aligned = {name: view[:, late:] for name, view in views.aligned.items()}
        return out[:, late:], Views(views.log_phones[:, late:], views.images[:, late:], aligned)

    @torch.no_grad()
    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Phone accuracy, mean correlation of live channels, share of sealed frames that are closed and of open ones
        that are not."""
        reference, crop = self._drawn(self._here(faces.default_look()))
        rows = []
        for batch in batches:
            many = batch.mel.shape[0]
            predicted, views = self.predict(batch, reference.expand(many, -1, -1, -1), crop.expand(many, -1, -1, -1))
            rows.append(scores(predicted, views.log_phones, self.in_step(batch)))
        return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def scores(predicted: Tensor, log_phones: Tensor, batch: Batch) -> dict[str, float]:
    """Measures of one validation batch; correlations over the channels that move and are known in every window."""
    p, t = predicted.flatten(0, 1), batch.curves.flatten(0, 1)
    live = torch.where((t.std(0) > 0.01) & (batch.known[:, 0] > 0).all(0))[0]
    r = torch.tensor([float(torch.corrcoef(torch.stack([p[:, i], t[:, i]]))[0, 1]) for i in live]).mean()
    jaw = MOUTH_32.index("jawOpen")
    open_target = (aperture(batch.curves) > OPEN) & (batch.sealed == 0)
    closed, heard = aperture(predicted) < CLOSED, batch.labels != IGNORED
    return {
        "phones": float((log_phones.argmax(-1) == batch.labels)[heard].float().mean()),
        "r": float(r),
        "jaw_r": float(torch.corrcoef(torch.stack([p[:, jaw], t[:, jaw]]))[0, 1]),
        "closed": float(closed[batch.sealed > 0.99].float().mean()),
        "false_closed": float(closed[open_target].float().mean()),
    }
