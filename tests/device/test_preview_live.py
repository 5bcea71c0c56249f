"""The program itself with its page: a voice in the microphone moves the face in a browser, and the page records a take of it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from animator import launched, playwright

from arkit_mapping import CHANNELS_61
from arkit_mapping.take_check import check_take
from arkit_mapping.takes import read_take

pytestmark = [pytest.mark.device, pytest.mark.timeout(180)]

JAW = CHANNELS_61.index("JawOpen")
SENTENCE = str(files("livelink_bridge").joinpath("demo", "sentence.flac"))
MOVED = f"() => {{ window.widest = Math.max(window.widest || 0, livelinkStage.live?.[{JAW}] || 0); return window.widest > 0.15; }}"


@pytest.fixture
def browser() -> Iterator[Any]:
    yield from launched(playwright())


def test_a_live_voice_is_seen_in_the_browser_recorded_from_the_page_and_shaped_by_its_sliders(
    pulse: dict[str, str], receiver: Any, browser: Any, tmp_path: Path
) -> None:
    pytest.importorskip("nicegui", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")
    options = ["--to", "preview:", "--to", receiver.uri, "--record", str(tmp_path / "takes")]
    command = [sys.executable, "-m", "livelink_bridge", "--mic", *options]
    environment = {**pulse, "BROWSER": "true", "PYTHONUNBUFFERED": "1"}
    live = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    voice = None
    try:
        assert live.stdout is not None
        found = re.search(r"preview at (http\S+)", live.stdout.readline())
        assert found
        page = browser.new_page(viewport={"width": 700, "height": 500}, device_scale_factor=0.4)
        page.set_default_timeout(60_000)
        page.goto(found[1])
        page.wait_for_selector('canvas#face[data-ready="1"]')
        page.wait_for_function("() => livelinkStage.live")
        page.locator("#record").click()
        page.locator(".q-notification", has_text="Recording take").wait_for()
        voice = subprocess.Popen(["paplay", SENTENCE], env=pulse)
        page.wait_for_function(MOVED)
        page.locator("#live").get_by_text("sent").wait_for()
        voice.wait(60)
        page.locator("#record").click()
        page.locator(".q-notification", has_text="Recorded").wait_for()
        still = len(receiver.arrived)
        page.locator('[data-knob="JawOpen.gain"]').first.fill("0")
        subprocess.run(["paplay", SENTENCE], env=pulse, check=True, timeout=60)
        page.close()
    finally:
        if voice:
            voice.wait(60)
        live.send_signal(signal.SIGINT)
        output, _ = live.communicate(timeout=30)
    assert live.returncode == 130, output
    jaws = [packet.values[JAW] for _, packet in receiver.arrived]
    assert max(jaws[:still]) > 0.15
    assert max(jaws[still + 120 :]) < 0.02, "the slider moves every receiver's face"
    takes = sorted((tmp_path / "takes").glob("*/*.csv"))
    assert len(takes) == 2, "one from the start to the end, one from the page"
    for take in takes:
        assert read_take(take).values[:, JAW].max() > 0.1
        assert [finding for finding in check_take(take) if finding.level == "error"] == []
