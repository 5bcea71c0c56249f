"""The page in a real browser, as an animator uses it. One server, one browser, one tab; the tests go through it in
order."""

from __future__ import annotations

import base64
import io
import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from animator import LENGTH_S, LOUD_S, Served, decoded, glb, probed, receiver_of
from faces import Z_UP, perfect_sync, renamed, skinned, small_face, textured, under
from gltf_checks import rewritten
from PIL import Image
from playing import PlayingSession

from arkit_mapping.channels import ARKIT_52, CHANNELS_61
from arkit_mapping.character.character import load_character
from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.preview.film.film import Film
from livelink_bridge.timing.stamp import Stamp

DOCS = Path(__file__).parents[3] / "docs"
LOUD, QUIET = sum(LOUD_S) / 2, 0.2
"""Times at which the mouth is open, and closed."""
PICTURES = bool(os.environ.get("LIVELINK_BRIDGE_PICTURES"))
VIEWPORT = {"width": 1400, "height": 900} if PICTURES else {"width": 1000, "height": 660}
SCALE = 1.0 if PICTURES else 0.4
"""Smaller and coarser where no pictures are wanted: the face is drawn in software here."""
DROP = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
}"""

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
POSE = """const pose = new Float32Array(61);
    const known = livelinkStage.poseAt(livelinkStage.time, pose);
    const value = pose[livelinkStage.names.indexOf(name)];"""
PICTURE = """async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const canvas = document.querySelector("#face");
    canvas.studio.studio.draw();
    return canvas.toDataURL();
}"""
DRAG = "(knob, value) => { knob.value = value; knob.dispatchEvent(new Event('input')); }"


class Tab:
    """A tab of the page, with words for what an animator does."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, url: str, *faces: str) -> None:
        self.page.goto(url)
        self.page.add_style_tag(content=STILL)
        for face in faces or ("face",):
            self.page.wait_for_selector(f'canvas#{face}[data-ready="1"]')

    def drop(self, name: str, data: bytes) -> None:
        self.page.evaluate(DROP, [name, base64.b64encode(data).decode()])

    def seek(self, time_s: float) -> None:
        self.page.evaluate("(time) => { livelinkStage.clock.pause(); livelinkStage.seek(time); }", time_s)
        self.page.wait_for_function("() => livelinkStage.poseAt(livelinkStage.time, new Float32Array(61))")

    def pose(self, channel: str) -> float:
        """What the page has for a channel now, of the side that is shown."""
        return float(self.page.evaluate(f"(name) => {{ {POSE} return value; }}", channel))

    def wait_for_pose(self, channel: str, condition: str) -> None:
        self.page.wait_for_function(f"(name) => {{ {POSE} return known && ({condition}); }}", arg=channel)

    def picture(self) -> np.ndarray[Any, np.dtype[np.int16]]:
        """The face as the page last posed it, int16 (height, width, 4), once it has had time to pose it."""
        data = base64.b64decode(self.page.evaluate(PICTURE).partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), np.int16)

    def slide(self, knob: str, value: float) -> None:
        self.page.locator(f'[data-knob="{knob}"]').first.fill(str(value))

    def sentence(self, words: str) -> str:
        found = self.page.locator(".q-notification", has_text=words).first
        found.wait_for()
        text = str(found.inner_text())
        return text

    def read(self) -> None:
        """Press OK under everything that is said."""
        self.page.evaluate("() => document.querySelectorAll('.q-notification button').forEach((ok) => ok.click())")
        self.page.wait_for_function("() => !document.querySelector('.q-notification')")

    def shoot(self, name: str) -> None:
        """A picture for the docs, where they are taken anew: set LIVELINK_BRIDGE_PICTURES."""
        if PICTURES:
            self.page.wait_for_timeout(300)
            shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
            shot.point(lambda value: value & 0xFC).save(DOCS / f"preview-{name}.png", optimize=True)  # half as long


@pytest.fixture(scope="module")
def tab(served: Served, browser: Any, voice: Path) -> Iterator[Tab]:
    page = browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE, accept_downloads=True)
    page.set_default_timeout(20_000)
    tab = Tab(page)
    tab.open(served.url)
    tab.drop(voice.name, voice.read_bytes())
    page.wait_for_function("() => livelinkStage.clip?.name === 'line.wav'")
    yield tab
    page.close()


@pytest.fixture(autouse=True)
def no_console_error(tab: Tab) -> Iterator[None]:
    """What the browser complains about fails the test it happened in."""
    tab.errors.clear()
    yield
    assert tab.errors == []


def apart(one: Any, other: Any) -> float:
    """The share of pixels that differ visibly."""
    return float((np.abs(one - other).max(-1) > 24).mean())


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
        tab.page.locator('[data-knob="JawOpen.gain"]').evaluate(DRAG, value)
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
        ("notes.txt", b"hello", "is not a sound"),
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


def test_a_face_of_ones_own_is_worn_and_what_it_lacks_is_listed(tab: Tab) -> None:
    tab.seek(LOUD)
    ours = tab.picture()
    tab.drop("square.glb", glb(tuple(name for name in ARKIT_52 if name not in ("cheekPuff", "tongueOut"))))
    assert "cheekPuff, tongueOut" in tab.sentence("lacks 2 of the 52")
    tab.page.wait_for_function("() => document.querySelector('#face').studio.morphs.found.size === 50")
    assert apart(ours, tab.picture()) > 0.05
    opened = tab.picture()
    tab.seek(QUIET)
    assert apart(opened, tab.picture()) > 0.005
    tab.page.locator("#built-in").click()
    tab.page.wait_for_function("() => document.querySelector('#face').studio.morphs.found.size === 52")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("armature.glb", under(0.01, Z_UP)),
        ("tiny.glb", under(0.0001)),
        ("huge.glb", under(1000.0)),
        ("skinned.glb", skinned(0.01)),
        ("prefixed.glb", renamed("head_lod0_mesh__{}".format)),
        ("old.vrm", perfect_sync(0)),
    ],
)
def test_a_face_of_any_scale_turn_and_skin_is_seen_as_the_same_face_and_moves(tab: Tab, name: str, change: Any) -> None:
    tab.seek(LOUD)
    ours = tab.picture()
    tab.drop(name, small_face(change))
    tab.page.wait_for_selector("#built-in:visible")
    tab.page.wait_for_function("() => !document.querySelector('#face').studio.shown.endsWith('/own')")
    opened = tab.picture()
    assert (opened[..., 3] > 128).mean() > 0.15, "it fills its part of the stage"
    assert apart(ours, opened) < 0.03
    tab.seek(QUIET)
    assert apart(opened, tab.picture()) > 0.005
    tab.page.locator("#built-in").click()
    tab.page.wait_for_function("() => document.querySelector('#face').studio.shown === '/session/face/own'")


@pytest.mark.parametrize("kind", ["draco", "meshopt", "ktx2"])
def test_a_compressed_face_is_shown_with_decoders_of_this_package(
    tab: Tab, served: Served, tmp_path: Path, kind: str
) -> None:
    face = tmp_path / "face.glb"
    face.write_bytes(small_face(textured) if kind == "ktx2" else small_face())
    if kind != "ktx2":
        face = rewritten(face, tmp_path / "packed.glb", kind)
    tab.seek(LOUD)
    ours, asked = tab.picture(), list[str]()
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.drop(f"{kind}.glb", face.read_bytes())
    tab.page.wait_for_function("() => !document.querySelector('#face').studio.shown.endsWith('/own')")
    opened = tab.picture()
    if kind == "ktx2":
        skin = opened[opened[..., 3] > 128].mean(0)
        assert skin[1] > 1.5 * skin[0] and skin[1] > 1.5 * skin[2], "the picture is green"
    else:
        assert apart(ours, opened) < 0.03
    tab.seek(QUIET)
    assert apart(opened, tab.picture()) > 0.002
    assert kind == "meshopt" or any("/decoders/" in url for url in asked), (
        "Meshopt's decoder is in the module that Draco's came with"
    )
    assert [url for url in asked if not url.startswith((served.url, "blob:", "data:"))] == [], (
        "nothing of it comes from elsewhere"
    )
    tab.page.locator("#built-in").click()
    tab.page.wait_for_function("() => document.querySelector('#face').studio.shown === '/session/face/own'")


def test_another_tab_is_told_and_shares_the_session(tab: Tab, served: Served, browser: Any) -> None:
    other = Tab(browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE))
    other.open(served.url)
    assert "another tab" in other.sentence("open in another tab")
    other.page.wait_for_function("() => livelinkStage.clip?.name === 'line.wav'")
    other.page.close()
    assert other.errors == []


def test_without_ffmpeg_the_page_says_in_a_line_what_to_install(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    tab.page.locator("#export").click()
    tab.page.locator("#export-mp4").click()
    said = tab.sentence("A video needs ffmpeg")
    assert "install it" in said
    tab.read()
    assert tab.page.locator("#video-now").count() == 0


WEIGHTS = """() => {
    const view = document.querySelector("#face").studio, film = view.film.bind(view);
    window.filmed = [];
    window.films = 0;
    view.film = (...size) => {
        films++;
        const made = film(...size), mesh = view.morphs.meshes.find((one) => "jawOpen" in one.morphTargetDictionary);
        const picture = (pose) => {
            const taken = made.picture(pose);
            filmed.push(mesh.morphTargetInfluences[mesh.morphTargetDictionary.jawOpen]);
            return taken;
        };
        return { ...made, picture };
    };
}"""


def begin_video(tab: Tab, size: str = "", rate: int = 24) -> None:
    """`size` is the own one; without it the dialog's first."""
    tab.page.locator("#export").click()
    tab.page.locator("#export-mp4").click()
    if size:
        tab.page.locator("#video-size").get_by_text("own size").click()
        tab.page.locator("#video-own-size").fill(size)
    tab.page.locator("#video-rate").get_by_text(f"{rate}", exact=True).click()
    tab.page.locator("#video-now").click()


def mouth(frames: Any) -> Any:
    """How dark the middle of each picture's lower half is: an open mouth shows its inside."""
    high, wide = frames.shape[1:3]
    part = frames[:, int(0.55 * high) : int(0.75 * high), int(0.4 * wide) : int(0.6 * wide)].astype(float)
    return (part.sum(-1) < 150).mean((1, 2))


@needs_ffmpeg
def test_a_video_has_the_asked_size_rate_and_length_and_in_each_frame_the_face_of_its_time(
    tab: Tab, served: Served, tmp_path: Path
) -> None:
    """The page's connection is lost meanwhile and comes back, and B is chosen: nothing of it shows."""
    tab.page.evaluate(WEIGHTS)
    poses = served.session.sides["a"].tiles.poses
    with tab.page.expect_download(timeout=45_000) as waiting:
        begin_video(tab, "200x160")
        tab.page.wait_for_function("() => filmed.length > 3")
        tab.page.evaluate("() => window.socket.io.engine.close()")
        tab.page.keyboard.press("b")
    waiting.value.save_as(tmp_path / "line.mp4")
    tab.page.keyboard.press("b")
    jaw = Film(rate=24).poses(poses, 72)[:, CHANNELS_61.index("JawOpen")]
    assert tab.page.evaluate("() => filmed") == pytest.approx(jaw.tolist(), abs=1e-6)
    streams = probed(tmp_path / "line.mp4")
    assert (streams["video"]["width"], streams["video"]["height"], streams["video"]["nb_frames"]) == (200, 160, "72")
    assert [float(streams[kind]["duration"]) for kind in ("video", "audio")] == pytest.approx(
        [LENGTH_S] * 2, abs=1 / 24
    )
    opened = mouth(decoded(tmp_path / "line.mp4", 200, 160))
    assert np.corrcoef(opened, jaw)[0, 1] > 0.9
    assert opened[int(24 * LOUD)] > 0.01 > opened[int(24 * QUIET)]
    assert served.session.busy is None


@needs_ffmpeg
def test_a_video_can_be_cancelled_and_the_next_one_begun_at_once(tab: Tab, served: Served) -> None:
    tab.page.evaluate(WEIGHTS)
    rests = (
        "() => document.querySelector('#face').studio.filming && "
        "document.querySelector('#face').studio.studio.scene.background"
    )
    for _ in range(2):
        begin_video(tab)
        tab.page.wait_for_function(rests)
        tab.page.locator("#cancel-video").click()
        assert "cancelled" in tab.sentence("The video was cancelled")
    begin_video(tab, "64x64")
    tab.page.wait_for_function("() => films === 3")
    before = tab.page.evaluate("() => filmed.length")
    tab.page.wait_for_function("(before) => filmed.length > before + 2", arg=before)
    assert tab.page.evaluate(rests), "the end of the one before has not taken the page's canvas back"
    tab.page.locator("#cancel-video").click()
    tab.page.wait_for_function("() => !document.querySelector('#face').studio.filming")
    assert served.session.video is None and list((served.folder / "exports").rglob("*.partial*")) == []


@needs_ffmpeg
def test_a_video_goes_when_its_tab_stays_away_longer_than_it_may(
    tab: Tab, served: Served, browser: Any, monkeypatch: Any
) -> None:
    from nicegui.client import Client

    other = Tab(browser.new_page(viewport=VIEWPORT, device_scale_factor=SCALE))
    before = set(Client.instances)
    other.open(served.url)
    other.page.wait_for_function("() => livelinkStage.clip?.name === 'line.wav'")
    (client,) = (Client.instances[name] for name in set(Client.instances) - before)
    monkeypatch.setattr(client.page, "reconnect_timeout", 0.2)
    begin_video(other)
    other.page.locator("#cancel-video").wait_for()
    other.page.close()
    assert "its tab was closed" in tab.sentence("The video was given up")
    tab.read()
    assert served.session.busy is None


@needs_ffmpeg  # without it the dialog does not open
@pytest.mark.parametrize("size", ["101x100", "8000x20", "huge"])
def test_a_size_that_cannot_be_is_said(tab: Tab, size: str) -> None:
    begin_video(tab, size)
    assert "even numbers from 64 to 3840" in tab.sentence(f"got {size}" if size[0].isdecimal() else "got 'huge'")
    tab.read()


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


@pytest.fixture
def live(served: Served, tmp_path: Path) -> Iterator[Any]:
    """The same server beside a live session of two performers, whose buttons turn real faces, microphones' fronts and
    recorders."""
    from livelink_bridge.preview.editor.live_show import LiveShow
    from livelink_bridge.remote_control.live_target import LiveStage

    playing = [PlayingSession(subject, tmp_path, MonotonicClock()) for subject in ("Ada", "Eve")]
    recorders = {one.subject: one.recorder for one in playing}
    stage = LiveStage(
        {one.subject: one.voice for one in playing}, {}, None, timecode=lambda: "10:00:00:00", recorders=recorders
    )
    served.session.show = LiveShow(recorders)
    served.session.show.follow(stage, {one.subject: one for one in playing})
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
    for key, button, state in (("m", "#mute", lambda: eve.mute.on), ("n", "#neutral", lambda: eve.face.resting)):
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
    eve.front.push(np.random.default_rng(0).normal(0, 0.001, 64000).astype(np.float32), 16000)
    page.locator("#calibrated.bad", has_text="the gate stays as it was").wait_for()
    eve.front.push(np.full(1600, 0.1, np.float32), 16000)
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
    assert "no pose came" in live_tab.sentence("Nothing was recorded")
    recorder.arm()
    recorder.send(np.zeros(61, np.float32), Stamp(0, 0.0, Fraction(60), 36000.0))
    page.locator("#record.on", has_text="Recording 0:01").wait_for()
    page.keyboard.press("r")
    assert ".csv" in live_tab.sentence("Recorded /")
    (take,) = recorder.takes
    page.wait_for_selector("#record:not(.on)")
    assert page.locator("#last-take").inner_text() == f"{take.parent.name}/{take.name}"


@pytest.mark.pictures
@pytest.mark.timeout(300)
def test_the_tour_has_its_pictures(tab: Tab, served: Served) -> None:
    from livelink_bridge.commands.live.preview import analysis
    from livelink_bridge.settings.table import Settings

    served.session._analyse = analysis(Settings(), served.folder)
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
