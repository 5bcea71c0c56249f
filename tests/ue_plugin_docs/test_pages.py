"""The Unreal pages: drawings are what their texts say, links lead somewhere, claims carry marks, quoted lines are the
program's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import write_take
from livelink_bridge.cli import GROUPS, VERBS
from livelink_bridge.doctor import hints
from livelink_bridge.doctor.checks import traffic
from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.wire.livelink import Packet, encode

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "ue_plugin_docs"
DIAGRAMS = PAGES / "diagrams"
NAMES = sorted(page.name for page in PAGES.glob("*.md"))
MARKS = ("documented", "read in source", "not verified in an editor")
FACE = Packet("00000000-0000-0000-0000-000000000001", "Ada", 0, 0.0, Fraction(60), np.zeros(61, np.float32))


def _text(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def _claims(text: str) -> str:
    """A page without its code blocks and headings."""
    return re.sub(r"^#.*$", "", re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M), flags=re.M)


def _anchors(text: str) -> set[str]:
    """Of each heading, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


def test_the_drawings_are_what_their_texts_say() -> None:
    command = [sys.executable, str(DIAGRAMS / "make_diagrams.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("drawing", sorted(DIAGRAMS.glob("*.svg")), ids=lambda path: path.stem)
def test_each_drawing_has_a_text_a_page_and_every_label_of_its_text(drawing: Path) -> None:
    source = drawing.with_suffix(".txt").read_text(encoding="utf-8")
    shown = {
        "".join(element.itertext()) for element in ElementTree.parse(drawing).iter("{http://www.w3.org/2000/svg}text")
    }
    boxes = [shlex.split(line)[4:] for line in source.splitlines() if line.startswith("box ")]
    assert boxes and {line for lines in boxes for line in lines} <= shown
    assert any(f"diagrams/{drawing.name}" in _text(name) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _text(name)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (PAGES / file).resolve() if file else PAGES / name
        assert path.exists(), f"{name}: {target}"
        assert not anchor or anchor in _anchors(path.read_text(encoding="utf-8")), f"{name}: {target}"


def test_the_index_lists_every_page() -> None:
    listed = set(re.findall(r"\]\((\w[\w-]*\.md)\)", _text("README.md")))
    assert listed == set(NAMES) - {"README.md"}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "README.md"])
def test_every_page_marks_its_claims_with_the_legends_marks_only(name: str) -> None:
    legend = _text("README.md")
    assert all(f"**[{mark}]**" in legend for mark in MARKS)
    found = re.findall(r"\[([a-z][^\]\[]*)\](?!\()", _claims(re.sub(r"`[^`]*`", "", _text(name))))
    unknown = [mark for mark in found if not any(known in mark for known in MARKS)]
    assert found and not unknown, unknown


def test_every_cell_of_the_version_table_is_there() -> None:
    rows = [line for line in _text("versions.md").splitlines() if line.startswith("|")]
    assert rows[0].split("|")[2:-1] == [f" 5.{minor} " for minor in range(3, 8)]
    for row in rows[2:]:
        assert len(row.split("|")) == 8 and all(cell.strip() for cell in row.split("|")[1:-1]), row


@pytest.mark.parametrize("name", NAMES)
def test_commands_on_the_pages_are_the_programs_own(name: str) -> None:
    for words in re.findall(r"livelink-bridge ((?:--)?[a-z][\w-]*)", _text(name)):
        assert words in (*VERBS, *GROUPS) or words.startswith("--"), f"{name}: livelink-bridge {words}"


def test_the_list_of_the_osc_message_is_in_wire_order() -> None:
    expected = {"**JawOpen**": 17, "MouthClose": 18, "BrowDownLeft": 41, "TongueOut": 51, "HeadYaw": 52}
    page = _text("osc.md")
    for name, number in expected.items():
        assert CHANNELS_61[number] == name.strip("*")
        first, last = next(
            (int(row[1]), int(row[2]))
            for row in re.finditer(r"^\| (\d+) to (\d+) \| (.+) \|$", page, re.M)
            if name in row[3]
        )
        assert first <= number <= last


def _packet(at: int, **changed: object) -> bytes:
    return encode(replace(FACE, frame=at, **changed))


def _yawed(at: int) -> bytes:
    values = np.zeros(61, np.float32)
    values[CHANNELS_61.index("HeadYaw")] = 25
    return _packet(at, values=values)


def _scenes() -> Iterator[tuple[str, list[tuple[float, bytes]]]]:
    """What the monitor is fed: a reason, and datagrams by arrival."""
    every = [at / 60 for at in range(120)]
    other = "00000000-0000-0000-0000-000000000002"
    yield "count", [(at, _packet(0)[:-245] + bytes([52]) + _packet(0)[-244:]) for at in every]
    yield "other-wire", [(at, b"/arkit/JawOpen\0\0,f\0\0\0\0\0\0") for at in every]
    yield "shared-id", [(at, _packet(n // 2, subject=("Ada", "Ben")[n % 2])) for n, at in enumerate(every)]
    yield "shared-name", [(at, _packet(n // 2, device_id=(FACE.device_id, other)[n % 2])) for n, at in enumerate(every)]
    yield "renamed", [(at, _packet(n, subject="Ada" if n < 60 else "Ben")) for n, at in enumerate(every)]
    yield "angle", [(at, _yawed(n)) for n, at in enumerate(every)]
    yield "bursts", [(n // 3 / 20, _packet(n)) for n in range(120)]
    yield "slow", [(n / 10, _packet(n)) for n in range(120)]


QUOTED = {
    "count": "52 values, Unreal reads 61, and Unreal leaves the rest of its queue to the next tick",
    "other-wire": "these are OSC messages: Unreal's ARKit source reads Live Link packets only",
    "shared-id": "Unreal removes one subject for the other",
    "shared-name": "both move one face",
    "renamed": "Unreal removed the old subject",
    "angle": "HeadYaw is 25, expected radians: degrees spin the head",
    "bursts": "Unreal shows only the last before it draws",
    "slow": "the face moves in steps",
}


@pytest.mark.parametrize(
    ("reason", "datagrams"), list(_scenes()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_lines_of_the_monitor_are_quoted_as_it_says_them(reason: str, datagrams: list[tuple[float, bytes]]) -> None:
    monitor = Monitor()
    for at, datagram in datagrams:
        monitor.feed(datagram, 1000 + at)
    summary = monitor.summary()
    said = [entry["text"] for entry in [*summary["ignored"], *summary["warnings"]] if entry["reason"] == reason]
    assert len(said) == 1 and QUOTED[reason] in said[0], summary
    assert f"`{QUOTED[reason]}`" in _text("troubleshooting.md")


def test_lines_of_the_doctor_are_quoted_as_it_says_them() -> None:
    page = _text("troubleshooting.md")
    for finding in hints.unreal("LiveLinkBridge"):
        assert finding.text in page, finding.text
    found = {"subject": "Ada", "sender": "10.0.0.1:5", "device_id": "other"}
    assert f"`has {traffic._subject('x', found, 'Ada', None).text.partition(' has ')[2]}`" in page


def test_lines_of_the_take_check_are_quoted_as_it_says_them(tmp_path: Path) -> None:
    page, path = _text("troubleshooting.md"), tmp_path / "Ada_1_Ada.csv"
    write_take(path, np.zeros((60, 61), np.float32), start_s=8236.622)
    told = [finding.text for finding in check_take(path)]
    assert len([text for text in told if f"`{text}`" in page]) == 2, told
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[2].replace(",0.0000000000", ",", 1)]))
    stopped = "importers stop here and keep only the rows before"
    assert any(stopped in finding.text for finding in check_take(path)) and f"`{stopped}`" in page
    path.write_text(
        "\n".join([lines[0], *(f"10:00:{at // 24:02}:{at % 24:02},{lines[1].split(',', 1)[1]}" for at in range(60))])
    )
    other = "its timecode counts 24 a second, importers count 60, newer ones 30 where no FF is over 30"
    assert any(other in finding.text for finding in check_take(path)) and f"`{other}`" in page
    write_take(path, np.zeros((60, 61), np.float32))
    path.write_text("\n".join(path.read_text().splitlines()[:20]))
    doubled = "no FF is over 30: newer importers (Unreal 5.4) take it for 30 fps and double its fractions"
    assert any(doubled in finding.text for finding in check_take(path)) and f"`{doubled}`" in page


def test_the_dry_run_on_the_page_is_the_scripts_own(tmp_path: Path) -> None:
    folder = tmp_path / "takes" / "20261122_Ada_1"
    folder.mkdir(parents=True)
    write_take(folder / "Ada_1_Ada.csv", np.zeros((209, 61), np.float32), start_s=8236.622)
    command = [sys.executable, str(PAGES / "scripts" / "import_take.py"), "takes", "--dry-run", "--no-sound"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    page = re.sub(r"^ +", "", _text("takes.md"), flags=re.M)
    assert all(line.strip().replace("\\", "/") in page for line in done.stdout.splitlines()), done.stdout
