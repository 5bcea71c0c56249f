"""The program itself with its page: a voice in the microphone moves the face in a browser, and the page records a take
of it."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import soundfile
from animator import launched, playwright
from PIL import Image

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take

pytestmark = [pytest.mark.device, pytest.mark.timeout(180)]

JAW, SMILE = CHANNELS_61.index("JawOpen"), CHANNELS_61.index("MouthSmileLeft")
PICTURES = bool(os.environ.get("LIVELINK_BRIDGE_PICTURES"))
SCALE = 1.0 if PICTURES else 0.4
DOCS = Path(__file__).parents[2] / "docs"
SENTENCE = str(files("livelink_bridge").joinpath("demo", "sentence.flac"))
SPOKEN_S = 3.0
"""So much of the sentence is played each time: the jaw opens several times in it."""
MOVED = (
    "() => "
    f"{{ window.widest = Math.max(window.widest || 0, livelinkStage.live?.[{JAW}] || 0); "
    "return window.widest > 0.15; }"
)


@pytest.fixture
def browser() -> Iterator[Any]:
    yield from launched(playwright())


def press(page: Any, button: str, receiver: Any) -> int:
    """Press a button that goes on or off, wait until it has; how many packets had arrived by then."""
    on = page.locator(f"{button}.on").count() > 0
    page.locator(button).click()
    page.locator(f"{button}:not(.on)" if on else f"{button}.on").wait_for()
    return len(receiver.arrived)


def shoot(page: Any, name: str) -> None:
    """A picture for the docs, where they are taken anew: set LIVELINK_BRIDGE_PICTURES."""
    if PICTURES:
        page.set_viewport_size({"width": 1400, "height": 900})
        page.wait_for_function("() => parseFloat(document.querySelector('#level div').style.width) > 30")
        shot = Image.open(io.BytesIO(page.screenshot(style=".q-notification { display: none }"))).convert("RGB")
        shot.point(lambda value: value & 0xFC).save(DOCS / f"preview-{name}.png", optimize=True)


def test_a_live_voice_is_seen_in_the_browser_recorded_from_the_page_and_shaped_by_its_sliders(
    pulse: dict[str, str], receiver: Any, browser: Any, tmp_path: Path
) -> None:
    pytest.importorskip("nicegui", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")
    samples, rate_hz = soundfile.read(SENTENCE, dtype="float32")
    spoken = tmp_path / "spoken.wav"
    soundfile.write(spoken, samples[: round(SPOKEN_S * rate_hz)], rate_hz)
    options = ["--to", "preview:", "--to", receiver.uri, "--record", str(tmp_path / "takes")]
    command = [sys.executable, "-m", "livelink_bridge", "--mic", *options]
    environment = {**pulse, "BROWSER": "true", "PYTHONUNBUFFERED": "1"}
    environment.pop("LIVELINK_BRIDGE_PICTURES", None)  # not a setting of the program
    live = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    voice = None
    try:
        assert live.stdout is not None
        found = re.search(r"preview at (http\S+)", live.stdout.readline())
        assert found
        page = browser.new_page(viewport={"width": 1000, "height": 660}, device_scale_factor=SCALE)
        page.set_default_timeout(60_000)
        page.goto(found[1])
        page.wait_for_selector('canvas#face[data-ready="1"]')
        page.wait_for_function("() => livelinkStage.live")
        page.locator("#record").click()
        page.locator(".q-notification", has_text="Recording take").wait_for()
        voice = subprocess.Popen(["paplay", str(spoken)], env=pulse)
        page.wait_for_function(MOVED)
        page.locator("#record.on", has_text="Recording 0:0").wait_for()
        shoot(page, "live")
        voice.wait(60)
        page.locator("#targets", has_text=receiver.uri).get_by_text("sent").wait_for()
        page.locator("#record").click()
        page.locator(".q-notification", has_text="Recorded /").wait_for()
        page.wait_for_function("() => document.querySelector('#last-take')?.innerText.endsWith('.csv')")
        muted_from = press(page, "#mute", receiver)
        subprocess.run(["paplay", str(spoken)], env=pulse, check=True, timeout=60)
        muted_to = press(page, "#mute", receiver)
        page.locator('[data-mood="happy"]').click()
        page.locator('[data-mood="happy"].on').wait_for()
        happy = len(receiver.arrived)
        page.wait_for_function(f"() => livelinkStage.live?.[{SMILE}] > 0.1")
        neutral = press(page, "#neutral", receiver)
        page.wait_for_function(f"() => livelinkStage.live?.[{SMILE}] === 0")
        page.keyboard.press("n")
        page.wait_for_function(f"() => livelinkStage.live?.[{SMILE}] > 0.1")
        page.keyboard.press("c")
        page.locator("#calibration").wait_for()
        page.locator("#calibrated", has_text="The gate opens at").or_(page.locator("#calibrated.bad")).wait_for()
        page.keyboard.press("0")
        still = len(receiver.arrived)
        page.locator('[data-slider="JawOpen.gain"]').first.fill("0")
        subprocess.run(["paplay", str(spoken)], env=pulse, check=True, timeout=60)
        page.close()
    finally:
        if voice:
            voice.wait(60)
        live.send_signal(signal.SIGINT)
        output, _ = live.communicate(timeout=30)
    assert live.returncode == 130, output
    jaws = [packet.values[JAW] for _, packet in receiver.arrived]
    assert max(jaws[:muted_from]) > 0.15
    assert max(jaws[muted_from + 60 : muted_to]) < 0.02, "a muted voice does not move the face"
    smiles = [packet.values[SMILE] for _, packet in receiver.arrived]
    assert max(smiles[happy:neutral]) > 0.1, "the mood goes to every receiver"
    assert max(jaws[still + 120 :]) < 0.02, "the slider moves every receiver's face"
    takes = sorted((tmp_path / "takes").glob("*/*.csv"))
    assert len(takes) == 2, "one from the start to the end, one from the page"
    for take in takes:
        assert read_take(take).values[:, JAW].max() > 0.1
        assert [finding for finding in check_take(take) if finding.level == "error"] == []
