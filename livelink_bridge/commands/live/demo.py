"""`demo`: the whole program on a bundled sentence, with a report on what a receiver gets."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.options import interruptible

if TYPE_CHECKING:
    from livelink_bridge.commands.live.local_receiver import LocalReceiver
    from livelink_bridge.settings.table import Settings

MAX_SECONDS = 3600
COLUMNS = 64
BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = " .:-=+*#@"


def demo(
    settings: Settings,
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=0.5,
            max=MAX_SECONDS,
            help="Length in seconds; the sentence is cut or repeated. Default 9, the sentence once.",
        ),
    ] = None,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Move the face without playing the audio.")] = False,
) -> None:
    """Play a bundled sentence to the face.

    Frames go to --to and to a receiver inside the program, which reports what arrived and draws the mouth over time.
    """
    from livelink_bridge.commands.live.local_receiver import receive_locally
    from livelink_bridge.commands.live.showing import showing
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.session import build
    from livelink_bridge.session.modes.play import run_play

    clock = MonotonicClock()
    with interruptible() as stop:
        face, model = build.face_of(settings, clock), build.model_of(settings)
        with sentence(seconds) as file, receive_locally() as receiver:
            outputs = build.outputs_of(replace(settings, to=(*settings.to, receiver.uri)))
            typer.echo(
                f"a sentence -> {model.name} on {model.device} -> {', '.join(settings.targets)} and a receiver in the "
                "program"
            )
            with showing(settings, clock) as show:
                summary = run_play(
                    file, model, face, outputs, audio=not no_audio, clock=clock, stop=stop, on_status=show
                )
        for line in report(receiver):
            typer.echo(line)
        typer.echo(build.summary_line(summary))


@contextmanager
def sentence(seconds: float | None) -> Iterator[Path]:
    """A file with the bundled sentence, cut or repeated to `seconds`; None for the sentence as it is."""
    from livelink_bridge.demo import SENTENCE

    if seconds is None:
        yield SENTENCE
        return
    import numpy as np
    import soundfile

    samples, rate_hz = soundfile.read(SENTENCE, dtype="int16")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sentence.wav"
        soundfile.write(file, np.resize(samples, round(seconds * rate_hz)), rate_hz, subtype="PCM_16")
        yield file


def report(receiver: LocalReceiver) -> Iterator[str]:
    """Lines about what arrived: counts, jitter, and a small curve of the mouth over time."""
    subject = receiver.subject()
    if subject is None:
        yield "nothing arrived at the program's own receiver: run `livelink-bridge doctor`"
        return
    yield (
        f"arrived: {subject['packets']} packets as {subject['subject']!r}, {subject['fps'] or 0:.2f} fps, "
        f"{subject['lost']} lost"
    )
    yield (
        f"interval sd {subject['interval_sd_ms'] or 0:.2f} ms, p99 error {subject['interval_p99_error_ms'] or 0:.2f} ms"
    )
    ramp = BLOCKS if (sys.stdout.encoding or "").lower().startswith("utf") else PLAIN_BLOCKS
    for label, channels in (
        ("jaw open", ["JawOpen"]),
        ("lips closed", ["MouthClose"]),
        ("lips round", ["MouthFunnel", "MouthPucker"]),
    ):
        curve = [max(values) for values in zip(*(receiver.curve(name) for name in channels), strict=True)]
        yield f"{label:>12}, up to {max(curve):.2f} |{picture(curve, ramp)}|"


def picture(curve: Sequence[float], ramp: str, columns: int = COLUMNS) -> str:
    """A curve as one line of text.

    Each column shows the highest value of its part of the curve, scaled so that the highest of all is full.
    """
    columns = min(columns, len(curve))
    top = max(max(curve), 1e-6)
    edges = [at * len(curve) // columns for at in range(columns + 1)]
    peaks = [max(curve[start:end]) for start, end in zip(edges, edges[1:], strict=False)]
    return "".join(ramp[round(max(0.0, peak) / top * (len(ramp) - 1))] for peak in peaks)
