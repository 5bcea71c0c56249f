"""A tab of the page in a real browser."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from animator import LOUD_S
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
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
        self.page.locator(f'[data-slider="{knob}"]').first.fill(str(value))

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


def apart(one: Any, other: Any) -> float:
    """The share of pixels that differ visibly."""
    return float((np.abs(one - other).max(-1) > 24).mean())
