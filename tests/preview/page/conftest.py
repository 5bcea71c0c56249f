"""One browser and one tab for the tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from animator import Served, launched, playwright
from page_tab import SCALE, VIEWPORT, Tab


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One for all files of this folder."""
    yield from launched(playwright())


@pytest.fixture(scope="package")
def opened(served: Served, browser: Any, voice: Path) -> Iterator[Tab]:
    """A tab in which the voice is open."""
    page = browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE, accept_downloads=True)
    page.set_default_timeout(40_000)
    tab = Tab(page)
    tab.open(served.url)
    tab.drop(voice.name, voice.read_bytes())
    page.wait_for_function("() => livelinkStage.clip?.name === 'line.wav'")
    yield tab
    page.close()


@pytest.fixture(scope="module")
def tab(opened: Tab) -> Tab:
    """The tab as it is before anything is changed; the tests of a file go through it in order."""
    opened.read()
    opened.page.locator("#reset-all").click()
    return opened


@pytest.fixture(autouse=True)
def no_console_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the browser complains about fails the test it happened in."""
    tab = request.getfixturevalue("opened") if "opened" in request.fixturenames else None
    if tab:
        tab.errors.clear()
    yield
    if tab:
        assert tab.errors == []
