"""One adaptation from the takes to the folder of the new model. It may be stopped at any time; the same call resumes
it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from arkit_mapping.channels import MOUTH_32
from arkit_mapping.whole_file import replace_folder
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.phones import CLASSES
from speech_to_face_lab.adapt import figures
from speech_to_face_lab.adapt.card import Story, card, check_out
from speech_to_face_lab.adapt.data import material
from speech_to_face_lab.adapt.data.takes import Take, TakeFile
from speech_to_face_lab.adapt.data.untouched import UntouchedNetwork
from speech_to_face_lab.adapt.options import AdaptOptions, Result, Say, Show
from speech_to_face_lab.adapt.reading import SortedTakes, sorted_takes
from speech_to_face_lab.adapt.steps import learn, start_loop
from speech_to_face_lab.adapt.verdict import judge, speech_s, too_little
from speech_to_face_lab.adapt.workers import Workers, workers
from speech_to_face_lab.training.export import make_checkpoint

ORDER = "order.json"


def adapt(files: Sequence[TakeFile], order: AdaptOptions, show: Show, say: Say) -> Result | None:
    """Adapt `order.base` to takes and write `order.out` if that is better; None in a process that only helped the
    first.

    Raises ModelError for a folder where no model may be written, for too few takes or too little speech to judge on,
    and for a run that was begun with other takes.
    """
    check_out(order.out, order.force)
    checkpoint.verify(order.base)
    config = _config(order)
    team = workers(order.device)
    _refuse_another_run(order, files)
    team.wait()  # until all processes have looked: the first writes there
    untouched = UntouchedNetwork(load_network(order.base, config))
    say = say if team.first else _mute
    takes = sorted_takes(order, files, untouched, show, say)
    if (reason := too_little(speech_s(takes.held))) is not None and not order.keep_anyway:
        raise ModelError(f"{reason}; or --keep-anyway")
    _claim(order, files, team)
    if team.first and not material.whole(order.tracks):
        _lay_down(order, takes.learnt, takes.held, untouched, show)
    team.wait()
    loop = start_loop(order, config, team)
    history = learn(loop, order, team, show, say)
    return _finish(_result(order, takes, loop.step, history, untouched, show), order) if team.first else None


def _result(
    order: AdaptOptions,
    takes: SortedTakes,
    step: int,
    history: list[tuple[int, float]],
    untouched: UntouchedNetwork,
    show: Show,
) -> Result:
    """Make the checkpoint within the run, and judge it. step: steps made; history: (step, held-out loss)."""
    best_step = min(history, key=lambda entry: entry[1])[0]
    show("writing the model", 0, 1)
    rows = _judged(order, takes.held, untouched)
    verdict = judge(rows, speech_s(takes.held))
    rows += _of_others(order, show)
    kept, early = verdict.better or order.keep_anyway, step < order.steps
    return Result(verdict, kept, rows, takes.learnt, takes.held, takes.left, step, best_step, early, history)


def _mute(_line: str) -> None:
    """In the processes that help."""


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
    path, judged = order.run / ORDER, (_made(order) / checkpoint.CARD).exists()
    if order.force or judged or not path.exists():
        return
    if json.loads(path.read_text(encoding="utf-8")) != _fingerprint(order, files):
        raise ModelError(
            f"{order.run} was begun with other takes or options; use those to resume it, or --force to start again"
        )


def _claim(order: AdaptOptions, files: Sequence[TakeFile], team: Workers) -> None:
    """Make the run's folder; the folder of a run with other takes is deleted."""
    if team.first:
        wanted, path = _fingerprint(order, files), order.run / ORDER
        if path.exists() and json.loads(path.read_text(encoding="utf-8")) != wanted:
            shutil.rmtree(order.run)
        order.run.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted), encoding="utf-8")
    team.wait()


def _fingerprint(order: AdaptOptions, files: Sequence[TakeFile]) -> dict[str, Any]:
    """What identifies a run; options of writing, judging and computing are left out."""
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


def _lay_down(
    order: AdaptOptions, learnt: list[Take], held: list[Take], untouched: UntouchedNetwork, show: Show
) -> None:
    others, targets = material.sounds_in(order.others), material.Targets.of(learnt)
    total = (material.COPIES + len(material.OTHER_RATES)) * len(learnt) + len(held) + len(others)
    done = iter(range(1, total + 1))
    order.tracks.mkdir(exist_ok=True)

    def did() -> None:
        show("making examples", next(done), total)

    material.write_takes(order.tracks, learnt, False, untouched, targets, did)
    material.write_takes(order.tracks, held, True, untouched, targets, did)
    material.write_kept(order.tracks, learnt, others, untouched, did)
    material.write_noises(order.tracks, learnt)


def _judged(order: AdaptOptions, held: list[Take], untouched: UntouchedNetwork) -> list[figures.Row]:
    """Make the checkpoint within the run and judge it on the takes kept back."""
    made = _made(order)
    make_checkpoint(order.run / "best", made)
    return figures.of_takes(held, order.base, made, untouched)


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
    """Write the card, and move the model to its place if it is kept."""
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
