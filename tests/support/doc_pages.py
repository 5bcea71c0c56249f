"""The pages of the documentation as text: their blocks, links and headings. docs/pages.md says what is asked of
them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
UNREAL = sorted((ROOT / "ue_plugin_docs").rglob("*.md"))
CARDS = sorted((ROOT / "models" / "speech_to_face" / "checkpoints").glob("*/CARD.md"))
PAGES = [*DOCS, *UNREAL, *CARDS, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

_FENCE = re.compile(
    r"^(?:<!-- block: (?P<mark>[^>]*?) -->\n)?(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#* *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    """Of its first fence, from 1."""
    language: str
    mark: str | None
    """What the comment before it asks for."""
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """A page as people name it."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    return list(blocks_of(page.read_text(encoding="utf-8"), page))


def blocks_of(text: str, page: Path) -> list[Block]:
    return [
        Block(
            page,
            text.count("\n", 0, found.start("indent")) + 1,
            found["language"].strip(),
            found["mark"],
            found["text"],
        )
        for found in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def inline_code(page: Path) -> list[str]:
    """What stands in backticks within sentences and tables."""
    return [" ".join(found[2].split()) for found in _INLINE.finditer(prose(page))]


def links(page: Path) -> list[str]:
    """Links and pictures, as written."""
    return _LINK.findall(_INLINE.sub("", prose(page)))


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub addresses them: lower case, without punctuation, hyphens for spaces, `-1` behind
    the second."""
    found: set[str] = set()
    for title in _HEADING.findall(prose(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        at = 1
        unique = slug
        while unique in found:
            unique, at = f"{slug}-{at}", at + 1
        found.add(unique)
    return found
