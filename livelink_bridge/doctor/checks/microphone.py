"""The microphone."""

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
"""How long the microphone is heard."""
WAKE_S = 3.0
"""How long it may take to hand over as much: sound servers wake their devices slowly."""
SILENT_DBFS = -80.0
"""Quieter than any room: a muted input, or one the system keeps from us."""


def audio_input(open_input: Callable[[], Source]) -> Finding:
    """Whether there is a microphone and it hears anything."""
    try:
        with closing(open_input()) as source:
            heard = list(_first_blocks(source))
    except BridgeError as error:
        return Finding("warn", "audio input", f"{error} (play and convert work without)")
    said = f"{source.name}, {source.sample_rate} Hz"
    if not heard:
        return Finding(
            "warn",
            "audio input",
            f"{said}: opened, but hands over no sound; choose another with --mic DEVICE (see devices)",
        )
    level = level_dbfs(np.concatenate([samples.reshape(-1) for samples in heard]))
    if level < SILENT_DBFS:
        return Finding(
            "warn",
            "audio input",
            f"{said}: silence ({level:.0f} dBFS); unmute it, or let this program use the microphone",
        )
    return Finding("ok", "audio input", f"{said}, level {level:.0f} dBFS")


def _first_blocks(source: Source) -> Iterator[Any]:
    """The first LISTEN_S of a source's sound; a timer closes one that hands over nothing."""
    end = threading.Timer(WAKE_S, source.close)
    end.start()
    try:
        heard_s = 0.0
        for block in source.blocks():
            yield block.samples
            heard_s += len(block.samples) / block.sample_rate
            if heard_s >= LISTEN_S:
                return
    finally:
        end.cancel()
        end.join()
