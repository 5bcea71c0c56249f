"""`doctor`: find out why the MetaHuman does not move."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings

MARKS = {"ok": " ok ", "note": "note", "warn": "warn", "fail": "FAIL"}
LONGEST_S = 3600


def doctor(
    settings: Settings,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="S", min=0, max=LONGEST_S, help="Listen so long for other senders; 0 does not. Default 1."
        ),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line: level, what, text.")] = False,
) -> None:
    """Find out why the face does not move.

    Checks everything from the voice to the face and says what to do about each problem. Exit code 1 if the face cannot
    move.
    """
    from dataclasses import asdict

    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.doctor import examine
    from livelink_bridge.session import build
    from livelink_bridge.settings.identity import device_id
    from livelink_bridge.settings.performers import performers_of
    from livelink_bridge.sources.microphone import MicrophoneSource

    failed, clock = False, MonotonicClock()
    inputs = {
        own.subject: partial(MicrophoneSource, build.input_of(own, mic), clock=clock)
        for mic, own in performers_of(settings)
    }
    performers = [own for _, own in performers_of(settings)] or [settings]
    uris = tuple(dict.fromkeys(uri for own in performers for uri in own.targets))
    subject = performers[0].subject
    checks = examine(
        uris,
        lambda: build.model_of(settings),
        clock,
        subject=subject,
        device_id=device_id(subject),
        listen_s=seconds,
        inputs=inputs,
    )
    for finding in checks:
        typer.echo(
            json.dumps(asdict(finding)) if as_json else f"{MARKS[finding.level]}  {finding.what}: {finding.text}"
        )
        failed |= finding.level == "fail"
    if failed:
        raise typer.Exit(1)
