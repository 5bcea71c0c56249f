"""The network and optimiser of an adaptation: the shipped recipe from a checkpoint's weights, with the text and image
branches frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import IterableDataset

from arkit_mapping.whole_file import whole_file
from speech_to_face import checkpoint
from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.config import Config, save_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face_lab.training.data.examples import Windows
from speech_to_face_lab.training.loop.accelerated import on_device
from speech_to_face_lab.training.loop.plan import Plan
from speech_to_face_lab.training.loop.state import FILE, Average, Progress, put_moments, restore, save
from speech_to_face_lab.training.loop.step import clip_to, rate_of_run, set_rate, take_step
from speech_to_face_lab.training.objectives.aligned import drawn, in_step, look_on, predict
from speech_to_face_lab.training.objectives.live import LivePMMTalk
from speech_to_face_lab.training.objectives.terms import Weights, objective

JUDGED = ("position", "motion", "aperture")
"""Terms of the held-out loss: the mouth's, not the phones'."""
STAGE = "face"
"""Of `LivePMMTalk`: the text and image branches are frozen."""


class Mixture(IterableDataset[Batch]):
    """Batches of windows of the takes and of the answers to keep, side by side, all under the unknown style."""

    def __init__(self, takes: Windows, kept: Windows, style: int) -> None:
        self.takes, self.kept, self.style = takes, kept, style

    def __iter__(self) -> Iterator[Batch]:
        for new, old in zip(self.takes, self.kept, strict=False):
            yield unstyled(
                Batch(*(torch.cat([getattr(new, f.name), getattr(old, f.name)]) for f in fields(Batch))), self.style
            )


def unstyled(batch: Batch, style: int) -> Batch:
    """`style`: the row of the table that stands for no style in particular."""
    return replace(batch, style=torch.full_like(batch.style, style))


@dataclass(frozen=True, slots=True)
class Start:
    """What an adaptation begins with."""

    base: Path
    """Folder of the checkpoint."""
    config: Config
    spread: Tensor
    """float32 (32,): standard deviation of each channel in the takes."""


class Adaptation:
    """A network that begins with a checkpoint's weights, or resumes where its run stopped."""

    def __init__(self, start: Start, plan: Plan, run: Path, device: str) -> None:
        self.config, self.plan, self.device = start.config, plan, torch.device(device)
        self.state_file = run / FILE
        self.network = LivePMMTalk(start.config).to(self.device)
        self.network.learn_from(start.spread)
        self.network.lots = torch.Generator().manual_seed(plan.seed)
        self.average, self.progress, moments = Average(self.network), Progress(), dict[str, Tensor]()
        if self.state_file.exists():
            self.progress, moments = restore(self.state_file, self.network, self.average)
        else:
            self.network.load_state_dict(load_network(start.base, start.config).state_dict())
            self.average = Average(self.network)
        betas = (plan.betas[0], plan.betas[1])
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay, betas=betas
        )
        put_moments(self.optimiser, self.network, moments, self.step)
        self._freeze()

    @property
    def step(self) -> int:
        """Steps so far."""
        return self.progress.step

    def _freeze(self) -> None:
        self.network.requires_grad_(False)
        for parameter in self.network.trained(STAGE):
            parameter.requires_grad_(True)

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Learn from one batch; returns its weighted losses."""
        set_rate(self.optimiser, rate_of_run(self.plan.rate, self.step, self.step / self.plan.steps))
        terms = self.network.terms(on_device(batch, self.device), STAGE)
        found = take_step(terms, self.optimiser, torch.Tensor.backward, lambda: clip_to(self.network, self.plan.clip))
        self.progress.step += 1
        self.average.update(self.network, self.step)
        return found

    def save(self) -> None:
        """Write the state to resume from."""
        save(self.state_file, self.network, self.average, self.optimiser, self.progress)

    @torch.no_grad()
    def held_loss(self, batches: list[Batch]) -> float:
        """Mean loss of batches, by the averaged weights, which are the ones that are written."""
        now = {name: p.detach().clone() for name, p in self.network.named_parameters()}
        self.average.copy_to(self.network)
        try:
            return sum(self._loss(on_device(batch, self.device)) for batch in batches) / len(batches)
        finally:
            for name, p in self.network.named_parameters():
                p.data.copy_(now[name])

    def _loss(self, batch: Batch) -> float:
        reference, crop = drawn(look_on(faces.default_look(), self.device), self.config.image_size)
        many = (batch.mel.shape[0], -1, -1, -1)
        predicted, views = predict(self.network, batch, reference.expand(many), crop.expand(many))
        truth = in_step(batch, self.config.delay)
        terms = objective(predicted, views, truth, self.network.channel, Weights())
        return float(torch.stack([terms[name] for name in JUDGED]).sum())

    def keep_best(self, folder: Path) -> None:
        """The averaged weights as a run of their own, which `export.make_checkpoint` reads."""
        folder.mkdir(exist_ok=True)
        save_config(self.config, folder / checkpoint.CONFIG)
        with whole_file(folder / FILE) as part:
            save_file(
                {f"average.{name}": value.cpu().contiguous() for name, value in self.average.weights.items()}, part
            )
