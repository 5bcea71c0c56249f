"""The table that `evaluate` prints: a section for each group of recordings."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from livelink_bridge.commands.models.figures import FILE_WIDTH, NONE

if TYPE_CHECKING:
    from rich.table import Table

    from speech_to_face_lab.evaluation import Report
    from speech_to_face_lab.evaluation.scores import CurveScore, Scores, SignalScore

Line = tuple[str, ...]
"""Measure, the model's figure, that of loudness alone; where it makes sense, that of a face that holds the mean of the
capture."""


def print_report(report: Report, channels: bool) -> None:
    """Print the table, then notes on what was left out of it."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    console.print(table_of(report, channels))
    for note in report.notes:
        typer.echo(note)


def table_of(report: Report, channels: bool = False) -> Table:
    """One section per group of recordings, then one each for noise, phones and the stream."""
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
    """Title and lines of each section."""
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
    yield "phones: share of timed frames recognized correctly", _phone_lines(report)
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
    """Milliseconds; a dash for a curve that does not move, whose lag means nothing."""
    return NONE if math.isnan(signal.r) else f"{signal.lag_ms:+.1f}"


def _difference(value: float) -> str:
    return NONE if math.isnan(value) else "infinite" if math.isinf(value) else f"{value:.1e}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _r_and_lag(score: SignalScore | None) -> str:
    return NONE if score is None or math.isnan(score.r) else f"{score.r:.2f}, {score.lag_ms:+.0f} ms"
