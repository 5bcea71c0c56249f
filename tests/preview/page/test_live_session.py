"""The page beside a live session of two performers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from animator import Served
from page_tab import SCALE, VIEWPORT, Tab
from playing import PlayingSession

from arkit_mapping.channels import CHANNELS_61
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.timing.stamp import Stamp


@pytest.fixture
def live(served: Served, tmp_path: Path) -> Iterator[Any]:
    """The same server beside a live session of two performers, whose buttons turn real faces, microphones' chains and
    recorders."""
    from livelink_bridge.preview.editor.live_controls import LiveControls
    from livelink_bridge.remote_control.live_interface import LiveInterface

    playing = [PlayingSession(subject, tmp_path, MonotonicClock()) for subject in ("Ada", "Eve")]
    recorders = {one.subject: one.recorder for one in playing}
    remote = LiveInterface(
        {one.subject: one.voice for one in playing}, {}, None, timecode=lambda: "10:00:00:00", recorders=recorders
    )
    served.session.show = LiveControls(recorders)
    served.session.show.follow(remote, {one.subject: one for one in playing})
    yield playing
    served.session.show = None
    for one in playing:
        one.sink.close()
        one.recorder.close()


@pytest.fixture
def live_tab(live: Any, served: Served, browser: Any) -> Iterator[Tab]:
    tab = Tab(browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE))
    tab.page.set_default_timeout(20_000)
    tab.page.goto(served.url)
    tab.page.wait_for_selector("#targets")
    yield tab
    tab.page.close()
    assert tab.errors == []


def test_a_live_face_follows_the_newest_pose_of_the_performer_that_is_chosen(live: Any, live_tab: Tab) -> None:
    ada, eve = live
    pose, page = np.zeros(61, np.float32), live_tab.page
    for number in range(100):
        ada.sink.send(pose, Stamp(number, 0.0, Fraction(60)))
    page.wait_for_function("() => livelinkStage.live?.[0] === 0")
    pose[CHANNELS_61.index("JawOpen")] = 0.75
    ada.sink.send(pose, Stamp(100, 0.0, Fraction(60)))
    page.wait_for_function(f"() => livelinkStage.live[{CHANNELS_61.index('JawOpen')}] === 0.75")
    page.locator("#figures").get_by_text("pose to screen").wait_for()
    assert 1 <= ada.sink.delay().poses <= 2, "of 101 poses"
    pose[0] = 0.5
    eve.sink.send(pose, Stamp(0, 0.0, Fraction(60)))
    page.keyboard.press("PageDown")
    page.wait_for_function("() => livelinkStage.live?.[0] === 0.5")
    assert page.locator('[data-performer="1"]').get_attribute("aria-selected") == "true"


def test_the_live_page_has_the_sessions_buttons_and_no_transport(live: Any, live_tab: Tab) -> None:
    ada, eve = live
    page = live_tab.page
    assert page.locator("#play, .timeline, #export").count() == 0
    page.locator('[data-performer="1"]').click()
    for key, button, state in (("m", "#mute", lambda: eve.mute.on), ("n", "#neutral", lambda: eve.face.held_neutral)):
        page.locator(button).click()
        page.wait_for_selector(f"{button}.on")
        assert state()
        page.keyboard.press(key)
        page.wait_for_selector(f"{button}:not(.on)")
        assert not state()
    page.keyboard.press("1")
    page.wait_for_selector('[data-mood="happy"].on')
    page.locator("#strength").fill("0.8")
    page.wait_for_selector('[data-strength="0.8"]')
    assert (str(eve.face.mood), str(ada.face.mood)) == ("happy:0.8", "neutral")
    page.locator("#calibrate").click()
    page.wait_for_selector("#calibration")
    eve.chain.push(np.random.default_rng(0).normal(0, 0.001, 64000).astype(np.float32), 16000)
    page.locator("#calibrated.bad", has_text="the gate is unchanged").wait_for()
    eve.chain.push(np.full(1600, 0.1, np.float32), 16000)
    page.wait_for_function("() => Math.round(parseFloat(document.querySelector('#level div').style.width)) === 67")


def test_in_a_narrow_window_the_live_page_has_its_face_and_whole_buttons(live_tab: Tab) -> None:
    page = live_tab.page
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.querySelector('.face canvas').clientWidth === 400")
    assert page.locator(".live-panel .act span").evaluate_all(
        "all => all.every(one => one.scrollWidth <= one.clientWidth)"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth <= 400")


def test_the_record_button_shows_that_it_records_and_names_the_file(live: Any, live_tab: Tab) -> None:
    page, recorder = live_tab.page, live[0].recorder
    page.locator("#record").click()
    assert "no frame within" in live_tab.sentence("Nothing was recorded")
    recorder.arm()
    recorder.send(np.zeros(61, np.float32), Stamp(0, 0.0, Fraction(60), 36000.0))
    page.locator("#record.on", has_text="Recording 0:01").wait_for()
    page.keyboard.press("r")
    assert ".csv" in live_tab.sentence("Recorded /")
    (take,) = recorder.takes
    page.wait_for_selector("#record:not(.on)")
    assert page.locator("#last-take").inner_text() == f"{take.parent.name}/{take.name}"
