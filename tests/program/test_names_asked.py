"""In a network of its own, with a name server of the test's own, the program asks for no name but its targets'."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import homes
import numpy as np
import own_network
import pytest
import soundfile

from livelink_bridge.demo import SENTENCE

LIMIT_S = 120.0
MINUTE_S = 60.0
TARGET_NAME = own_network.KNOWN[0]
TARGET = f"livelink://{TARGET_NAME}:23456"
BRIDGE = [sys.executable, "-m", "livelink_bridge"]


@pytest.fixture(autouse=True, scope="module")
def _namespaces() -> None:
    if sys.platform != "linux":
        pytest.skip("network namespaces are Linux's")
    done = subprocess.run(["unshare", "-rnm", "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this system allows no network of the test's own: {done.stderr.strip()}")


def alone(home: Path, seconds: float, command: list[str]) -> dict[str, Any]:
    """What a command asked for (`asked`), its exit `code` and its `output`; interrupted after so many seconds."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LIVELINK_BRIDGE_", "XDG_", "ORT_"))
    }
    program = ["unshare", "-rnm", sys.executable, own_network.__file__, str(seconds), *command]
    environment = {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        program, env=environment, cwd=home, capture_output=True, text=True, timeout=seconds + LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def speech(folder: Path, seconds: float) -> Path:
    """The bundled sentence, as often as it takes."""
    samples, rate_hz = soundfile.read(SENTENCE, dtype="float32")
    wanted = round(seconds * rate_hz)
    soundfile.write(folder / "speech.wav", np.tile(samples, 1 + wanted // len(samples))[:wanted], rate_hz)
    return folder / "speech.wav"


def play(folder: Path, seconds: float) -> dict[str, Any]:
    return alone(folder, seconds + 30, [*BRIDGE, "play", str(speech(folder, seconds)), "--no-audio", "--to", TARGET])


def preview(folder: Path, seconds: float) -> dict[str, Any]:
    return alone(
        folder, seconds, [*BRIDGE, "preview", str(speech(folder, 2)), "--no-browser", "--port", "0", "--to", TARGET]
    )


def test_the_name_server_sees_every_name_that_is_asked_for(tmp_path: Path) -> None:
    ask = "import socket; print(socket.gethostbyname('face.test')); socket.gethostbyname('collector.example.com')"
    said = alone(tmp_path, LIMIT_S, [sys.executable, "-c", ask])
    assert (
        {"face.test", "collector.example.com"} <= set(said["asked"])
        and "127.0.0.1" in said["output"]
        and said["code"] == 1
    )


def test_play_asks_for_its_target_and_for_nothing_else(tmp_path: Path) -> None:
    said = play(tmp_path, 2)
    assert (said["asked"], said["code"]) == ([TARGET_NAME], 0), said["output"]


def test_preview_asks_for_nothing_but_its_target(tmp_path: Path) -> None:
    said = preview(tmp_path, 2)
    assert "the page has" in said["output"] and set(said["asked"]) <= {TARGET_NAME}, said


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install livelink-bridge[scale]")
@pytest.mark.timeout(240)
def test_a_batch_on_ray_asks_for_no_name_and_leaves_the_home_empty(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    home = tmp_path / "home"
    home.mkdir()
    speech(tmp_path / "lines", 1)
    said = alone(
        home,
        200,
        [*BRIDGE, "convert", str(tmp_path / "lines"), "-o", str(tmp_path / "takes"), "--engine", "ray", "--jobs", "1"],
    )
    assert "1 converted" in said["output"] and said["asked"] == [] and homes.files(home) == []


@pytest.mark.slow
@pytest.mark.timeout(MINUTE_S + LIMIT_S)
def test_a_minute_of_play_asks_for_its_target_and_for_nothing_else(tmp_path: Path) -> None:
    said = play(tmp_path, MINUTE_S)
    assert (said["asked"], said["code"]) == ([TARGET_NAME], 0), said["output"]


@pytest.mark.slow
@pytest.mark.timeout(MINUTE_S + LIMIT_S)
def test_a_minute_of_preview_asks_for_nothing_but_its_target(tmp_path: Path) -> None:
    said = preview(tmp_path, MINUTE_S)
    assert "the page has" in said["output"] and set(said["asked"]) <= {TARGET_NAME}, said
