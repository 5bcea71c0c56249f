"""Every link of the documentation leads somewhere: to a file of the repository, and to a heading that is in it."""

from __future__ import annotations

from pathlib import Path

from cases import case
from doc_pages import PAGES, ROOT, anchors, links, name


def broken(page: Path) -> list[str]:
    """Links within the repository that lead nowhere."""
    return [
        link
        for link in links(page)
        if not link.startswith(("http://", "https://", "mailto:")) and not leads(page, link)
    ]


def leads(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    meant = (page.parent / path).resolve() if path else page
    if not meant.is_relative_to(ROOT) or not meant.exists():
        return False
    return not anchor or (meant.suffix == ".md" and anchor in anchors(meant))


def test_every_link_of_a_page_leads_to_a_file_and_a_heading() -> None:
    for page in PAGES:
        with case(page):
            assert broken(page) == []


def test_a_link_to_nothing_and_to_no_heading_is_found() -> None:
    page = ROOT / "docs" / "index.md"
    assert (
        leads(page, "start.md#4-unreal")
        and leads(page, "../README.md")
        and leads(page, "wires-livelink-ifacialmocap.md#livelinkhostport")
    )
    assert not leads(page, "nothing.md") and not leads(page, "start.md#nothing") and not leads(page, "../../outside.md")


def test_every_page_of_the_documentation_is_reached_from_its_first() -> None:
    reached, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = {
            (page.parent / link.partition("#")[0]).resolve()
            for link in links(page)
            if "://" not in link and link.partition("#")[0]
        }
        waiting += [
            path
            for path in found
            if path.suffix == ".md" and path.is_file() and path not in reached and path not in waiting
        ]
    assert sorted(name(page) for page in (ROOT / "docs").rglob("*.md") if page not in reached) == []
