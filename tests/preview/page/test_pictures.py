"""The pictures of docs/preview.md, taken anew where they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from animator import Served
from page_tab import Tab


@pytest.mark.pictures
@pytest.mark.timeout(300)
def test_the_tour_has_its_pictures(tab: Tab, served: Served) -> None:
    from livelink_bridge.commands.live.preview import analysis
    from livelink_bridge.settings.table import Settings

    served.analyse = analysis(Settings(), served.folder)
    tab.page.reload()
    tab.drop("sentence.flac", (Path(__file__).parents[3] / "livelink_bridge" / "demo" / "sentence.flac").read_bytes())
    tab.page.wait_for_function("() => livelinkStage.clip?.name === 'sentence.flac'", timeout=120_000)
    tab.page.locator("#reset-all").click()
    tab.page.wait_for_function("() => !document.querySelector('.q-notification')")
    tab.seek(1.2)
    tab.shoot("page")
    tab.page.locator('[data-view="mouth"]').click()
    tab.page.locator('header[data-group="jaw"] .name').click()
    tab.page.locator('header[data-group="smile"] .name').click()
    tab.page.locator('[data-channel="MouthSmileLeft"]').click()
    tab.slide("MouthSmileLeft.gain", 1.6)
    tab.slide("MouthSmileLeft.offset", 0.2)
    tab.page.evaluate("() => { for (const name of ['MouthSmileLeft']) livelinkStage.toggleCurve(name); }")
    tab.page.keyboard.press("+")
    tab.page.keyboard.press("+")
    tab.page.wait_for_timeout(800)
    tab.shoot("work")
