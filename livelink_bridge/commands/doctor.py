"""`doctor`: why the MetaHuman does not move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from livelink_bridge.config import Settings

OPTIONS = ("to", "model", "device", "lookahead", "reference_face", "style")
MARKS = {"ok": " ok ", "warn": "warn", "fail": "FAIL"}


def doctor(settings: Settings) -> None:
    """Find out why the face does not move.

    Checks everything between a voice and a face and says what to do about what is wrong. Exit code 1 if nothing can move.
    """
    from livelink_bridge.clock import MonotonicClock
    from livelink_bridge.commands import session
    from livelink_bridge.doctor import examine

    failed = False
    for finding in examine(settings.targets, lambda: session.model_of(settings), MonotonicClock()):
        typer.echo(f"{MARKS[finding.level]}  {finding.what}: {finding.text}")
        failed |= finding.level == "fail"
    if failed:
        raise typer.Exit(1)
