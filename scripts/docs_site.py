"""Adds pages outside docs/ to the site and rewrites links, so that they work in the repository and on the site.

A hook of mkdocs.yml. In the repository pages link to files by relative path, for GitHub. On the site ue_plugin_docs/ is
`unreal/`, each checkpoint's CARD.md is a page of `cards/`, and every other linked file (a program, a YAML file) is
copied to `repository/`. In `nav`, `FOLDER/*` stands for the pages of a folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
UNREAL, CARDS, OTHERS = "unreal", "cards", "repository"
_LINK = re.compile(r"(\]\(|<(?:img|a)\b[^>]*?\b(?:src|href)=\")([^)\s\"]+)")
_CODE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$|(`+)[^`\n](?:.*?[^`])?\3(?!`)", re.MULTILINE | re.DOTALL)


def place(path: Path) -> str:
    """Path on the site of a file of the repository, as mkdocs' source path. `path` is absolute."""
    within = path.relative_to(ROOT).as_posix()
    top, _, rest = within.partition("/")
    if top == "docs":
        return rest
    if top == "ue_plugin_docs":
        return f"{UNREAL}/{'index.md' if rest == 'README.md' else rest}"
    if path.name == "CARD.md":
        return f"{CARDS}/{path.parent.name}.md"
    known = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
    return known.get(within, f"{OTHERS}/{within}")


def outside_pages() -> list[Path]:
    """Every file outside docs/ that is a page of the site or a picture in one."""
    unreal = sorted(
        path for path in (ROOT / "ue_plugin_docs").rglob("*") if path.suffix in (".md", ".svg", ".png", ".jpg")
    )
    cards = sorted((ROOT / "models" / "speech_to_face" / "checkpoints").glob("*/CARD.md"))
    return [
        *unreal,
        *cards,
        ROOT / "livelink_bridge" / "demo" / "CARD.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
    ]


def targets(text: str) -> list[str]:
    """Every link and picture in a page, outside code, as written."""
    return [found[2] for found in _LINK.finditer(_CODE.sub("", text))]


def is_local(link: str) -> bool:
    """Whether a link is a relative path: neither a URL nor a heading of the same page."""
    return not re.match(r"[a-z][a-z0-9+.-]*:|#|/", link)


def rewritten(text: str, page: Path) -> str:
    """A page's text with the links of the site. `page` is its file in the repository."""

    def link(found: re.Match[str]) -> str:
        return found[1] + _on_site(found[2], page)

    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [_LINK.sub(link, text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, _LINK.sub(link, text[at:])])


def _on_site(link: str, page: Path) -> str:
    if not is_local(link):
        return link
    path, hash_, anchor = link.partition("#")
    target = Path(os.path.normpath(page.parent / path))
    if not target.is_relative_to(ROOT) or not target.is_file():
        return link  # mkdocs warns of it
    here = PurePosixPath(place(page)).parent
    return os.path.relpath(place(target), here).replace(os.sep, "/") + hash_ + anchor


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """mkdocs' hook: replace `FOLDER/*` in nav by the pages of the folder."""
    pages = [place(path) for path in outside_pages() if path.suffix == ".md"]
    config.nav = _filled(config.nav, pages)
    return config


def _filled(nav: Any, pages: list[str]) -> Any:
    if isinstance(nav, list):
        return [
            entry
            for item in nav
            for entry in (_of_folder(item, pages) if isinstance(item, str) else [_filled(item, pages)])
        ]
    return {title: _filled(item, pages) if isinstance(item, list) else item for title, item in nav.items()}


def _of_folder(item: str, pages: list[str]) -> list[str]:
    if not item.endswith("/*"):
        return [item]
    inside = [page for page in pages if page.startswith(item[:-1])]
    return sorted(inside, key=lambda page: (not page.endswith("/index.md"), not page.endswith("/start.md"), page))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands outside docs/: pages, and whatever else a page links to."""
    pages = [*sorted(Path(config.docs_dir).rglob("*.md")), *(path for path in outside_pages() if path.suffix == ".md")]
    linked = {
        Path(os.path.normpath(page.parent / link.partition("#")[0]))
        for page in pages
        for link in targets(page.read_text(encoding="utf-8"))
        if is_local(link)
    }
    outside = {
        path
        for path in linked
        if path.is_relative_to(ROOT) and path.is_file() and not path.is_relative_to(config.docs_dir)
    }
    for path in sorted({*outside_pages(), *outside}):
        if files.get_file_from_path(place(path)) is None:
            files.append(File.generated(config, place(path), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """mkdocs' hook: rewrite the links of a page."""
    source = page.file.abs_src_path
    return rewritten(markdown, Path(source)) if source else markdown
