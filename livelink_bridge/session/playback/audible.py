"""A recording's sound on the speakers, where there are any that play: without them the face goes on alone."""

from __future__ import annotations

import logging
import threading

from livelink_bridge.core.clock import Clock
from livelink_bridge.core.workers import Runner, wait_for
from livelink_bridge.errors import DeviceError
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.sources.base import Source

SPEAKER_BLOCK_S = 0.1
_FIRST_SOUND_S = 3.0
"""How long a file waits to be heard: sound servers wake their devices slowly."""

_log = logging.getLogger(__name__)


def open_speaker(source: Source, clock: Clock) -> Speaker | None:
    """The system's output with `source` on it; None, said once, where there is no output. The source is closed with
    it."""
    try:
        return Speaker(source, block_s=SPEAKER_BLOCK_S, clock=clock)
    except DeviceError as error:
        source.close()
        _log.warning("%s; going on without sound", error)
        return None


def wait_until_audible(speaker: Speaker | None, runner: Runner, clock: Clock, stop: threading.Event) -> Speaker | None:
    """The speaker once it is heard; None where there is none, or it stays mute: the face must not wait for it for
    ever."""
    if speaker is None:
        return None
    runner.start("sound", speaker.feed, cancel=speaker.close)
    wait_for(lambda: speaker.zero_s is not None or runner.stop.is_set(), clock, stop, _FIRST_SOUND_S)
    if speaker.zero_s is not None or runner.stop.is_set() or stop.is_set():
        return speaker
    speaker.close()
    _log.warning("no sound output: it was opened but does not begin to play; going on without sound")
    return None
