"""The site of the documentation: built without a warning, with what stands outside docs/ in it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from doc_pages import DOCS, ROOT, UNREAL
from markdown_it import MarkdownIt

pytest.importorskip("material", reason="the site wants mkdocs-material, the extra `docs`")


def loaded(name: str) -> ModuleType:
    """A hook as mkdocs loads it."""
    spec = importlib.util.spec_from_file_location(f"{name}_under_test", ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    return loaded("docs_site")


@pytest.fixture(scope="module")
def lists() -> ModuleType:
    return loaded("docs_lists")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_builds_without_a_warning_and_holds_unreal_and_the_cards(site: Path) -> None:
    for page in ("index", "security", "unreal/start", "cards/pmmtalk-live", "changelog", "commands"):
        assert (site / f"{page}.html").is_file()
    for page in UNREAL:
        within = page.relative_to(ROOT / "ue_plugin_docs").with_suffix(".html").as_posix()
        assert (site / "unreal" / within.replace("README.html", "index.html")).is_file()


def shown(page: Path) -> Counter[str]:
    """How many items, tables and code blocks a page has by CommonMark, which is what GitHub shows."""
    counted = {"list_item_open": "li", "table_open": "table", "fence": "pre", "code_block": "pre"}
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    return Counter(counted[token.type] for token in tokens if token.type in counted)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_shows_the_lists_tables_and_blocks_that_github_shows(site: Path, hook: ModuleType) -> None:
    wrong = {}
    for page in [*DOCS, *(path for path in hook.outside_pages() if path.suffix == ".md")]:
        html = (site / hook.place(page)).with_suffix(".html").read_text(encoding="utf-8")
        article = html.partition("<article")[2].partition("</article>")[0]
        built = Counter(re.findall(r"<(li|table|pre)\b(?! class=\"linenos)", article))
        if built != shown(page):
            wrong[page.name] = (built, shown(page))
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_on_the_site_is_fetched_from_elsewhere(site: Path) -> None:
    loads = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"?(https?://[^\s\">]+)")
    fetched = {url for page in site.rglob("*.html") for url in loads.findall(page.read_text(encoding="utf-8"))}
    assert fetched == set()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_links_out_of_docs_lead_to_their_place_on_the_site(site: Path) -> None:
    start = (site / "start.html").read_text(encoding="utf-8")
    assert 'href="unreal/start.html"' in start and "ue_plugin_docs" not in start
    assert 'href="repository/examples/wav_to_npz.py"' in (site / "api.html").read_text(encoding="utf-8")
    assert (site / "repository" / "examples" / "wav_to_npz.py").read_bytes() == (
        ROOT / "examples" / "wav_to_npz.py"
    ).read_bytes()


def test_a_file_has_one_place_on_the_site(hook: ModuleType) -> None:
    place = {
        path: hook.place(ROOT / path)
        for path in ("docs/a.md", "ue_plugin_docs/README.md", "ue_plugin_docs/d/x.svg", "CHANGELOG.md")
    }
    assert list(place.values()) == ["a.md", "unreal/index.md", "unreal/d/x.svg", "changelog.md"]
    assert hook.place(ROOT / "models/speech_to_face/checkpoints/pmmtalk-live/CARD.md") == "cards/pmmtalk-live.md"
    assert hook.place(ROOT / "examples" / "speech_engine.py") == "repository/examples/speech_engine.py"


def test_links_are_rewritten_from_the_repository_to_the_site_and_code_is_left_alone(hook: ModuleType) -> None:
    rest = " [b](live.md) `[c](../README.md)` [d](https://x.org/a.md) [e](#here)\n```\n[f](../README.md)\n```\n"
    said = hook.rewritten(f"[a](../ue_plugin_docs/start.md#2-the-source){rest}", ROOT / "docs" / "start.md")
    assert said == f"[a](unreal/start.md#2-the-source){rest}"
    assert hook.rewritten("[g](../docs/live.md)", ROOT / "ue_plugin_docs" / "start.md") == "[g](../live.md)"
    card = ROOT / "models/speech_to_face/checkpoints/pmmtalk-live/CARD.md"
    assert hook.rewritten("[h](../../../../docs/training.md)", card) == "[h](../training.md)"


def test_a_link_to_nothing_is_left_for_mkdocs_to_warn_of(hook: ModuleType) -> None:
    assert (
        hook.rewritten("[a](nothing.md) [b](../../../etc/passwd)", ROOT / "docs" / "start.md")
        == "[a](nothing.md) [b](../../../etc/passwd)"
    )


def test_a_folder_in_the_menu_stands_for_its_pages_the_first_in_front(hook: ModuleType) -> None:
    pages = ["unreal/versions.md", "unreal/start.md", "unreal/index.md", "cards/a.md"]
    nav = [{"Home": "index.md"}, {"Unreal": ["unreal/*"]}, {"Models": [{"Overview": "models.md"}, "cards/*"]}]
    assert hook._filled(nav, pages) == [
        {"Home": "index.md"},
        {"Unreal": ["unreal/index.md", "unreal/start.md", "unreal/versions.md"]},
        {"Models": [{"Overview": "models.md"}, "cards/a.md"]},
    ]


def test_every_page_has_its_place_in_the_menu(hook: ModuleType) -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    folders = re.findall(r"- (\w+)/\*$", menu, re.MULTILINE)
    pages = [hook.place(path) for path in [*DOCS, *hook.outside_pages()] if path.suffix == ".md"]
    assert len(pages) > 30
    assert [
        page
        for page in pages
        if page.partition("/")[0] not in folders and not re.search(rf"[ ]{re.escape(page)}$", menu, re.M)
    ] == []


def test_a_list_that_interrupts_a_sentence_gets_an_empty_line(lists: ModuleType) -> None:
    assert lists.for_python_markdown("Why:\n- a\n- b\nc\n- d") == "Why:\n\n- a\n- b\nc\n\n- d"
    assert lists.for_python_markdown("# A\n\n- a\n- b") == "# A\n\n- a\n- b"


def test_what_belongs_to_an_item_is_indented_by_four_spaces_a_level(lists: ModuleType) -> None:
    text = "1. a\n   - b\n     - c\n\n   d\n2. e:\n   ```\n   code\n     more\n   ```\n3. f\n\nText\n\n    code"
    wanted = (
        "1. a\n    - b\n        - c\n\n    d\n2. e:\n    ```\n    code\n      more\n    ```\n\n3. f\n\nText\n\n    code"
    )
    assert lists.for_python_markdown(text) == wanted


def test_blocks_of_code_are_left_as_they_are(lists: ModuleType) -> None:
    text = "```yaml\nto:\n- a\n  - b\n```"
    assert lists.for_python_markdown(text) == text
