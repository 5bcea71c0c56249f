"""The page in a real browser, as an animator uses it: playing, stepping, sliders, characters, a take that is
exported."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from animator import LOUD_S, Served, glb
from page_tab import LOUD, QUIET, Tab, apart
from PIL import Image

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import load_character
from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take

DRAG = "(knob, value) => { knob.value = value; knob.dispatchEvent(new Event('input')); }"


def test_the_canvas_shows_a_face_and_the_mouth_opens_and_closes_with_the_curves(tab: Tab) -> None:
    tab.seek(QUIET)
    closed = tab.picture()
    tab.seek(LOUD)
    opened = tab.picture()
    seen = np.asarray(Image.open(io.BytesIO(tab.page.locator("#face").screenshot())).convert("RGB"))
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 500
    assert tab.pose("JawOpen") > 0.5
    assert apart(closed, opened) > 0.004
    tab.seek(QUIET)
    assert apart(closed, tab.picture()) < 0.0005


def test_space_plays_and_stops_and_the_face_follows_the_sound(tab: Tab) -> None:
    tab.seek(0.0)
    tab.page.keyboard.press("Space")
    tab.page.wait_for_function(f"() => livelinkStage.playing && livelinkStage.time > {LOUD_S[0] + 0.3}")
    tab.page.keyboard.press("Space")
    tab.page.wait_for_function("() => !livelinkStage.playing")
    stopped = tab.page.evaluate("() => livelinkStage.time")
    assert tab.page.evaluate("() => livelinkStage.clock.currentTime") == stopped
    assert tab.page.evaluate("() => livelinkStage.clock instanceof Audio")


STEPS = """([rate, key, count]) => {
    const own = livelinkStage.clip.rate, seen = [];
    livelinkStage.clip.rate = rate;
    for (let i = 0; i < count; i++) {
        document.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
        seen.push([livelinkStage.frame, livelinkStage.time * rate]);
    }
    livelinkStage.clip.rate = own;
    return seen;
}"""


@pytest.mark.parametrize("rate", [60, 24, 25, 30, 50])
def test_arrows_step_frame_by_frame_in_both_directions(tab: Tab, rate: int) -> None:
    """The media element cuts its time to six decimals, so that a frame is not to be found from it."""
    tab.seek(0.0)
    there = tab.page.evaluate(STEPS, [rate, "ArrowRight", 2 * rate])
    back = tab.page.evaluate(STEPS, [rate, "ArrowLeft", 2 * rate + 2])
    assert [frame for frame, _ in there] == list(range(1, 2 * rate + 1))
    assert [frame for frame, _ in back] == [*range(2 * rate - 1, -1, -1), 0, 0]
    assert all(time == pytest.approx(frame, abs=1e-9) for frame, time in there + back)


def test_a_step_ends_on_the_frame_that_the_page_names_with_its_very_pose(tab: Tab, served: Served) -> None:
    tab.seek(1.0)
    for _ in range(3):
        tab.page.keyboard.press("ArrowRight")
    tab.page.wait_for_function("() => document.querySelector('#time').textContent.endsWith('frame 63')")
    tab.page.wait_for_timeout(100)  # the media element has sought, and says its own time
    assert tab.page.evaluate("() => [livelinkStage.frame, livelinkStage.clock.paused]") == [63, True]
    jaw = served.session.sides["a"].tiles.poses[63, CHANNELS_61.index("JawOpen")]
    assert tab.pose("JawOpen") == pytest.approx(float(jaw), abs=1e-6)
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("ArrowRight")
    last = tab.page.evaluate("() => [livelinkStage.frame, livelinkStage.clip.frames - 1]")
    assert last[0] == last[1]
    tab.page.keyboard.press("Home")
    assert tab.page.evaluate("() => [livelinkStage.time, livelinkStage.frame]") == [0, 0]


def test_the_zoomed_timeline_follows_the_playhead(tab: Tab) -> None:
    view = "document.querySelector('.timeline').view"
    seen = f"() => livelinkStage.time >= {view}.from && livelinkStage.time <= {view}.to"
    tab.seek(0.2)
    for _ in range(4):
        tab.page.keyboard.press("+")
    span = tab.page.evaluate(f"() => {view}.span")
    assert span < 0.25
    for key, frames in (("ArrowRight", 40), ("ArrowLeft", 40), ("Shift+ArrowRight", 9), ("End", 1), ("Home", 1)):
        for _ in range(frames):
            tab.page.keyboard.press(key)
            assert tab.page.evaluate(seen), key
    tab.page.keyboard.press("Space")
    tab.page.wait_for_function(f"() => livelinkStage.playing && livelinkStage.time > {3 * span} && ({seen})()")
    tab.page.keyboard.press("Space")
    tab.page.wait_for_function("() => !livelinkStage.playing")
    assert tab.page.evaluate(f"() => {view}.span") == pytest.approx(span)
    tab.page.keyboard.press("0")


def test_a_slider_acts_at_once_and_is_undone_as_one_step(tab: Tab) -> None:
    tab.seek(LOUD)
    before, jaw = tab.picture(), tab.pose("JawOpen")
    for value in (0.8, 0.4, 0.2):
        tab.page.locator('[data-slider="JawOpen.gain"]').evaluate(DRAG, value)
    tab.slide("JawOpen.gain", 0.25)
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {0.25 * jaw}) < 0.01")
    assert apart(before, tab.picture()) > 0.003
    tab.page.keyboard.press("u")
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {jaw}) < 0.001")
    assert apart(before, tab.picture()) < 0.0005
    tab.page.keyboard.press("Control+Shift+z")
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {0.25 * jaw}) < 0.01")
    tab.page.keyboard.press("Control+z")
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {jaw}) < 0.001")


def test_solo_and_mute_hold_still_what_is_not_looked_at(tab: Tab) -> None:
    tab.seek(LOUD)
    mute = tab.page.locator('header[data-group="jaw"] .mute')
    mute.click()
    tab.wait_for_pose("JawOpen", "value === 0")
    assert tab.pose("MouthFunnel") > 0.1
    mute.click()
    tab.wait_for_pose("JawOpen", "value > 0.5")


def test_closure_marks_say_which_lips_meet(tab: Tab) -> None:
    marks = tab.page.evaluate(
        "async () => (await fetch(`/session/closures/${livelinkStage.clip.id}?revision=0`)).json()"
    )
    assert [mark["phone"] for mark in marks] == ["PB", "M"]
    assert marks[0]["sealed"]


def test_a_character_is_saved_and_read_again(
    tab: Tab, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tab.seek(LOUD)
    jaw = tab.pose("JawOpen")
    tab.slide("JawOpen.gain", 0.5)
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {0.5 * jaw}) < 0.01")
    tab.page.keyboard.press("s")
    tab.page.locator("#save-name").fill("anna")
    tab.page.locator("#save-now").click()
    assert "anna.yaml" in tab.sentence("Saved as")
    saved = tmp_path / "anna.yaml"
    assert load_character(saved).gain == {"JawOpen": 0.5}
    tab.page.locator("#reset-all").click()
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {jaw}) < 0.001")
    tab.drop("anna.yaml", saved.read_bytes())
    tab.wait_for_pose("JawOpen", f"Math.abs(value - {0.5 * jaw}) < 0.01")
    assert served.session.current().gain == {"JawOpen": 0.5}


def test_b_shows_what_a_is_compared_with(tab: Tab) -> None:
    tab.seek(LOUD)
    tab.slide("JawOpen.gain", 0.1)
    tab.wait_for_pose("JawOpen", "value < 0.2")
    a = tab.picture()
    tab.page.keyboard.press("b")
    tab.wait_for_pose("JawOpen", "value > 0.2")
    assert apart(a, tab.picture()) > 0.002
    tab.page.keyboard.press("b")
    tab.wait_for_pose("JawOpen", "value < 0.2")
    tab.shoot("ab")
    tab.page.keyboard.press("u")


def test_an_exported_take_holds_the_adjusted_poses(tab: Tab, served: Served, tmp_path: Path) -> None:
    tab.page.locator("#export").click()
    with tab.page.expect_download() as waiting:
        tab.page.locator("#export-csv").click()
    path = tmp_path / "line.csv"
    waiting.value.save_as(path)
    assert [finding for finding in check_take(path) if finding.level == "error"] == []
    take = read_take(path)
    adjusted = served.session.sides["a"].tiles.poses
    assert np.allclose(take.values[: len(adjusted)], adjusted, atol=1e-4)


def test_light_and_help(tab: Tab) -> None:
    tab.page.keyboard.press("?")
    tab.page.get_by_text("play and pause").wait_for()
    tab.shoot("keys")
    tab.page.keyboard.press("Escape")
    tab.page.get_by_text("play and pause").wait_for(state="hidden")
    tab.page.locator("#light").click()
    tab.page.wait_for_selector("body.body--light")
    tab.shoot("light")
    tab.page.locator("#light").click()
    tab.page.wait_for_selector("body.body--dark")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("broken.wav", b"RIFF....WAVEjunk", "broken.wav"),
        ("plain.glb", glb(names=()), "none of the 52 ARKit shapes"),
        ("notes.txt", b"hello", "is not audio"),
        ("other.csv", b"Timecode,BlendShapeCount,Nonsense\n00:00:00:00,1,0.5\n", "other.csv"),
        ("odd.yaml", b"gains: {JawOpen: 2}\n", "gain"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_sentence(tab: Tab, name: str, data: bytes, words: str) -> None:
    tab.drop(name, data)
    sentence = tab.sentence(words)
    assert "Traceback" not in sentence
    assert f"/{name}" not in sentence, "the user's file, not the place where the page keeps it"
    tab.page.locator(".q-notification", has_text=words).get_by_role("button", name="OK").click()
    tab.page.wait_for_function("() => !document.querySelector('.q-notification')")
    assert tab.page.evaluate("() => livelinkStage.clip.name") == "line.wav"
