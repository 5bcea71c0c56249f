"""Steps of an adaptation: the loop of training from a checkpoint's weights, with what hears and draws frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import IterableDataset

from arkit_mapping.whole_file import whole_file
from speech_to_face import checkpoint
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.config import Config, save_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face_lab.training.examples import Batch, Windows
from speech_to_face_lab.training.loop import FROZEN, Loop, Plan
from speech_to_face_lab.training.objective import Weights, objective
from speech_to_face_lab.training.state import MOMENTS

JUDGED = ("position", "motion", "aperture")
"""Terms of the held-out loss: what the mouth does, not what is heard."""


class Mixture(IterableDataset[Batch]):
    """Batches of windows of the takes and of what is to be kept, side by side; no style in particular for any."""

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


def on_device(batch: Batch, device: torch.device) -> Batch:
    return Batch(*(getattr(batch, field.name).to(device) for field in fields(Batch)))


class Adaptation(Loop):
    """A run that begins with a checkpoint's weights, or goes on where it stopped."""

    def __init__(self, config: Config, channel: Tensor, plan: Plan, base: Path) -> None:
        super().__init__(config, channel, plan)
        if not self.state_file.exists():
            self.model.load_state_dict(load_network(base, config).state_dict())
            for name, p in self.model.named_parameters():
                self.average.weights[name].copy_(p.detach())
        for state in self.optimiser.state.values():
            state.update({name: state[name].to(self.device) for name in MOMENTS})
        self._freeze(True)
        self.looks = torch.Generator(self.device).manual_seed(plan.seed)

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        with self.device:  # faces are drawn where the network is
            return super()._terms(batch)

    def _freeze(self, frozen: bool) -> None:
        for part in FROZEN:
            self.model.get_submodule(part).requires_grad_(False)

    @torch.no_grad()
    def held_loss(self, batches: list[Batch]) -> float:
        """Of the averaged weights, which are the ones that are written."""
        now = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self._put(self.average.weights)
        try:
            return sum(self._loss(on_device(batch, self.device)) for batch in batches) / len(batches)
        finally:
            self._put(now)

    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, p in self.model.named_parameters():
            p.data.copy_(weights[name])

    def _loss(self, batch: Batch) -> float:
        many = batch.mel.shape[0]
        with self.device:
            reference = faces.draw_reference(faces.default_look())
            crop = faces.crop_mouth(reference, self.config.image_size)
            predicted, views = self.predict(batch, reference.expand(many, -1, -1, -1), crop.expand(many, -1, -1, -1))
            terms = objective(predicted, views, self.in_step(batch), self.channel, Weights())
        return float(torch.stack([terms[name] for name in JUDGED]).sum())

    def keep_best(self, folder: Path) -> None:
        """The averaged weights as a run of their own, which `export.make_checkpoint` reads."""
        folder.mkdir(exist_ok=True)
        save_config(self.config, folder / checkpoint.CONFIG)
        with whole_file(folder / "state.safetensors") as part:
            save_file(
                {f"average.{name}": value.cpu().contiguous() for name, value in self.average.weights.items()}, part
            )
