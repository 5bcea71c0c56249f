"""The panel of running sessions, as rich draws it: a few lines for one performer, one row each for several.

Laid out by hand, because it is drawn four times a second beside real-time threads, and rich's tables take four times as
long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group
from rich.text import Text

from livelink_bridge.console.typed_commands import Typing
from livelink_bridge.reporting.metrics import Device, Level, Losses, Status, Target, VoiceStatus
from livelink_bridge.reporting.status_text import (
    delay_text,
    gate_text,
    losses_text,
    parts_text,
    peaks_text,
    target_text,
)

_FLOOR_DBFS = -60.0
_HOT_DBFS = -3.0
"""Peaks above this leave no room for a shout."""
_BAR_CELLS, _ROW_CELLS = 20, 10
_ENOUGH_FPS = 0.97
"""Fraction of the wanted packet rate below which the rate is marked."""
_HEAD = f"{'subject':14} {'state':10} {'level':{_ROW_CELLS}}   fps delay lost errs"

GOOD, WARN, BAD, QUIET = "green", "yellow", "bold red", "dim"


def status_panel(named: Mapping[str, Status], *, blocks: bool = True) -> Group:
    """The panel of all sessions, by subject, for 60 columns and more. `blocks` draws levels with block characters, else
    in ASCII."""
    if len(named) == 1:
        [(subject, status)] = named.items()
        return Group(*_lines(subject, status, blocks))
    return Group(*_rows(named, blocks))


def input_lines(typing: Typing) -> tuple[Text, Text]:
    """The key bindings, and the line that is being typed."""
    line = Text.assemble("> ", typing.text) if typing.text else Text.assemble("> ", (typing.notice, QUIET))
    return Text(f"keys  {typing.key_help}", QUIET), line


def level_bar(level: Level, cells: int, *, blocks: bool = True) -> Text:
    """A level bar from -60 to 0 dBFS, with a mark at the held peak.

    Red while the audio clips, yellow where it nearly does. `cells` is its width in characters.
    """
    full, rest, mark = ("█", "░", "┃") if blocks else ("#", ".", "|")
    if level.rms_dbfs is None:
        return Text(" " * cells)
    peak_dbfs = level.rms_dbfs if level.held_peak_dbfs is None else level.held_peak_dbfs
    length, at = _cell(level.rms_dbfs, cells), _cell(peak_dbfs, cells) - 1
    bar = list(full * length + rest * (cells - length))
    if level.held_peak_dbfs is not None and at >= 0:
        bar[at] = mark
    return Text("".join(bar), BAD if level.clips else WARN if peak_dbfs > _HOT_DBFS else GOOD)


def _cell(dbfs: float, cells: int) -> int:
    return round(min(1.0, max(0.0, 1 - dbfs / _FLOOR_DBFS)) * cells)


def _lines(subject: str, status: Status, blocks: bool) -> Iterator[Text]:
    yield _first_line(subject, status)
    if status.level.rms_dbfs is not None:
        yield _level_line(status, blocks)
    yield Text(delay_text(status.delay))
    parts = parts_text(status.delay)
    if parts:
        yield Text(f"  {parts}", QUIET)
    yield Text(losses_text(status.losses), WARN if status.losses != Losses() else QUIET)
    if status.device:
        yield _device_line(status.device, status.level.gain_db)
    yield from (_target_line(target) for target in status.targets)
    if status.voice_out:
        yield _voice_line(status.voice_out)


def _first_line(subject: str, status: Status) -> Text:
    rest = [f"  {text}" for text in (status.timecode, status.mood and f"mood {status.mood}") if text]
    return Text.assemble(
        (f"{subject}  " if subject else "", "bold"),
        _state(status),
        "  ",
        (f"{status.fps:.1f} fps", _fps_style(status)),
        *rest,
    )


def _level_line(status: Status, blocks: bool) -> Text:
    line = Text.assemble(level_bar(status.level, _BAR_CELLS, blocks=blocks), f" {peaks_text(status.level)}")
    if status.level.clips:
        line.append("  CLIP", BAD)
    if status.gate is not None:
        line.append(f"  {gate_text(status.gate)}", GOOD if status.gate else QUIET)
    return line


def _device_line(device: Device, gain_db: float | None) -> Text:
    line = Text(f"from {device.name}, {device.rate_hz} Hz")
    if gain_db is not None:
        line.append(f", gain {gain_db:+.1f} dB")
    if device.reopened:
        line.append(f", found again {device.reopened} x", WARN)
    return line


def _target_line(target: Target) -> Text:
    return Text(f"to {target_text(target)}", BAD if target.trouble else WARN if target.errors else "")


def _voice_line(voice: VoiceStatus) -> Text:
    if voice.trouble:
        return Text(f"voice {voice.trouble}", BAD)
    return Text(f"voice on {voice.device}, {voice.offset_ms:+.1f} ms, {voice.drift_ppm:+.0f} ppm")


def _rows(named: Mapping[str, Status], blocks: bool) -> Iterator[Text]:
    yield Text(_HEAD, QUIET)
    for subject, status in named.items():
        yield _row(subject, status, blocks)
        if status.trouble:
            yield Text(f"  {status.trouble}", BAD)
        yield from (Text(f"  {target.name}: {target.trouble}", BAD) for target in status.targets if target.trouble)


def _row(subject: str, status: Status, blocks: bool) -> Text:
    errors = sum(target.errors for target in status.targets)
    losses = status.losses
    lost = losses.dropped + losses.held + losses.overflows + losses.gaps + losses.bad_poses + losses.late_ticks
    delay = "?" if status.delay is None else f"{status.delay.median_ms:.0f}"
    state = _state(status)
    for cell, width in ((name := Text(subject, "bold"), 14), (state, 10)):
        cell.truncate(width, overflow="ellipsis", pad=True)
    return Text.assemble(
        *(name, " ", state, " ", level_bar(status.level, _ROW_CELLS, blocks=blocks), " "),
        (f"{status.fps:5.1f}", _fps_style(status)),
        f" {delay:>5}",
        (f" {lost:4}", WARN if lost else QUIET),
        (f" {errors:4}", BAD if errors else QUIET),
    )


def _state(status: Status) -> Text:
    return Text(status.state, BAD if status.trouble else GOOD)


def _fps_style(status: Status) -> str:
    slow = status.wanted_fps is not None and status.sent > 0 and status.fps < _ENOUGH_FPS * status.wanted_fps
    return WARN if slow else ""
