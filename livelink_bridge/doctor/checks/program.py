"""Checks this program: Python version, packages, the model."""

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
"""First supported version of Python, and first one after the last."""


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Check that the version of Python is supported: 3.11 to 3.13."""
    found = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if SUPPORTED[0] <= version[:2] < SUPPORTED[1]:
        return Finding("ok", "Python", found)
    return Finding("fail", "Python", f"{found}; install 3.11, 3.12 or 3.13")


def package(name: str) -> Finding:
    """Check that a package is installed, without importing it, which may take seconds."""
    try:
        return Finding("ok", name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "fail", name, "is not installed; run scripts/demo, or see https://pytorch.org/get-started/locally/"
        )


def model(load: Callable[[], SpeechToFace], clock: Clock) -> Finding:
    """Check that the model's files are complete, its device is available, and it is fast enough for a live session.

    Parameters
    ----------
    load : loads the model
    clock : measures its speed
    """
    try:
        loaded = load()
    except (ModelError, BridgeError) as error:
        return Finding("fail", "model", str(error))
    second = np.zeros(loaded.sample_rate, np.float32)
    loaded.animate(second)  # the first run is slow on any device
    begun_s = clock.now()
    loaded.animate(second)
    took_s = clock.now() - begun_s
    found = (
        f"{loaded.name} on {loaded.device}, look-ahead {1000 * loaded.lookahead_s:.0f} ms, 1 s of audio in "
        f"{1000 * took_s:.0f} ms"
    )
    if took_s < 0.5:
        return Finding("ok", "model", found)
    return Finding("warn", "model", f"{found}: too slow to be live; close other programs or choose another --device")
