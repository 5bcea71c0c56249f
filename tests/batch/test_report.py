"""The report of a batch."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from livelink_bridge.batch import report
from livelink_bridge.batch.job import Outcome
from livelink_bridge.batch.measured_face import POINTS, Curves
from livelink_bridge.batch.report import Totals, curves_svg, totals_text, write_report
from livelink_bridge.errors import SinkError

CURVES = Curves(*("".join(f"{(at * step) % 256:02x}" for at in range(POINTS)) for step in (3, 5, 7)))
TOTALS = Totals(converted=2, skipped=1, failed=1, seconds=120.0, took_s=2.0)


def outcome(**given: object) -> Outcome:
    return Outcome(seconds=65.0, level_dbfs=-23.4, speech=0.75, sealed=9, closures=12, curves=CURVES, **given)  # type: ignore[arg-type]


class Cells(HTMLParser):
    """The text of every cell, row by row, and whatever the page would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.fetched: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._inside |= tag == "td"
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "td"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data.strip()


def test_each_take_has_its_figures_and_each_failure_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "deep/report.html"
    write_report(path, TOTALS, [("in/<b>.wav", "is no sound & never was")], [("x/a.csv", outcome(warnings=("quiet",)))])
    text = path.read_text(encoding="utf-8")
    page = Cells(text)
    assert ["in/<b>.wav", "", "", "", "", "", "is no sound & never was"] in page.rows
    assert ["x/a.csv", "1:05", "-23 dBFS", "75%", "9 of 12", "", "quiet"] in page.rows
    assert "2 converted (2:00 of audio in 0:02, 60 x real time), 1 done before, 1 failed" in text
    assert page.fetched == [] and "http" not in text
    assert [path.name for path in path.parent.iterdir()] == ["report.html"]


def test_a_picture_is_svg_with_a_line_for_each_curve() -> None:
    drawn = ElementTree.fromstring(curves_svg(CURVES))
    assert [line.get("class") for line in drawn] == ["l", "j", "r"]
    points = [tuple(map(int, point.split())) for point in (drawn[0].get("d") or "").removeprefix("M").split("L")]
    assert (
        points[0] == (0, 24)
        and [at for at, _ in points] == list(range(POINTS))
        and all(0 <= height <= 24 for _, height in points)
    )
    assert len(ElementTree.fromstring(curves_svg(Curves()))) == 0


def test_a_thousand_takes_make_a_page_of_a_megabyte_or_two(tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", TOTALS, [], ((f"scene/{at}.csv", outcome()) for at in range(1000)))
    assert (tmp_path / "r.html").stat().st_size < 2e6


def test_of_very_many_takes_those_to_look_at_are_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_ROWS", 10)
    takes = ((f"{at}.csv", outcome(warnings=("quiet",) if at > 95 else ())) for at in range(100))
    write_report(tmp_path / "r.html", TOTALS, [], takes)
    page = Cells((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert sum(row[-1] == "quiet" for row in page.rows if row) == 4
    assert page.rows[-1] == ["and 86 more takes without warnings"]


def test_a_page_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="report .* cannot be written"):
        write_report(tmp_path / "file/report.html", TOTALS, [], [])


def test_a_batch_that_did_nothing_has_no_rate() -> None:
    assert totals_text(Totals(0, 3, 0, 0.0, 0.1)) == "0 converted, 3 done before, 0 failed"
