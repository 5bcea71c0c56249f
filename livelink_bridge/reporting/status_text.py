"""Formats a session's status as one line of text, and decides when the next line is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from livelink_bridge.core.clock import Clock
from livelink_bridge.reporting.metrics import Delay, DelayParts, Level, Losses, Status, Target

_PART_NAMES = {
    "lookahead_ms": "look-ahead",
    "compute_ms": "compute",
    "resampling_ms": "resampling",
    "added_ms": "added",
    "pacing_ms": "pacing",
}


class Reports:
    """Decides when a status line of each session is due: every `every_s` seconds, and when its state changes."""

    def __init__(self, clock: Clock, every_s: float) -> None:
        self._clock, self._every_s = clock, every_s
        self._reported: dict[str, tuple[str, float]] = {}
        """Subject -> the last reported state, and the clock time of the next line."""

    def due(self, subject: str, status: Status) -> bool:
        """Whether a line is due; if so, it counts as reported.

        Parameters
        ----------
        subject : name of the performer
        status : its snapshot
        """
        now_s = self._clock.now()
        state, due_s = self._reported.get(subject, (None, now_s))
        if status.state == state and now_s < due_s:
            return False
        self._reported[subject] = status.state, now_s + self._every_s
        return True


def status_text(status: Status) -> str:
    """The whole status on one line."""
    return " | ".join(_parts_of_line(status))


def delay_text(delay: Delay | None) -> str:
    """`delay 71 ms (p99 75, last minute)`."""
    return "delay ?" if delay is None else f"delay {delay.median_ms:.0f} ms (p99 {delay.p99_ms:.0f}, last minute)"


def parts_text(delay: Delay | None) -> str:
    """Components of the delay, and the device's latency before it: `look-ahead 67, compute 2, pacing 2; device 12
    before`. May be empty."""
    if delay is None:
        return ""
    parts = _parts(delay.parts) if delay.parts else ""
    before = "" if delay.capture_ms is None else f"device {delay.capture_ms:.0f} before"
    return "; ".join(filter(None, (parts, before)))


def peaks_text(level: Level) -> str:
    """`-23 dBFS, peak -8`; empty without input."""
    if level.rms_dbfs is None:
        return ""
    peak = "" if level.held_peak_dbfs is None else f", peak {level.held_peak_dbfs:.0f}"
    return f"{level.rms_dbfs:.0f} dBFS{peak}"


def gate_text(gate: float) -> str:
    """`gate open`, `gate closed`, or `gate 40 % open` during a fade."""
    percent = round(100 * gate)
    return {0: "gate closed", 100: "gate open"}.get(percent, f"gate {percent} % open")


def losses_text(losses: Losses) -> str:
    """Each kind of loss there was, or `nothing lost`."""
    counted = {field.name.replace("_", " "): getattr(losses, field.name) for field in fields(losses)}
    return ", ".join(f"{name} {count}" for name, count in counted.items() if count) or "nothing lost"


def target_text(target: Target) -> str:
    """`livelink://127.0.0.1:11111 90 sent, 3 not delivered: nothing listens on port 11111 yet`."""
    return ", ".join(filter(None, (f"{target.name} {target.sent} sent", undelivered_text(target))))


def undelivered_text(target: Target) -> str:
    """`3 not delivered: nothing listens on port 11111 yet`; empty when everything was delivered."""
    count = f"{target.errors} not delivered" if target.errors else ""
    return ": ".join(filter(None, (count, target.trouble)))


def _parts_of_line(status: Status) -> Iterator[str]:
    yield status.state
    yield f"{status.fps:.1f} fps"
    parts = parts_text(status.delay)
    yield delay_text(status.delay) + (f": {parts}" if parts else "")
    if status.level.rms_dbfs is not None:
        yield f"level {peaks_text(status.level)}"
    if status.level.clips:
        yield f"CLIPPED {status.level.clips} samples"
    if status.level.gain_db is not None:
        yield f"gain {status.level.gain_db:+.1f} dB"
    if status.gate is not None:
        yield gate_text(status.gate)
    if status.mood:
        yield f"mood {status.mood}"
    yield losses_text(status.losses)
    yield from _inputs_and_outputs(status)


def _inputs_and_outputs(status: Status) -> Iterator[str]:
    if status.device and status.device.reopened:
        yield f"input reopened {status.device.reopened} x"
    voice = status.voice_out
    if voice:
        yield (
            f"voice out: {voice.trouble}"
            if voice.trouble
            else f"voice {voice.offset_ms:+.1f} ms, {voice.drift_ppm:+.0f} ppm"
        )
    yield f"{status.sent} sent"
    yield from (f"{target.name}: {text}" for target in status.targets if (text := undelivered_text(target)))


def _parts(parts: DelayParts) -> str:
    """Components as text; resampling and added delay only if not 0."""
    known = {name: getattr(parts, field) for field, name in _PART_NAMES.items()}
    always = {"look-ahead", "compute", "pacing"}
    return ", ".join(f"{name} {part_ms:.0f}" for name, part_ms in known.items() if name in always or part_ms)
