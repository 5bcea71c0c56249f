"""`monitor`: what arrives on a port, and what Unreal would make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from livelink_bridge.commands.common import interruptible


def monitor(
    port: Annotated[int, typer.Option(metavar="PORT", help="UDP port to listen on.")] = 11111,
    seconds: Annotated[float | None, typer.Option(metavar="S", min=0, help="End after this long; without it, Ctrl-C ends.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: a summary every second and one at the end.")] = False,
) -> None:
    """Receive like Unreal and say what arrives.

    Subject, rate, jitter and loss; which datagrams Unreal would drop without a word, and why.
    """
    from livelink_bridge.monitor import listen

    def show(summary: dict[str, object]) -> None:
        typer.echo(json.dumps(summary) if as_json else "\n".join(lines(summary)))

    with interruptible() as stop:
        show(listen(port, seconds, on_second=show, stop=stop))


def lines(summary: dict[str, Any]) -> Iterator[str]:
    """A summary for a person: a line per subject, per kind of ignored datagram and per warning."""
    if not summary["datagrams"]:
        yield f"nothing yet on UDP port {summary['port']} after {summary['listened_s']:.0f} s"
    for subject in summary["subjects"]:
        yield _subject_line(subject)
    for ignored in summary["ignored"]:
        yield f"  Unreal would ignore these: {ignored['count']} x {ignored['text']}"
    for warning in summary["warnings"]:
        yield f"  {warning['count']} x {warning['text']}"


def _subject_line(subject: dict[str, Any]) -> str:
    trouble = [f"{subject[key]} {key}" for key in ("lost", "backwards", "repeated", "restarts") if subject[key]]
    silent_s = subject["silent_s"] or 0
    parts = [
        f"{subject['subject']}: {subject['packets']} packets",
        f"{_figure(subject['fps_recent'], '.2f')} fps" if silent_s < 1 else f"silent for {silent_s:.1f} s",
        f"interval sd {_figure(subject['interval_sd_ms'], '.2f')} ms, p99 error {_figure(subject['interval_p99_error_ms'], '.2f')} ms",
        ", ".join(trouble) or "none lost",
        " ".join(f"{name} {_figure(value, '.2f')}" for name, value in subject["values"].items()),
    ]
    return " | ".join(parts)


def _figure(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)
