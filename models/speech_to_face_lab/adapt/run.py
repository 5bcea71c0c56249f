"""One adaptation from the takes to the folder of the new model. It may be stopped at any time; the same call goes
on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from arkit_mapping.channels import MOUTH_32
from arkit_mapping.whole_file import replace_folder, whole_file
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.phones import CLASSES
from speech_to_face_lab.adapt import figures, material
from speech_to_face_lab.adapt.card import Story, card, check_out
from speech_to_face_lab.adapt.hearing import Ear
from speech_to_face_lab.adapt.learning import Adaptation, Mixture, unstyled
from speech_to_face_lab.adapt.split import split
from speech_to_face_lab.adapt.takes import LeftOut, Take, TakeFile, read_takes
from speech_to_face_lab.adapt.timing import timed
from speech_to_face_lab.adapt.verdict import Verdict, judge, speech_s, too_little
from speech_to_face_lab.adapt.workers import Workers, workers
from speech_to_face_lab.training.examples import Batch, Windows, read_noises, spread
from speech_to_face_lab.training.export import make_checkpoint
from speech_to_face_lab.training.loop import Plan
from speech_to_face_lab.training.objective import channel_weights
from speech_to_face_lab.training.state import save
from speech_to_face_lab.training.tracks import RATE, Track, read_tracks

SAVE_EVERY = 50
PATIENCE = 4
"""Checks in a row without a better one, then it stops."""
BETTER = 0.998
"""Of the best loss: less is no progress."""
WHO = "order.json"

Show = Callable[[str, int, int], None]
"""What is being done, how much of it is done, of how much."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """What is asked for."""

    base: Path
    """Folder of the model to begin with."""
    out: Path
    force: bool = False
    others: Path | None = None
    """Folder with speech of other people, to keep what the network does for them."""
    data: Path | None = None
    """Folder that `evaluate --data` judges on, to show what it costs others."""
    keep_anyway: bool = False
    """Write a model that is not better than `base`, too."""
    steps: int = 400
    batch: int = 6
    """Windows of takes a step, and as many of other voices."""
    window_s: float = 4.5
    rate: float = 4e-4
    """Highest learning rate."""
    check_every: int = 50
    """Steps between looks at the takes kept back."""
    seed: int = 0
    device: str = "cpu"
    loaders: int = 1
    allow_cut: bool = False
    """Take what there is of sounds that end before their headers say."""
    """Processes that lay noise over the examples while the network learns; 0: none but this one."""

    @property
    def run(self) -> Path:
        """Where the work lies until it is done: beside `out`."""
        return self.out.with_name(f"{self.out.name}.run")

    @property
    def tracks(self) -> Path:
        return self.run / "tracks"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    verdict: Verdict
    kept: bool
    """Whether `AdaptOptions.out` was written; if not, the work is still in `AdaptOptions.run`."""
    rows: list[figures.Row]
    learnt: list[Take]
    held: list[Take]
    left: list[LeftOut]
    step: int
    best_step: int
    stopped_early: bool
    history: list[tuple[int, float]] = field(default_factory=list)
    """(step, held-out loss)."""


def adapt(files: Sequence[TakeFile], order: AdaptOptions, show: Show, say: Say) -> Result | None:
    """Adapt `order.base` to takes and write `order.out` if that is better; None in a process that only helped the
    first.

    Raises ModelError for a place where no model may be written, for too few takes or too little speech to judge on, for
    a run that was begun with other takes.
    """
    check_out(order.out, order.force)
    checkpoint.verify(order.base)
    config = _config(order)
    team = workers(order.device)
    _refuse_another_run(order, files)
    team.wait()  # until all have looked: the first writes there
    ear = Ear(load_network(order.base, config))
    learnt, held, left = _sorted(order, files, ear, show, say if team.first else _mute)
    speech = speech_s(held)
    if (reason := too_little(speech)) is not None and not order.keep_anyway:
        raise ModelError(f"{reason}; or --keep-anyway")
    _claim(order, files, team)
    if team.first and not material.whole(order.tracks):
        _lay_down(order, learnt, held, ear, show)
    team.wait()
    loop = _loop(order, config, team)
    history = _learn(loop, order, team, show, say if team.first else _mute)
    if not team.first:
        return None
    best = min(history, key=lambda entry: entry[1])
    show("writing the model", 0, 1)
    rows = _judged(order, held, ear)
    verdict = judge(rows, speech)
    rows += _of_others(order, show)
    kept = verdict.better or order.keep_anyway
    return _finish(
        Result(verdict, kept, rows, learnt, held, left, loop.step, best[0], loop.step < order.steps, history), order
    )


def _mute(_line: str) -> None:
    """Of the processes that help."""


def _config(order: AdaptOptions) -> Config:
    config = load_config(order.base / checkpoint.CONFIG)
    if config.system != "pmmtalk" or config.phones != CLASSES or config.channels != MOUTH_32:
        raise ModelError(
            f"model {order.base.name} has other phones or channels than this version trains, expected one like "
            "pmmtalk-live"
        )
    return config


def _refuse_another_run(order: AdaptOptions, files: Sequence[TakeFile]) -> None:
    """ModelError where work on other takes or with other options would be lost, unless `order.force`. A run that was
    judged is done."""
    path, judged = order.run / WHO, (_made(order) / checkpoint.CARD).exists()
    if order.force or judged or not path.exists():
        return
    if json.loads(path.read_text(encoding="utf-8")) != _fingerprint(order, files):
        raise ModelError(
            f"{order.run} was begun with other takes or options; go on with those, or begin anew with --force"
        )


def _claim(order: AdaptOptions, files: Sequence[TakeFile], team: Workers) -> None:
    """Make the folder of the run; one of other takes goes."""
    if team.first:
        wanted, path = _fingerprint(order, files), order.run / WHO
        if path.exists() and json.loads(path.read_text(encoding="utf-8")) != wanted:
            shutil.rmtree(order.run)
        order.run.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted), encoding="utf-8")
    team.wait()


def _fingerprint(order: AdaptOptions, files: Sequence[TakeFile]) -> dict[str, Any]:
    """What makes two runs the same one; how it is written, judged and computed does not."""
    loose = {"out", "force", "keep_anyway", "data", "device", "loaders"}
    options = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in asdict(order).items()
        if key not in loose
    }
    paths = [path for file in files for path in (file.table, file.sound) if path]
    stamps = {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}
    rates = {file.name: file.rate for file in files if file.rate}
    known = {"model": checkpoint.digest(order.base / checkpoint.WEIGHTS), "options": options, "files": stamps}
    return {**known, "rates": rates} if rates else known


def _sorted(
    order: AdaptOptions, files: Sequence[TakeFile], ear: Ear, show: Show, say: Say
) -> tuple[list[Take], list[Take], list[LeftOut]]:
    """Takes to learn from and to judge on, in step with their sounds, and those that were left out, each said."""
    at = iter(range(1, len(files) + 1))
    takes, left = read_takes(files, lambda: show("reading takes", next(at), len(files)), allow_cut=order.allow_cut)
    for take in takes:
        if take.said:
            say(f"{take.name}: {take.said}")
    done = iter(range(1, len(takes) + 1))

    def face(take: Take) -> Any:
        curves = ear.hear(take.samples).curves
        show("timing takes", next(done), len(takes))
        return curves

    good, strange = timed(takes, face)
    left += strange
    for each in left:
        say(f"left out: {each.name}: {each.reason}")
    learnt, held = split(good, left)
    late = sorted(take.late_s for take in good)
    say(
        f"{len(learnt)} takes to learn from ({_minutes(learnt)}), {len(held)} kept back ({_minutes(held)}), "
        f"{len(left)} left out; "
        f"faces come {_after(late[0])} to {_after(late[-1])} their sound"
    )
    return learnt, held, left


def _after(late_s: float) -> str:
    return f"{1000 * abs(late_s):.0f} ms {'before' if late_s < 0 else 'after'}"


def _minutes(takes: Sequence[Take]) -> str:
    return f"{sum(take.seconds for take in takes) / 60:.1f} min, {speech_s(takes):.0f} s of speech"


def _lay_down(order: AdaptOptions, learnt: list[Take], held: list[Take], ear: Ear, show: Show) -> None:
    others, targets = material.sounds_in(order.others), material.Targets.of(learnt)
    total = (material.COPIES + len(material.OTHER_RATES)) * len(learnt) + len(held) + len(others)
    done = iter(range(1, total + 1))
    order.tracks.mkdir(exist_ok=True)

    def did() -> None:
        show("making examples", next(done), total)

    material.write_takes(order.tracks, learnt, False, ear, targets, did)
    material.write_takes(order.tracks, held, True, ear, targets, did)
    material.write_kept(order.tracks, learnt, others, ear, did)
    material.write_noises(order.tracks, learnt)


def _loop(order: AdaptOptions, config: Config, team: Workers) -> Adaptation:
    torch.manual_seed(order.seed + team.rank)
    tracks = _tracks(order, held=False, group=material.TAKES)
    plan = Plan(order.run, order.steps, rate=order.rate, seed=order.seed + team.rank, device=team.device)
    loop = Adaptation(config, channel_weights(spread(tracks)), plan, order.base)
    team.follow(loop.optimiser)
    return loop


def _tracks(order: AdaptOptions, held: bool, group: str) -> list[Track]:
    return [track for track in read_tracks(order.tracks, held) if track.about.group == group]


def _window_s(order: AdaptOptions) -> float:
    """As asked, or as long as the shortest track is."""
    return min(
        order.window_s, *(len(track.mel) / RATE for held in (False, True) for track in read_tracks(order.tracks, held))
    )


def _learn(loop: Adaptation, order: AdaptOptions, team: Workers, show: Show, say: Say) -> list[tuple[int, float]]:
    """Learn until the steps are done or the takes kept back are followed no better; returns the held-out losses."""
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
            save(loop.state_file, loop.model, loop.average, loop.optimiser, loop.step)
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
    """Two fixed batches of the takes kept back, as clean as they were recorded."""
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
    """Note the held-out loss, and keep the weights if it is the best yet."""
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


def _judged(order: AdaptOptions, held: list[Take], ear: Ear) -> list[figures.Row]:
    """Make the checkpoint within the run and judge it on the takes kept back."""
    made = _made(order)
    make_checkpoint(order.run / "best", made)
    return figures.of_takes(held, order.base, made, ear)


def _made(order: AdaptOptions) -> Path:
    return order.run / order.out.name


def _of_others(order: AdaptOptions, show: Show) -> list[figures.Row]:
    if order.data is None:
        return []
    return figures.of_others(
        order.data,
        order.base,
        _made(order),
        lambda part, _what: show("judging", round(100 * part), 100),
        allow_cut=order.allow_cut,
    )


def _finish(result: Result, order: AdaptOptions) -> Result:
    """Write the card, and put the model in its place if it is to be kept."""
    made = _made(order)
    story = Story(
        order.out.name,
        order.base.name,
        checkpoint.digest(order.base / checkpoint.WEIGHTS),
        date.today().isoformat(),
        result.learnt,
        result.held,
        result.left,
        len(material.sounds_in(order.others)),
        result.step,
        result.best_step,
        f"{2 * order.batch} windows of {order.window_s:g} s a step, rate {order.rate:g}, seed {order.seed}",
        result.verdict.text,
    )
    (made / checkpoint.CARD).write_text(card(story, result.rows), encoding="utf-8")
    if result.kept:
        replace_folder(made, order.out)
        shutil.rmtree(order.run, ignore_errors=True)
    return result
