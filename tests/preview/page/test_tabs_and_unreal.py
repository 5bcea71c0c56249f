"""What leaves the tab: a second tab, packets to Unreal, votes of a blind comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from animator import Served, receiver_of
from page_tab import LOUD, QUIET, SCALE, VIEWPORT, Tab

from arkit_mapping.channels import CHANNELS_61


def test_another_tab_is_told_and_shares_the_session(tab: Tab, served: Served, browser: Any) -> None:
    other = Tab(browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE))
    other.open(served.url)
    assert "another tab" in other.sentence("open in another tab")
    other.page.wait_for_function("() => livelinkStage.clip?.name === 'line.wav'")
    other.page.close()
    assert other.errors == []


def test_what_is_played_is_sent_to_unreal_in_step(tab: Tab, served: Served) -> None:
    tab.page.locator("#send").click()
    tab.page.wait_for_selector("#send.lit")
    tab.seek(LOUD)
    jaw = CHANNELS_61.index("JawOpen")
    with receiver_of(served) as arrived:
        assert arrived(lambda values: values[jaw] > 0.3)
        tab.seek(QUIET)
        assert arrived(lambda values: values[jaw] < 0.1)
    tab.page.locator("#send").click()
    tab.page.wait_for_selector("#send:not(.lit)")


def test_sending_that_breaks_off_is_said_and_the_button_goes_dark(
    tab: Tab, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_side: str, _time_s: float) -> Any:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(served.session, "pose_at", broken)
    for _ in range(2):  # the same again is said again
        tab.page.locator("#send").click()
        sentence = tab.sentence("any more")
        assert "Nothing is sent to livelink://127.0.0.1:" in sentence and "ZeroDivisionError: by nought." in sentence
        tab.page.wait_for_selector("#send:not(.lit)")
        tab.page.locator(".q-notification").get_by_role("button", name="OK").first.click()
        tab.page.wait_for_function("() => !document.querySelector('.q-notification')")


def test_a_blind_comparison_asks_without_saying_which_is_which(
    tab: Tab, served: Served, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = Tab(browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE))
    other.open(f"{served.url}compare", "face-left", "face-right")
    other.shoot("blind")
    assert "predicted" not in other.page.locator(".compare").inner_text()
    for question in ("lip-sync", "realism"):
        other.page.locator(f"#ask-{question}").get_by_text("Left").click()
    other.page.get_by_text("thank you").wait_for()
    (votes,) = [path for path in tmp_path.glob("*.csv")]
    assert [row.split(",")[4] for row in votes.read_text().splitlines()[1:]] == ["lip-sync", "realism"]
    other.page.locator("#result").click()
    other.page.get_by_text("Preference so far").wait_for()
    assert other.errors == []
    other.page.close()
