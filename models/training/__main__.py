"""Train the live network: `python -m models.training --corpus DIR --run DIR`. Stops and resumes; logs one CSV row every few steps."""

from __future__ import annotations

import argparse
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from arkit_mapping.channels import MOUTH_32
from models.corpus.phones import CLASSES
from models.corpus.visemes import STYLES
from models.pmmtalk import faces
from models.pmmtalk.branches import to_patches
from models.pmmtalk.config import Config, save_config
from models.pmmtalk.network import PMMTalk, Views
from models.training.examples import Batch, Target, Windows, load
from models.training.objective import Weights, channel_weights, image_loss, objective
from models.training.state import Average, restore, save

LOG_EVERY, SAVE_EVERY, VALIDATE_EVERY = 25, 100, 200


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder made by python -m models.corpus")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: state, log, config")
    parser.add_argument("--steps", type=int, default=2600, help="optimiser steps")
    parser.add_argument("--batch", type=int, default=16, help="windows a step")
    parser.add_argument("--seconds", type=float, default=4.5, help="length of a window")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--delay", type=int, default=3, help="steps a frame is held back (3: 67 ms of look-ahead)")
    parser.add_argument("--without", nargs="*", default=[], help="leave out voices whose names start so")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of torch; two on two busy cores are far slower than one")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Loop:
    """One training run: model, optimiser, running average."""

    def __init__(self, config: Config, channel: Tensor, chosen: argparse.Namespace) -> None:
        self.config, self.chosen, self.step = config, chosen, 0
        self.device = torch.device(chosen.device)
        self.model = PMMTalk(config).to(self.device)
        self.average = Average(self.model)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=chosen.rate, weight_decay=0.01, betas=(0.9, 0.98))
        self.channel = channel.to(self.device)
        self.looks = torch.Generator().manual_seed(chosen.seed)
        self.state_file = chosen.run / "state.safetensors"
        if self.state_file.exists():
            self.step = restore(self.state_file, self.model, self.average, self.optimiser)

    def train_step(self, batch: Batch) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        terms = self._terms(batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.model, self.step)
        return {name: float(value.detach()) for name, value in terms.items()}

    def _rate(self) -> float:
        """Linear for the first 100 steps, then a cosine down to nothing."""
        done = torch.tensor(self.step / self.chosen.steps)
        return float(self.chosen.rate * min(1.0, (self.step + 1) / 100) * 0.5 * (1 + torch.cos(torch.pi * done)) + 1e-6)

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        look = faces.random_look(batch.mel.shape[0], self.looks)
        reference = faces.draw_reference(look)
        crop = faces.crop_mouth(reference, self.config.image_size)
        predicted, views = self.predict(batch, reference, crop)
        late = self.config.delay
        aligned = Batch(batch.mel, batch.curves[:, :-late], batch.labels[:, :-late], batch.sealed[:, :-late], batch.style)
        terms = objective(predicted, views, aligned, self.channel, Weights())
        terms["image"] = Weights().image * image_loss(views.images, look, crop, aligned.curves)
        return terms

    def predict(self, batch: Batch, reference: Tensor, crop: Tensor) -> tuple[Tensor, Views]:
        """Run a batch and take the delay out: row k of every result belongs to frame k."""
        style, code = self.model.styles(batch.style), self.model.reference(reference)
        states = self.model.initial_states(batch.mel.shape[0])
        out, _, views = self.model(batch.mel, style, code, to_patches(crop), torch.zeros((), dtype=torch.long), states)
        late = self.config.delay
        aligned = {name: view[:, late:] for name, view in views.aligned.items()}
        return out[:, late:], Views(views.log_phones[:, late:], views.images[:, late:], aligned)

    @torch.no_grad()
    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Phone accuracy, mean correlation of live channels, share of sealed frames that are closed and of open ones that are not."""
        look = faces.default_look()
        reference = faces.draw_reference(look)
        rows = []
        for batch in batches:
            many = batch.mel.shape[0]
            crop = faces.crop_mouth(reference, self.config.image_size)
            predicted, views = self.predict(batch, reference.expand(many, -1, -1, -1), crop.expand(many, -1, -1, -1))
            rows.append(scores(predicted, views.log_phones, batch, self.config.delay))
        return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def scores(predicted: Tensor, log_phones: Tensor, batch: Batch, late: int) -> dict[str, float]:
    from models.training.objective import aperture

    target, label, seal = batch.curves[:, :-late], batch.labels[:, :-late], batch.sealed[:, :-late]
    p, t = predicted.flatten(0, 1), target.flatten(0, 1)
    live = t.std(0) > 0.01
    r = torch.stack([torch.corrcoef(torch.stack([p[:, i], t[:, i]]))[0, 1] for i in torch.where(live)[0]]).mean()
    open_target = (aperture(target) > 0.12) & (seal == 0)
    closed = aperture(predicted) < 0.06
    return {
        "phones": float((log_phones.argmax(-1) == label).float().mean()),
        "r": float(r),
        "jaw_r": float(torch.corrcoef(torch.stack([p[:, MOUTH_32.index("jawOpen")], t[:, MOUTH_32.index("jawOpen")]]))[0, 1]),
        "closed": float(closed[seal > 0.99].float().mean()),
        "false_closed": float(closed[open_target].float().mean()),
    }


def spread(targets: list[Target]) -> Tensor:
    """(32,) standard deviation of every channel over the corpus."""
    return torch.cat([torch.from_numpy(t.curves[::4]).float() for t in targets]).std(0)


def to_device(batch: Batch, device: torch.device) -> Batch:
    return replace(batch, **{field.name: getattr(batch, field.name).to(device) for field in fields(batch)})


def first(batches: Any) -> Batch:
    """Collation is done by `Windows`; this only unwraps."""
    return batches  # type: ignore[no-any-return]


def main() -> None:
    chosen = options()
    torch.manual_seed(chosen.seed)
    torch.set_num_threads(chosen.threads)
    torch.set_flush_denormal(True)
    chosen.run.mkdir(parents=True, exist_ok=True)
    train = load(chosen.corpus, held_out=False, without=tuple(chosen.without))
    held = load(chosen.corpus, held_out=True, without=tuple(chosen.without))
    config = Config(phones=CLASSES, styles=STYLES, channels=MOUTH_32, delay=chosen.delay)
    save_config(config, chosen.run / "config.yaml")
    loop = Loop(config, channel_weights(spread(train)), chosen)
    fixed = iter(Windows(held, chosen.batch, chosen.seconds, seed=12345))
    validation = [next(fixed) for _ in range(2)]
    source = Windows(train, chosen.batch, chosen.seconds, seed=chosen.seed * 1000 + loop.step)
    loader = DataLoader(source, batch_size=None, num_workers=1, prefetch_factor=3, collate_fn=first)
    parameters = sum(p.numel() for p in loop.model.parameters())
    print(f"{len(train)} clips, {parameters} parameters, from step {loop.step}", flush=True)
    run(loop, loader, validation, chosen)


def run(loop: Loop, loader: Any, validation: list[Batch], chosen: argparse.Namespace) -> None:
    total: dict[str, float] = {}
    began = time.monotonic()
    for batch in loader:
        if loop.step >= chosen.steps:
            break
        for name, value in loop.train_step(to_device(batch, loop.device)).items():
            total[name] = total.get(name, 0.0) + value / LOG_EVERY
        if loop.step % LOG_EVERY == 0:
            parts = " ".join(f"{name} {value:.4f}" for name, value in total.items())
            print(f"step {loop.step}/{chosen.steps} {time.monotonic() - began:.0f} s {parts}", flush=True)
            total = {}
        if loop.step % SAVE_EVERY == 0 or loop.step == chosen.steps:
            save(loop.state_file, loop.model, loop.average, loop.optimiser, loop.step)
        if loop.step % VALIDATE_EVERY == 0:
            found = loop.validate([to_device(b, loop.device) for b in validation])
            print("  validation " + " ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
