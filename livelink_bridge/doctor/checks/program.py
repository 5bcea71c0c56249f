"""This program itself: Python, packages, the model."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable

import numpy as np

from livelink_bridge.core.clock import Clock
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from speech_to_face.base import ModelError, SpeechToFace

SUPPORTED = ((3, 11), (3, 14))


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    said = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if SUPPORTED[0] <= version[:2] < SUPPORTED[1]:
        return Finding("ok", "Python", said)
    return Finding("fail", "Python", f"{said}; install 3.11, 3.12 or 3.13")


def package(name: str) -> Finding:
    """Whether a package is installed, without the seconds that importing it takes."""
    try:
        return Finding("ok", name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "fail", name, "is not installed; run scripts/demo, or see https://pytorch.org/get-started/locally/"
        )


def model(load: Callable[[], SpeechToFace], clock: Clock) -> Finding:
    """Whether the model's files are whole, its device is there, and it keeps up."""
    try:
        loaded = load()
    except (ModelError, BridgeError) as error:
        return Finding("fail", "model", str(error))
    second = np.zeros(loaded.sample_rate, np.float32)
    loaded.animate(second)  # the first run is slow on any device
    begun_s = clock.now()
    loaded.animate(second)
    took_s = clock.now() - begun_s
    said = (
        f"{loaded.name} on {loaded.device}, look-ahead {1000 * loaded.lookahead_s:.0f} ms, 1 s of sound in "
        f"{1000 * took_s:.0f} ms"
    )
    if took_s < 0.5:
        return Finding("ok", "model", said)
    return Finding("warn", "model", f"{said}: too slow to be live; close other programs or choose another --device")
