"""Formats the monitor's summary as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def lines(summary: dict[str, Any]) -> Iterator[str]:
    """A summary as text: one line per subject, per kind of ignored datagram and per warning."""
    if not summary["datagrams"]:
        yield f"nothing yet on UDP port {summary['port']} after {summary['listened_s']:.0f} s"
    for subject in summary["subjects"]:
        yield subject_line(subject)
    for ignored in summary["ignored"]:
        yield f"  Unreal would ignore these: {entry_text(ignored)}"
    for warning in summary["warnings"]:
        yield f"  {entry_text(warning)}"


def entry_text(entry: dict[str, Any]) -> str:
    """A warning as text: count, text, sender and remedy."""
    sender = f" (from {entry['sender']})" if entry["sender"] and entry["sender"] not in entry["text"] else ""
    remedy = f"; {entry['remedy']}" if entry["remedy"] else ""
    return f"{entry['count']} x {entry['text']}{sender}{remedy}"


def subject_line(subject: dict[str, Any]) -> str:
    """A subject as one line: name, rate, jitter, losses and channel values."""
    values = " ".join(f"{name} {_figure(value, '.2f')}" for name, value in subject["values"].items())
    return " | ".join([*subject_parts(subject), values])


def subject_parts(subject: dict[str, Any]) -> list[str]:
    """Name, rate, jitter and losses."""
    trouble = [f"{subject[key]} {key}" for key in ("lost", "backwards", "repeated", "restarts") if subject[key]]
    silent_s = subject["silent_s"] or 0
    return [
        f"{subject['subject']}: {subject['packets']} packets",
        f"{_figure(subject['fps_recent'], '.2f')} fps" if silent_s < 1 else f"silent for {silent_s:.1f} s",
        f"interval sd {_figure(subject['interval_sd_ms'], '.2f')} ms, p99 error "
        f"{_figure(subject['interval_p99_error_ms'], '.2f')} ms "
        "(last minute)",
        ", ".join(trouble) or ("none lost" if subject["frame"] is not None else f"{subject['wire']} numbers no frames"),
    ]


def _figure(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)
