"""`doctor`: find out why the MetaHuman does not move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from livelink_bridge.doctor.finding import Finding
    from livelink_bridge.settings.table import Settings

MARKS = {"ok": " ok ", "note": "note", "warn": "warn", "fail": "FAIL"}
LONGEST_S = 3600


def doctor(
    settings: Settings,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="S", min=0, max=LONGEST_S, help="Seconds to listen for other senders; 0 skips it. Default 1."
        ),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line: level, what, text.")] = False,
) -> None:
    """Find out why the face does not move.

    Checks everything from the voice to the face and says what to do about each problem. Exit code 1 if the face cannot
    move.
    """
    from dataclasses import asdict

    failed = False
    for finding in findings(settings, seconds):
        line = f"{MARKS[finding.level]}  {finding.what}: {finding.text}"
        typer.echo(json.dumps(asdict(finding)) if as_json else line)
        failed |= finding.level == "fail"
    if failed:
        raise typer.Exit(1)


def findings(settings: Settings, listen_s: float) -> Iterator[Finding]:
    """What the doctor finds, one after the other; it listens `listen_s` seconds for other senders."""
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.doctor import examine
    from livelink_bridge.session import build
    from livelink_bridge.settings.identity import device_id
    from livelink_bridge.settings.performers import performers_of
    from livelink_bridge.sources.microphone import MicrophoneSource

    clock, performers = MonotonicClock(), performers_of(settings)
    inputs = {own.subject: partial(MicrophoneSource, build.input_of(own, mic), clock=clock) for mic, own in performers}
    faces = [own for _, own in performers] or [settings]
    subject = faces[0].subject
    yield from examine(
        tuple(dict.fromkeys(uri for own in faces for uri in own.targets)),
        lambda: build.model_of(settings),
        clock,
        subject=subject,
        device_id=device_id(subject),
        listen_s=listen_s,
        inputs=inputs,
    )
