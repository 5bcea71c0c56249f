"""The report of a batch: one self-contained HTML page with a row per take, its figures and plots of its curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple, TextIO

from arkit_mapping.whole_file import whole_file
from livelink_bridge.batch.job import Outcome
from livelink_bridge.batch.measured_face import Curves
from livelink_bridge.batch.progress import time_text
from livelink_bridge.errors import SinkError

MAX_ROWS = 5000
"""Rows of takes without warnings: a row is about 1 KB, and browsers become slow above this. Takes with warnings are
always listed."""
_HEIGHT = 24

_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>livelink-bridge: takes</title><style>
body{font:14px system-ui,sans-serif;margin:2em;color:#222;background:#fff}
h1{font-size:1.4em}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:3px 10px;border-bottom:1px solid #ddd;vertical-align:top}
th{position:sticky;top:0;background:#fff;cursor:pointer}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.f{word-break:break-all}
.bad td{background:#fdecea}
.warn{color:#8a5300}
svg{display:block;width:192px;height:26px}
path{fill:none;vector-effect:non-scaling-stroke}
.l{stroke:#999;color:#888}.j{stroke:#0b61a4;color:#0b61a4}.r{stroke:#c2410c;color:#c2410c}
@media(prefers-color-scheme:dark){
body,th{background:#181818;color:#ddd}th,td{border-color:#444}.bad td{background:#47201d}.warn{color:#f0b060}
.j{stroke:#5ab0f0;color:#5ab0f0}.r{stroke:#f58a5c;color:#f58a5c}}
</style></head><body><h1>Takes</h1>
"""
_TABLE = """<p>Curves: <span class="l">level</span>, <span class="j">jaw</span>, <span class="r">rounded lips</span>,
over the whole recording. Speech: share of the recording at speech level.
Lips met: at how many of the recognized p, b and m the lips close.</p>
<table><thead><tr>
<th>Take</th><th>Length</th><th>Level</th><th>Speech</th><th>Lips met</th><th>Curves</th><th>To look at</th>
</tr></thead><tbody>
"""
_FOOT = """</tbody></table><script>
document.querySelectorAll("th").forEach((head, at) => head.onclick = () => {
  const body = document.querySelector("tbody"), sign = head.dataset.down ? -1 : 1;
  head.dataset.down = head.dataset.down ? "" : "1";
  const value = row => row.cells[at]?.dataset.v ?? row.cells[at]?.textContent ?? "";
  const order = (a, b) => a === "" || b === "" || isNaN(a - b) ? a.localeCompare(b) : a - b;
  [...body.rows].sort((a, b) => sign * order(value(a), value(b))).forEach(row => body.append(row));
});
</script></body></html>
"""


class Totals(NamedTuple):
    """Totals of a batch."""

    converted: int
    skipped: int
    """Takes that existed already."""
    failed: int
    seconds: float
    """Length of the converted audio, seconds."""
    took_s: float
    """Run time, seconds."""


def write_report(
    path: Path, totals: Totals, failures: Iterable[tuple[str, str]], takes: Iterable[tuple[str, Outcome]]
) -> None:
    """Write the report atomically, row by row.

    Parameters
    ----------
    path : the page to write
    totals : shown at the top
    failures : audio file and error
    takes : take and outcome

    Raises SinkError if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial, partial.open("w", encoding="utf-8", errors="replace") as page:
            _write(page, totals, failures, takes)
    except OSError as error:
        raise SinkError(f"report {path} cannot be written: {error.strerror}") from error


def _write(
    page: TextIO, totals: Totals, failures: Iterable[tuple[str, str]], takes: Iterable[tuple[str, Outcome]]
) -> None:
    page.write(_HEAD + f"<p>{escape(totals_text(totals))}</p>" + _TABLE)
    for sound, error in failures:
        page.write(
            f'<tr class="bad"><td class="f">{escape(sound)}</td>{"<td></td>" * 5}<td>{escape(error)}</td></tr>\n'
        )
    good = left_out = 0
    for name, outcome in takes:
        good += not outcome.warnings
        if outcome.warnings or good <= MAX_ROWS:
            page.writelines(_row(name, outcome))
        else:
            left_out += 1
    if left_out:
        page.write(f'<tr><td colspan="7">and {left_out} more takes without warnings</td></tr>')
    page.write(_FOOT)


def totals_text(totals: Totals) -> str:
    """`3 converted (0:27 of audio in 0:01, 20 x real time), 2 done before, 1 failed`."""
    rate = f", {totals.seconds / totals.took_s:.0f} x real time" if totals.took_s > 0 and totals.seconds else ""
    spoken = f" ({time_text(totals.seconds)} of audio in {time_text(totals.took_s)}{rate})" if totals.converted else ""
    return f"{totals.converted} converted{spoken}, {totals.skipped} done before, {totals.failed} failed"


def _row(name: str, outcome: Outcome) -> Iterator[str]:
    score = outcome.closure_score
    figures = [
        (outcome.seconds, time_text(outcome.seconds)),
        (outcome.level_dbfs, f"{outcome.level_dbfs:.0f} dBFS"),
        (outcome.speech, f"{outcome.speech:.0%}"),
        (
            -1.0 if score is None else score,
            "" if outcome.closures is None else f"{outcome.sealed} of {outcome.closures}",
        ),
    ]
    yield f'<tr><td class="f">{escape(name)}</td>'
    yield from (f'<td class="n" data-v="{value:.3f}">{text}</td>' for value, text in figures)
    yield f'<td>{curves_svg(outcome.curves)}</td><td class="warn">{escape("; ".join(outcome.warnings))}</td></tr>\n'


def curves_svg(curves: Curves) -> str:
    """The curves as an inline SVG of at most 1 KB."""
    width = max(len(curves.level) // 2 - 1, 1)
    drawn = {"l": curves.level, "j": curves.jaw, "r": curves.round}
    paths = "".join(f'<path class="{kind}" d="{_path(points)}"/>' for kind, points in drawn.items() if points)
    return f'<svg viewBox="0 -1 {width} {_HEIGHT + 2}" preserveAspectRatio="none">{paths}</svg>'


def _path(points: str) -> str:
    heights = [_HEIGHT - round(value * _HEIGHT / 255) for value in bytes.fromhex(points)]
    return "M" + "L".join(f"{at} {height}" for at, height in enumerate(heights))
