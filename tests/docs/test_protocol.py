"""The sections of docs/protocol.md that docstrings cite are headings of that page."""

from __future__ import annotations

import re

from doc_pages import ROOT

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", PAGE, re.MULTILINE))
CITED = re.compile(r"protocol\.md,?\s+(?:sections?\s+)?(\d+(?:\.\d+)?(?:,\s+\d+(?:\.\d+)?)*)")


def cited(text: str) -> set[str]:
    """The section numbers that a module cites."""
    return {section for numbers in CITED.findall(text) for section in re.split(r",\s+", numbers)}


def test_every_cited_section_is_a_heading_of_the_page() -> None:
    modules = [
        path for folder in ("livelink_bridge", "arkit_mapping", "models") for path in (ROOT / folder).rglob("*.py")
    ]
    found = {path.relative_to(ROOT).as_posix(): cited(path.read_text(encoding="utf-8")) for path in modules}
    assert sum(map(bool, found.values())) > 8
    assert {path: sections - SECTIONS for path, sections in found.items() if sections - SECTIONS} == {}


def test_a_citation_with_several_sections_is_read_whole() -> None:
    assert cited("the name (protocol.md 1.4, 1.7, 2).") == {"1.4", "1.7", "2"}
    assert cited("ports (docs/protocol.md, sections 1.5,\n4.1)") == {"1.5", "4.1"}
    assert "12" not in SECTIONS and {"1.4", "2", "7.1"} <= SECTIONS
