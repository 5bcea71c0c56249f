"""What the tests of the page open, and where they are served."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import ARKIT_52
from livelink_bridge.wire.livelink import decode

RATE = 16000
LOUD_S = (1.0, 2.0)
"""Where the test's sound is a voice; before and after it is silence."""
LENGTH_S = 3.0
SWIFTSHADER = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
)


def write_voice(path: Path, length_s: float, loud_s: tuple[float, float]) -> Path:
    """A recording of silence in which a voice is loud for a while."""
    times = np.arange(int(length_s * RATE)) / RATE
    loud = np.clip(np.minimum(times - loud_s[0], loud_s[1] - times) * 20, 0, 1)
    soundfile.write(path, (0.3 * loud * np.sin(2 * np.pi * 150 * times)).astype(np.float32), RATE)
    return path


class SpelledOut:
    """Hears the same phones in every sound: a pause, p, a vowel that is loud, m, a pause."""

    def listen(self) -> SpelledOut:
        return self

    def push(self, samples: Any) -> None:
        pass

    def finish(self) -> tuple[Any, ...]:
        from livelink_bridge.analysis.phones import Segment

        edges = (0.0, 0.4, 0.5, 2.1, 2.3, LENGTH_S)
        labels = ("SIL", "PB", "AA", "M", "SIL")
        return tuple(
            Segment(label, start, end) for label, start, end in zip(labels, edges[:-1], edges[1:], strict=True)
        )


@dataclass
class Served:
    """The page's session, and where it is served."""

    session: Any
    url: str
    folder: Path
    receiver: socket.socket
    analyse: Callable[..., Any]
    """What becomes of a recording that is opened, given its path, the model's name and what hears of the progress."""


@contextmanager
def receiver_of(served: Served) -> Iterator[Callable[[Callable[[Any], bool]], bool]]:
    """Tells whether one of the next 600 packets satisfies a condition."""

    def arrived(condition: Callable[[Any], bool]) -> bool:
        for _ in range(600):
            values = decode(served.receiver.recv(2048)).values
            if values is not None and condition(values):
                return True
        return False

    yield arrived


def glb(names: tuple[str, ...] = ARKIT_52, *, grid: int = 12) -> bytes:
    """A .glb made by hand: a flat square, whose targets pull its lower half down; `names` of its morph targets, none
    for no targets."""
    side = np.linspace(-0.1, 0.1, grid, dtype=np.float32)
    x, y = np.meshgrid(side, side)
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3).astype("<f4")
    lift = np.where(points[:, 1:2] < 0, np.float32([[0, -0.08, 0.02]]), 0).astype("<f4")
    corners = (np.arange(grid - 1)[:, None] * grid + np.arange(grid - 1)).reshape(-1, 1)
    triangles = (corners + np.array([[0, 1, grid, 1, grid + 1, grid]])).astype("<u2")
    parts = [points.tobytes(), lift.tobytes(), triangles.tobytes()]
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    vectors = {"componentType": 5126, "count": len(points), "type": "VEC3"}
    mesh: dict[str, Any] = {"primitives": [{"attributes": {"POSITION": 0}, "indices": 2}]}
    if names:
        mesh["primitives"][0]["targets"] = [{"POSITION": 1}] * len(names)
        mesh |= {"extras": {"targetNames": list(names)}, "weights": [0.0] * len(names)}
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "Square", "mesh": 0}],
        "meshes": [mesh],
        "accessors": [
            {"bufferView": 0, **vectors, "min": points.min(0).tolist(), "max": points.max(0).tolist()},
            {"bufferView": 1, **vectors, "min": lift.min(0).tolist(), "max": lift.max(0).tolist()},
            {"bufferView": 2, "componentType": 5123, "count": int(triangles.size), "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": len(part)}
            for start, part in zip(starts, parts, strict=False)
        ],
        "buffers": [{"byteLength": starts[-1]}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary = b"".join(parts)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def probed(path: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe says of each stream of a video, by its kind."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return {stream["codec_type"]: stream for stream in found["streams"]}


def decoded(path: Path, width: int, height: int) -> Any:
    """The frames of a video, uint8 (frames, height, width, 3)."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3)


def launched(api: Any) -> Iterator[Any]:
    """Debian's Chromium, drawing in software; a skip where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine: apt install chromium")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(SWIFTSHADER))
        yield browser
        browser.close()


def playwright() -> Any:
    return pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install livelink-bridge[dev]"
    )
