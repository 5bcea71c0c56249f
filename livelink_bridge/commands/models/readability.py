"""`evaluate --readability`: takes, or a model's faces for audio files, read by a lip reader that hears nothing."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from livelink_bridge.commands.models.figures import FILE_WIDTH, NONE, ear_of, write_json
from livelink_bridge.reporting.progress_bar import progress_bar
from livelink_bridge.session import build

if TYPE_CHECKING:
    from rich.table import Table

    from livelink_bridge.settings.table import Settings
    from speech_to_face.base import SpeechToFace
    from speech_to_face_lab.evaluation.phones import Posteriors
    from speech_to_face_lab.evaluation.readability import Lips, Readability

LEGEND = (
    "speaks: frames read as speech. sure, bits: the reader's mean confidence and entropy in them.",
    "phones, visemes: read as timed in the TextGrid beside the file. as heard: lips that look like",
    "what the model hears. constant: what a guess that is always the commonest viseme would get.",
)


def run(
    settings: Settings, files: Sequence[Path], reader: str, as_json: Path | None, take_rate: str | None = None
) -> None:
    """Read every file and print a line for each.

    Parameters
    ----------
    reader : name or folder of a dualtalker model
    as_json : file for the figures
    take_rate : frame rate of the timecode of takes; None is the one that each shows

    Raises ModelError for a file that cannot be read, or a model that is not a lip reader.
    """
    from speech_to_face import checkpoint
    from speech_to_face.networks.dualtalker.reading import load_reader
    from speech_to_face_lab.evaluation.readability import readability, together

    read, ear = load_reader(checkpoint.find(reader, settings.models_dir)), ear_of(settings)
    model: SpeechToFace | None = None
    marks: list[Readability] = []
    with progress_bar() as bar:
        for number, file in enumerate(files):
            bar.show(file.name, number / len(files))
            model = model if _is_take(file) else model or build.model_of(settings)
            marks.append(readability(_lips(file, model, take_rate), read, None if isinstance(ear, str) else ear))
    rows = [*marks, *([together(marks)] if len(marks) > 1 else [])]
    _print(rows, reader, ear)
    if as_json:
        write_json(as_json, {"reader": reader, "faces": [_plain(row) for row in rows]})


def _is_take(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def _lips(file: Path, model: SpeechToFace | None, take_rate: str | None) -> Lips:
    from speech_to_face_lab.evaluation.readability import spoken_lips, take_lips

    return take_lips(file, take_rate) if _is_take(file) or model is None else spoken_lips(model, file)


def _print(rows: Sequence[Readability], reader: str, ear: Posteriors | str) -> None:
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    console.print(_table(rows, reader))
    for line in (*LEGEND, *([f"as heard left out: {ear}"] if isinstance(ear, str) else [])):
        typer.echo(line)


def _table(rows: Sequence[Readability], reader: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("face", title=f"lips as {Path(reader).name} reads them")
    for name in ("s", "speaks", "sure", "bits", "phones", "visemes", "as heard", "constant"):
        table.add_column(name, justify="right")
    for row in rows:
        shares = (row.phones_right, row.visemes_right, row.heard, row.constant)
        cells = (
            f"{row.seconds:.1f}",
            _figure(row.speaking),
            _figure(row.confidence),
            _figure(row.entropy_bits),
            *map(_figure, shares),
        )
        table.add_row(Text(row.name), *cells)
    return table


def _figure(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"


def _plain(row: Readability) -> dict[str, object]:
    """The row for JSON: None for NaN."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(row).items()
    }
