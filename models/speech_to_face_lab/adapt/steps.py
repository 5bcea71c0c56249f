"""The loop of an adaptation, its checks on the held-out takes, and when it stops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.whole_file import whole_file
from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face_lab.adapt.data import material
from speech_to_face_lab.adapt.learning import Adaptation, Mixture, Start, unstyled
from speech_to_face_lab.adapt.options import AdaptOptions, Say, Show
from speech_to_face_lab.adapt.workers import Workers
from speech_to_face_lab.tracks import Track, read_tracks
from speech_to_face_lab.training.data.examples import Windows, read_noises, spread
from speech_to_face_lab.training.loop.plan import Plan

SAVE_EVERY = 50
"""Steps between two states on disk."""
PATIENCE = 4
"""Checks in a row without a better one, then it stops."""
BETTER = 0.998
"""Share of the best loss: a loss above it is no progress."""


def start_loop(order: AdaptOptions, config: Config, team: Workers) -> Adaptation:
    """The network and its optimiser, new or from the run's state."""
    torch.manual_seed(order.seed + team.rank)
    tracks = _tracks(order, held=False, group=material.TAKES)
    plan = Plan(order.steps, rate=order.rate, seed=order.seed + team.rank)
    loop = Adaptation(Start(order.base, config, spread(tracks)), plan, order.run, team.device)
    team.follow(loop.optimiser)
    return loop


def _tracks(order: AdaptOptions, held: bool, group: str) -> list[Track]:
    return [track for track in read_tracks(order.tracks, held) if track.about.group == group]


def _window_s(order: AdaptOptions) -> float:
    """As in the options, or as long as the shortest track."""
    return min(
        order.window_s,
        *(len(track.mel) / FRAME_RATE for held in (False, True) for track in read_tracks(order.tracks, held)),
    )


def learn(loop: Adaptation, order: AdaptOptions, team: Workers, show: Show, say: Say) -> list[tuple[int, float]]:
    """Train until the steps are done or the held-out takes improve no more; returns the held-out losses."""
    checks, history = _checks(order, loop), [entry for entry in _history(order) if entry[0] <= loop.step]
    if not history:
        _check(loop, order, team, checks, history, say)
    began = loop.step
    for batch in () if _done(loop, order, history) else _batches(loop, order, team):
        loop.train_step(batch)
        if team.first:
            show("learning", loop.step - began, order.steps - began)
        if loop.step % order.check_every == 0 or loop.step == order.steps:
            _check(loop, order, team, checks, history, say)
        if team.first and (loop.step % SAVE_EVERY == 0 or loop.step == order.steps):
            loop.save()
        if _done(loop, order, history):
            break
    return history


def _done(loop: Adaptation, order: AdaptOptions, history: list[tuple[int, float]]) -> bool:
    return loop.step >= order.steps or _stalled(history)


def _batches(loop: Adaptation, order: AdaptOptions, team: Workers) -> Iterator[Batch]:
    seed, seconds = order.seed + 1_000_003 * team.rank + 7 * loop.step, _window_s(order)
    sources = [
        Windows(_tracks(order, held=False, group=group), read_noises(order.tracks), order.batch, seconds, seed + at)
        for at, group in enumerate((material.TAKES, material.KEPT))
    ]
    mixture = Mixture(sources[0], sources[1], len(loop.config.styles))
    loader = DataLoader(mixture, batch_size=None, num_workers=order.loaders, collate_fn=_as_it_is)
    for batch in loader:
        yield replace(batch, **{name: getattr(batch, name).to(loop.device) for name in batch.__dataclass_fields__})


def _as_it_is(batch: Any) -> Any:
    return batch


def _checks(order: AdaptOptions, loop: Adaptation) -> list[Batch]:
    """Two fixed batches of the held-out takes, without augmentation."""
    fixed = iter(
        Windows(_tracks(order, held=True, group=material.TAKES), None, 2 * order.batch, _window_s(order), seed=12345)
    )
    return [unstyled(next(fixed), len(loop.config.styles)) for _ in range(2)]


def _check(
    loop: Adaptation,
    order: AdaptOptions,
    team: Workers,
    checks: list[Batch],
    history: list[tuple[int, float]],
    say: Say,
) -> None:
    """Record the held-out loss, and keep the weights if it is the best so far."""
    loss = team.mean(loop.held_loss(checks))
    best = min((entry[1] for entry in history), default=float("inf"))
    history.append((loop.step, loss))
    if team.first:
        if loss < best:
            loop.keep_best(order.run / "best")
        with whole_file(order.run / "history.json") as part:
            part.write_text(json.dumps(history), encoding="utf-8")
    say(f"step {loop.step}: held-out loss {loss:.4f}{'' if loss < best else f', best {best:.4f}'}")


def _history(order: AdaptOptions) -> list[tuple[int, float]]:
    """Checks of the run so far, also those after the last state that was saved."""
    path = order.run / "history.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [(int(step), float(loss)) for step, loss in rows]


def _stalled(history: list[tuple[int, float]]) -> bool:
    """Whether none of the last few checks is better than the best before them."""
    losses = [loss for _, loss in history]
    return len(losses) > PATIENCE and min(losses[-PATIENCE:]) > BETTER * min(losses[:-PATIENCE])
