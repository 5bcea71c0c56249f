"""`evaluate`: how well a model's mouth follows real faces and words, beside what loudness alone gives."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livelink_bridge.commands.files.take_reading import TakeRate, check_rate
from livelink_bridge.commands.options import abortable
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.reporting.progress_bar import progress_bar

if TYPE_CHECKING:
    from rich.table import Table

    from livelink_bridge.settings.settings import Settings
    from speech_to_face.base import SpeechToFace
    from speech_to_face_lab.evaluation import Report
    from speech_to_face_lab.evaluation.phones import Posteriors
    from speech_to_face_lab.evaluation.scores import CurveScore, Scores, SignalScore

OPTIONS = ("model", "models_dir", "device", "lookahead", "reference_face", "style", "allow_cut")
NONE = "–"
FILE_WIDTH = 100
"""Characters of a table that goes into a file."""
Line = tuple[str, ...]
"""Measure, the model's figure, loudness alone's; where it means something, that of a face that holds the capture's
mean."""


def evaluate(
    settings: Settings,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Recordings to judge on: a folder with val.json.")
    ] = None,
    read: Annotated[
        list[Path] | None,
        typer.Option(
            "--readability", metavar="FILE", help="Instead: how readable the lips of a take are, or of a sound's face."
        ),
    ] = None,
    reader: Annotated[
        str, typer.Option(metavar="NAME", help="Who reads them: a dualtalker model.")
    ] = "dualtalker-mini",
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every figure into this file.")
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also draw curves over the sound of a few clips; needs matplotlib."),
    ] = None,
    clips: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first N clips of each group.")] = None,
    channels: Annotated[bool, typer.Option("--channels", help="Also show r and lag of every channel.")] = False,
    take_rate: TakeRate = None,
) -> None:
    """Judge a model on recordings of real faces and words.

    How well jaw, lips and every channel follow captured curves, whether the lips close on p, b and m, whether the mouth
    rests in noise, how many phones are heard, loud and soft. What loudness alone gives stands beside it. With
    --readability a lip reader, which hears nothing, says how sure it is of what it sees, and how often it sees what is
    said.
    """
    from livelink_bridge.commands.models import readability

    if (data is None) == (not read):
        raise UsageError(f"got {'both' if data else 'neither'} of --data and --readability, expected one of them")
    if read and (plots or clips or channels):
        raise UsageError("--plots, --clips and --channels go with --data, not with --readability")
    if take_rate is not None and not read:
        raise UsageError("--take-rate goes with --readability")
    check_rate(take_rate)
    if plots:
        _check_plots()
    with abortable():
        if data is not None:
            _judge(settings, data, as_json, plots, clips, channels)
        else:
            readability.run(settings, read or [], reader, as_json, take_rate)


def _judge(
    settings: Settings, data: Path, as_json: Path | None, plots: Path | None, clips: int | None, channels: bool
) -> None:
    from livelink_bridge.session import build
    from speech_to_face_lab.evaluation import evaluate as judge

    model = build.model_of(settings)
    with progress_bar() as bar:
        report = judge(
            model,
            data,
            posteriors=ear_of(settings),
            limit=clips,
            allow_cut=settings.allow_cut,
            on_progress=lambda part, what: bar.show(what, part),
        )
    print_report(report, channels)
    if as_json:
        write_json(as_json, report.as_json())
    if plots:
        _draw(model, data, clips, plots, settings.allow_cut)


def ear_of(settings: Settings) -> Posteriors | str:
    """What the settings' model hears; or why it hears no phones."""
    from livelink_bridge.session import build
    from speech_to_face import checkpoint
    from speech_to_face_lab.evaluation.phones import posteriors_of

    folder = checkpoint.find(build.model_name(settings))
    return (
        posteriors_of(folder) if checkpoint.system_of(folder) == "pmmtalk" else f"{folder.name} has no phone posteriors"
    )


def print_report(report: Report, channels: bool) -> None:
    """The table, and what was left out of it."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    console.print(table_of(report, channels))
    for note in report.notes:
        typer.echo(note)


def table_of(report: Report, channels: bool = False) -> Table:
    """One section a group, then one each for noise, phones and the stream."""
    from rich.table import Table
    from rich.text import Text

    table = Table("measure", title=f"{report.model} on {report.device}, look-ahead {report.lookahead_ms:.0f} ms")
    table.add_column(report.model, justify="right")
    table.add_column("loudness alone", justify="right")
    table.add_column("constant face", justify="right")
    for title, lines in sections(report, channels):
        table.add_section()
        table.add_row(Text(title, "bold"))
        for line in lines:
            table.add_row(*(Text(cell) for cell in (f"  {line[0]}", *line[1:])))
    return table


def sections(report: Report, channels: bool) -> Iterator[tuple[str, list[Line]]]:
    """Title and lines of each source of figures."""
    ours, loudness = report.ours, report.loudness
    for group, score in ours.curves.items():
        yield (
            f"{group}: {score.clips} clips, {score.seconds:.0f} s, captured",
            _curve_lines(score, loudness.curves[group], channels),
        )
    for group, closure in ours.closures.items():
        yield (
            f"{group}: {closure.closed} words with p, b, m, {closure.others} without",
            _closure_lines(group, ours, loudness),
        )
    if ours.moving:
        lines: list[Line] = [
            (f"moving in {name}", _share(share), _share(loudness.moving[name])) for name, share in ours.moving.items()
        ]
        yield "noise: share of time the mouth moves", lines
    yield "phones: share of timed frames heard right", _phone_lines(report)
    yield "stream", [("in pieces minus the whole, largest", _difference(report.stream_difference), NONE)]


def _curve_lines(ours: CurveScore, loudness: CurveScore, channels: bool) -> list[Line]:
    lines: list[Line] = [
        line for name, signal in ours.signals.items() for line in _signal_lines(name, signal, loudness.signals[name])
    ]
    for name in ("lve_squared", "ale_squared", "lve_absolute", "ale_absolute"):
        of = (ours.errors, loudness.errors, ours.constant_errors)
        lines.append((name.replace("_", " "), *(_figure(getattr(errors, name), 4) for errors in of)))
    lines.append(("R² of all channels", _figure(ours.r2), _figure(loudness.r2), "0"))
    said = f"jitter, 1/s² (of the capture {ours.captured_jitter:.1f})"
    lines.append((said, _figure(ours.jitter, 1), _figure(loudness.jitter, 1), "0"))
    if channels:
        lines += [
            (f"{name} r, lag", _r_and_lag(score), _r_and_lag(loudness.channels.get(name)))
            for name, score in ours.channels.items()
        ]
    return lines


def _signal_lines(name: str, ours: SignalScore, loudness: SignalScore) -> list[Line]:
    return [
        (f"{name} r", _figure(ours.r), _figure(loudness.r)),
        (f"{name} r at no lag", _figure(ours.r_at_0), _figure(loudness.r_at_0)),
        (f"{name} lag, ms", _lag(ours), _lag(loudness)),
        (f"{name} amplitude ratio", _figure(ours.amplitude, 2), _figure(loudness.amplitude, 2)),
    ]


def _closure_lines(group: str, ours: Scores, loudness: Scores) -> list[Line]:
    ours_of, trivial = ours.closures[group], loudness.closures[group]
    return [
        ("closure recall at 10 % false", _figure(ours_of.recall), _figure(trivial.recall)),
        ("closure AUC", _figure(ours_of.auc), _figure(trivial.auc)),
    ]


def _phone_lines(report: Report) -> list[Line]:
    phones = report.phones
    if phones is None:
        return [("phone accuracy", NONE, NONE)]
    return [
        (f"phone accuracy, {phones.frames} frames", _figure(phones.accuracy), NONE),
        ("phone accuracy without pauses", _figure(phones.spoken_accuracy), NONE),
        ("phone accuracy at -6 dBFS peak", _figure(phones.loud_accuracy), NONE),
        ("phone accuracy at -34 dBFS peak", _figure(phones.soft_accuracy), NONE),
        ("level ratio, -34 over -6 dBFS", _figure(phones.level_ratio), NONE),
        *((name, _figure(share), NONE) for name, share in phones.clips.items()),
    ]


def _figure(value: float, digits: int = 3) -> str:
    return NONE if math.isnan(value) else f"{value:.{digits}f}"


def _lag(signal: SignalScore) -> str:
    """A curve that does not move has no r, and its lag means nothing."""
    return NONE if math.isnan(signal.r) else f"{signal.lag_ms:+.1f}"


def _difference(value: float) -> str:
    return NONE if math.isnan(value) else "infinite" if math.isinf(value) else f"{value:.1e}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _r_and_lag(score: SignalScore | None) -> str:
    return NONE if score is None or math.isnan(score.r) else f"{score.r:.2f}, {score.lag_ms:+.0f} ms"


def _check_plots() -> None:
    from speech_to_face_lab.evaluation import plots

    plots.check()


def _draw(model: SpeechToFace, data: Path, limit: int | None, folder: Path, allow_cut: bool) -> None:
    from speech_to_face_lab.evaluation import plots, speaker_of
    from speech_to_face_lab.evaluation.data import read_index

    drawn = plots.draw_clips(read_index(data, limit, allow_cut=allow_cut), speaker_of(model), model.name, folder)
    typer.echo(f"{folder}: {len(drawn)} pictures")


def write_json(file: Path, content: Any) -> None:
    """Raises BridgeError where the file cannot be written."""
    try:
        file.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"--json {file} cannot be written: {error.strerror}") from error
