"""The checker against files in the exact shape of the app's, and against each way in which a take can be broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arkit_mapping.takes.check import Finding, check_take
from arkit_mapping.takes.csv import write_take
from arkit_mapping.takes.names import imported_subject
from arkit_mapping.takes.rows import HEADER

APP_ROWS = [
    "19:55:16:26.689,61,0.0000000000,0.0000000000,0.0515275709,0.0000000000,0.1006645113,0.0834257454,0.0000000000,0.0000000000,"
    "0.0000000000,0.0000000000,0.0283576157,0.1018327922,0.0831778497,0.0000000000,0.0006732946,0.0096161747,0.0000000000,0.0000000000,"
    "0.0000000000,0.0000000000,0.0227976758,0.0000000000,0.0000000000,0.0000000000,0.0000000000,0.1096159592,0.1275133193,0.0000000000,"
    "0.0000000000,0.0078147668,0.0000000000,0.0471651070,0.0000000000,0.0855753347,0.0571813583,0.0091977883,0.0098714288,0.0000000000,"
    "0.0000000000,0.0000000000,0.0000000000,0.2740176320,0.2737864554,0.1747213006,0.0000000000,0.0000000000,0.0122037493,0.0000000000,"
    "0.0078661023,0.0000000000,0.0000000000,0.0000000208,0.0000000000,0.0000000000,0.0000000000,0.0168914758,-0.0427327976,"
    "-0.0015813141,0.0250300765,-0.0427463390,-0.0066255769"
]


def row(code: str, **cells: str) -> str:
    """A row like the app's, with another timecode; cells by header name."""
    filled = dict(zip(HEADER.split(","), APP_ROWS[0].split(","), strict=True)) | {"Timecode": code} | cells
    return ",".join(filled.values())


def counted(frames: int, first: int = 26, per_second: int = 60) -> list[str]:
    return [row(f"19:55:{16 + at // per_second:02}:{at % per_second:02}.689") for at in range(first, first + frames)]


def take(folder: Path, rows: list[str], header: str = HEADER, name: str = "MySlate_167_iPhone_cal.csv") -> Path:
    path = folder / name
    path.write_bytes("\n".join([header, *rows, ""]).encode())
    return path


def serious(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.level != "note"]


@pytest.mark.parametrize("spelling", ["BlendShapeCount", "BlendshapeCount"])
def test_a_take_of_the_app_passes_in_both_spellings(tmp_path: Path, spelling: str) -> None:
    found = check_take(take(tmp_path, counted(120), HEADER.replace("BlendShapeCount", spelling)))
    assert serious(found) == []
    assert [finding.text for finding in found] == [
        "the take begins 71716.445 s into the sequence",
        "its subject is 'iPhone'; imported by hand, Unreal names it 'MySlate_167_iPhone': choose that name in ARKit "
        "Face Subj then",
    ]


def test_a_take_of_the_app_at_30_fps_passes(tmp_path: Path) -> None:
    rows = [row(f"19:55:{16 + at // 30:02}:{at % 30 * 2:06.3f}") for at in range(90)]
    assert serious(check_take(take(tmp_path, rows))) == []


def test_a_made_take_passes(tmp_path: Path) -> None:
    write_take(tmp_path / "Hall_1_Ada.csv", np.zeros((1, 61)))
    assert serious(check_take(tmp_path / "Hall_1_Ada.csv")) == []


def changed(**cells: str) -> list[str]:
    rows = counted(60)
    rows[4] = row("19:55:16:30.689", **cells)
    return rows


def at(code: str) -> list[str]:
    return changed(Timecode=code)


AS_MILLISECONDS = [row(f"19:55:16:{ms * 60 // 1000:02}.{ms:03}") for ms in range(0, 990, 17)]
BROKEN = {
    "no rows": ([], HEADER, "error", 0, "no row that can be imported"),
    "wrong second column": (
        counted(60),
        HEADER.replace("BlendShapeCount", "FrameRate"),
        "error",
        1,
        "got 'Timecode,FrameRate",
    ),
    "Unreal's own writer": (
        counted(60),
        HEADER.replace(",BlendShapeCount", ", FrameRate"),
        "error",
        1,
        "no importer takes it",
    ),
    "too few columns": (
        ["00:00:00:00.000,61"],
        "Timecode,BlendShapeCount",
        "error",
        1,
        "expected Timecode,BlendShapeCount",
    ),
    "typo in a column": (
        counted(60),
        HEADER.replace("JawOpen", "JawOpne"),
        "warning",
        1,
        "'jawopne' is no channel, did you mean JawOpen",
    ),
    "missing column": (counted(60), HEADER.replace("JawOpen", "JawOpne"), "error", 1, "no column JawOpen (1 of 52"),
    "column twice": (
        counted(60),
        HEADER.replace("JawLeft", "JawRight"),
        "warning",
        1,
        "column JawRight is there 2 times",
    ),
    "empty cell": (changed(JawOpen=""), HEADER, "error", 6, "got cells: 1 empty; importers stop here"),
    "cell too many": (changed(JawOpen="0,0"), HEADER, "error", 6, "got cells: 64, expected 63"),
    "blank line": ([*counted(40), "", *counted(20, 66)], HEADER, "error", 42, "importers stop here"),
    "three parts": (at("19:55:16.500"), HEADER, "error", 6, "got timecode '19:55:16.500'"),
    "drop frame": (at("19:55:16;30.689"), HEADER, "error", 6, "expected HH:MM:SS:FF.mmm, non-drop"),
    "FF over 59": (at("19:55:16:75.000"), HEADER, "error", 6, "FF below 60"),
    "not a number of the clock": (at("19:55:16:1e1"), HEADER, "error", 6, "got timecode"),
    "goes back": (at("19:55:16:20.000"), HEADER, "error", 6, "timecode goes back by 0.161 s"),
    "repeats": (at("19:55:16:29.689"), HEADER, "warning", 6, "timecode is that of the row before"),
    "word for a number": (changed(JawOpen="wide"), HEADER, "error", 6, "got 'wide' for JawOpen"),
    "not finite": (changed(JawOpen="nan"), HEADER, "error", 6, "JawOpen is nan"),
    "out of range": (changed(JawOpen="1.5"), HEADER, "warning", 6, "JawOpen is 1.5, expected 0 to 1"),
    "degrees": (changed(HeadYaw="-12.0"), HEADER, "warning", 6, "expected radians"),
    "count of shapes": (changed(BlendShapeCount="52"), HEADER, "warning", 6, "got BlendShapeCount '52'"),
    "half a second": (counted(30, first=0), HEADER, "warning", 0, "take it for 30 fps and double its fractions"),
    "counts thirtieths": (counted(120, first=0, per_second=30), HEADER, "warning", 0, "older ones halve its fractions"),
    "milliseconds": (AS_MILLISECONDS, HEADER, "warning", 0, "are milliseconds of the second"),
    "over midnight": (
        [row("23:59:59:59.000"), *(row(f"00:00:00:{ff:02}.000") for ff in range(60))],
        HEADER,
        "warning",
        3,
        "over midnight",
    ),
}


@pytest.mark.parametrize(("rows", "header", "level", "line", "text"), BROKEN.values(), ids=BROKEN)
def test_each_broken_rule_is_a_finding_with_its_line(
    tmp_path: Path, rows: list[str], header: str, level: str, line: int, text: str
) -> None:
    found = serious(check_take(take(tmp_path, rows, header)))
    assert [(finding.level, finding.line) for finding in found if text in finding.text] == [(level, line)], found


def test_gaps_in_which_the_app_lost_the_face_are_a_note(tmp_path: Path) -> None:
    rows = counted(60)
    del rows[10:14], rows[30:33]
    assert [finding.text for finding in check_take(take(tmp_path, rows)) if "missing" in finding.text] == [
        "rows are missing in 2 places: importers draw straight lines there"
    ]


def test_columns_in_another_order_and_without_angles_pass(tmp_path: Path) -> None:
    names = HEADER.split(",")
    order = [0, 1, *range(53, 1, -1)]
    rows = [",".join(line.split(",")[at] for at in order) for line in counted(60)]
    found = check_take(take(tmp_path, rows, ",".join(names[at] for at in order)))
    assert serious(found) == []
    assert any("9 of the nine angles" in finding.text for finding in found)


def test_many_findings_of_a_kind_are_told_a_few_times(tmp_path: Path) -> None:
    found = serious(check_take(take(tmp_path, [line.replace(",61,", ",60,") for line in counted(100)])))
    assert len(found) == 6
    assert found[0].text == "count: 95 more of the same"


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("MySlate_167_iPhone.csv", "MySlate_167_iPhone"),
        ("MySlate_167_iPhone_cal.csv", "MySlate_167_iPhone"),
        ("MySlate_167_Ada_L.csv", "Ada_L"),
        ("MySlate_167_Ada_L_raw.csv", "Ada_L"),
        ("take.csv", "take"),
        ("Act_Two_3_Ada.csv", "Ada"),
        ("a_b_c_d.csv", "a_b_c_d"),
        ("Hall__3_Ada_L.csv", "Ada_L"),
    ],
)
def test_the_importer_strips_slate_and_number_from_long_names_only(name: str, subject: str) -> None:
    assert imported_subject(name) == subject


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.booleans(), st.lists(st.text(",:.0123456789abc-\n\r ;\0é", max_size=30), max_size=6))
def test_whatever_is_in_a_file_is_a_finding_and_no_crash(
    tmp_path: Path, raw: bytes, headed: bool, rows: list[str]
) -> None:
    text = "\n".join(rows).encode()
    (tmp_path / "t.csv").write_bytes((HEADER.encode() + b"\n" if headed else b"") + text + b"\n" + raw)
    assert all("\n" not in finding.text for finding in check_take(tmp_path / "t.csv"))


def test_a_line_without_an_end_is_not_read_into_memory(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(HEADER.encode() + b"\n" + b"0" * 3_000_000)
    assert any("longer than 65536" in finding.text for finding in check_take(tmp_path / "t.csv"))
