"""`--calibrate`: measure two seconds of room and two of voice, and set the noise gate for this microphone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import numpy as np
import typer

if TYPE_CHECKING:
    from livelink_bridge.audio.noise_gate import Thresholds
    from livelink_bridge.core.frames import AudioBlock
    from livelink_bridge.sources.base import Source
    from speech_to_face.base import Samples

SETTLE_S = 0.5
"""Skipped at first: devices click when they are opened."""
LONGEST_S = 40.0
"""Longest calibration, with all its waiting."""
PATIENCE_S = 15.0
"""Longest wait for a voice."""
NOTICED_DB = 6.0
"""Above the room, audio counts as the voice that was waited for."""


def calibrate(source: Source) -> Thresholds:
    """Guide the user through a calibration, remember the thresholds for this microphone and print them.

    Raises SourceError for a voice that is no louder than the room. Closes `source`.
    """
    from livelink_bridge.devices import calibration

    # A microphone that went away is waited for, but not indefinitely.
    patience = threading.Timer(LONGEST_S, source.close)
    patience.daemon = True
    patience.start()
    with closing(source), ExitStack() as stack:
        stack.callback(patience.cancel)
        blocks = source.blocks()
        recorded(blocks, SETTLE_S)
        typer.echo(f"calibrating {source.name}: two seconds of room, please be silent ...")
        room = recorded(blocks, calibration.ROOM_S)
        typer.echo("now speak, as loud as you will later ...")
        first = until_voice(blocks, room)
        voice = np.concatenate([first, recorded(blocks, calibration.VOICE_S)])
        found = calibration.calibrate(room, voice, source.sample_rate)
        calibration.save(source.name, found)
    typer.echo(
        f"remembered for {source.name}: the gate opens at {found.open_dbfs:g} dBFS and closes at {found.close_dbfs:g}"
    )
    return found


def recorded(blocks: Iterator[AudioBlock], seconds: float) -> Samples:
    """The next seconds of audio, float32 (n,), mono. Raises SourceError when the microphone ends first."""
    from livelink_bridge.audio.downmix import Mixer
    from livelink_bridge.errors import SourceError

    parts: list[Samples] = []
    recorded_s, mixer = 0.0, Mixer()
    for block in blocks:
        parts.append(mixer.push(block.samples, block.sample_rate))
        recorded_s += len(block.samples) / block.sample_rate
        if recorded_s >= seconds:
            return np.concatenate(parts)
    raise SourceError(
        f"the microphone stopped after {recorded_s:.1f} s, expected {seconds:g} s of audio; calibrate again"
    )


def until_voice(blocks: Iterator[AudioBlock], room: Samples) -> Samples:
    """Wait for a block that is NOTICED_DB louder than the room, and return it, float32 (n,), mono.

    After PATIENCE_S the newest block, however quiet.
    """
    from livelink_bridge.audio.downmix import Mixer
    from livelink_bridge.reporting.metrics import level_dbfs

    waited_s, mixer = 0.0, Mixer()
    for block in blocks:
        samples = mixer.push(block.samples, block.sample_rate)
        waited_s += len(samples) / block.sample_rate
        if level_dbfs(samples) > level_dbfs(room) + NOTICED_DB or waited_s > PATIENCE_S:
            return samples
    return room[:0]
