"""Checks the microphone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from livelink_bridge.reporting.metrics import level_dbfs
from livelink_bridge.sources import Source

LISTEN_S = 0.5
"""Seconds of audio to measure."""
WAKE_S = 3.0
"""Time limit for receiving it: sound servers wake their devices slowly."""
SILENT_DBFS = -80.0
"""Quieter than any room: a muted input, or one to which the system denies access."""


def audio_input(open_input: Callable[[], Source]) -> Finding:
    """Check that there is a microphone and that it delivers a signal."""
    try:
        with closing(open_input()) as source:
            blocks = list(_first_blocks(source))
    except BridgeError as error:
        return Finding("warn", "audio input", f"{error} (play and convert work without)")
    device = f"{source.name}, {source.sample_rate} Hz"
    if not blocks:
        return Finding(
            "warn",
            "audio input",
            f"{device}: opened, but delivers no audio; choose another with --mic DEVICE (see devices)",
        )
    level = level_dbfs(np.concatenate([samples.reshape(-1) for samples in blocks]))
    if level < SILENT_DBFS:
        return Finding(
            "warn",
            "audio input",
            f"{device}: silence ({level:.0f} dBFS); unmute it, or let this program use the microphone",
        )
    return Finding("ok", "audio input", f"{device}, level {level:.0f} dBFS")


def _first_blocks(source: Source) -> Iterator[Any]:
    """The first LISTEN_S of a source; a timer closes a source that delivers nothing."""
    end = threading.Timer(WAKE_S, source.close)
    end.start()
    try:
        received_s = 0.0
        for block in source.blocks():
            yield block.samples
            received_s += len(block.samples) / block.sample_rate
            if received_s >= LISTEN_S:
                return
    finally:
        end.cancel()
        end.join()
