"""A video that the page renders: its frames, its end, and what cannot be asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from animator import Served, decoded, probed, write_voice
from page_tab import SCALE, VIEWPORT, Tab

from arkit_mapping.channels import CHANNELS_61
from livelink_bridge.preview.film.film import Film

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def test_without_ffmpeg_the_page_says_in_a_line_what_to_install(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    tab.page.locator("#export").click()
    tab.page.locator("#export-mp4").click()
    said = tab.sentence("A video needs ffmpeg")
    assert "install it" in said
    tab.read()
    assert tab.page.locator("#video-now").count() == 0


WEIGHTS = """() => {
    const view = document.querySelector("#face").studio, film = (view.unfilmed ??= view.film.bind(view));
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


FILMED_S, FILMED_LOUD_S, FILMED_QUIET_S = 1.0, 0.75, 0.1
"""A short recording, as each picture takes a tenth of a second; in it the mouth is open, and closed."""


@pytest.fixture
def short(tab: Tab, voice: Path, tmp_path: Path) -> Iterator[Tab]:
    """The tab with a recording of one second; afterwards with the one that it had."""
    for opened in (write_voice(tmp_path / "short.wav", FILMED_S, (0.3, 0.9)), voice):
        tab.drop(opened.name, opened.read_bytes())
        tab.page.wait_for_function("(name) => livelinkStage.clip?.name === name", arg=opened.name)
        if opened != voice:
            yield tab


@needs_ffmpeg
def test_a_video_has_the_asked_size_rate_and_length_and_in_each_frame_the_face_of_its_time(
    short: Tab, served: Served, tmp_path: Path
) -> None:
    """The page's connection is lost meanwhile and comes back, and B is chosen: nothing of it shows."""
    tab, frames = short, round(24 * FILMED_S)
    tab.seek(FILMED_LOUD_S)
    tab.page.evaluate(WEIGHTS)
    poses = served.session.sides["a"].tiles.poses
    with tab.page.expect_download(timeout=45_000) as waiting:
        begin_video(tab, "200x160")
        tab.page.wait_for_function("() => filmed.length > 3")
        tab.page.evaluate("() => window.socket.io.engine.close()")
        tab.page.keyboard.press("b")
    waiting.value.save_as(tmp_path / "short.mp4")
    tab.page.keyboard.press("b")
    jaw = Film(rate=24).poses(poses, frames)[:, CHANNELS_61.index("JawOpen")]
    assert tab.page.evaluate("() => filmed") == pytest.approx(jaw.tolist(), abs=1e-6)
    streams = probed(tmp_path / "short.mp4")
    assert (streams["video"]["width"], streams["video"]["height"], streams["video"]["nb_frames"]) == (
        200,
        160,
        f"{frames}",
    )
    assert [float(streams[kind]["duration"]) for kind in ("video", "audio")] == pytest.approx(
        [FILMED_S] * 2, abs=1 / 24
    )
    opened = mouth(decoded(tmp_path / "short.mp4", 200, 160))
    assert np.corrcoef(opened, jaw)[0, 1] > 0.9
    assert opened[int(24 * FILMED_LOUD_S)] > 0.005 > opened[int(24 * FILMED_QUIET_S)]
    assert served.session.busy is None


@pytest.mark.slow("ten seconds of drawing in software; film/test_rendering.py holds it without a browser")
@needs_ffmpeg
def test_a_video_can_be_cancelled_and_the_next_one_begun_at_once(tab: Tab, served: Served) -> None:
    tab.page.evaluate(WEIGHTS)
    rests = (
        "() => document.querySelector('#face').studio.filming && "
        "document.querySelector('#face').studio.studio.scene.background"
    )
    for _ in range(2):
        begin_video(tab, "480x360")
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


@pytest.mark.slow("ten seconds of drawing in software; film/test_rendering.py holds it without a browser")
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
    begin_video(other, "480x360")
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
