"""Where sound comes from. `open_source(uri)` makes one; a new kind is a file here and a line in the table."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from livelink_bridge.clock import Clock
from livelink_bridge.errors import UsageError
from livelink_bridge.sources.base import Source
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.sources.wav import WavSource

__all__ = ["Source", "open_source"]

SCHEMES: dict[str, Callable[[str, Clock, float], Source]] = {
    "wav": lambda rest, clock, block_s: WavSource(Path(rest), clock=clock, block_s=block_s),
    "mic": lambda rest, clock, _block_s: MicrophoneSource(Input(rest or None), clock=clock),
}


def open_source(uri: str, *, clock: Clock, block_s: float = 0.1) -> Source:
    """Open `wav:PATH`, a plain path, or `mic:` with an index or a part of a name behind it.

    `block_s` is how much of a file is read at a time, seconds. Raises UsageError for a scheme that does not exist, SourceError
    or DeviceError for what cannot be opened.
    """
    scheme, colon, rest = uri.partition(":")
    if colon and scheme in SCHEMES:
        return SCHEMES[scheme](rest, clock, block_s)
    looks_like_a_scheme = colon and len(scheme) > 1 and scheme.isalnum()
    if looks_like_a_scheme and not os.path.exists(uri):
        raise UsageError(f"unknown source {uri!r}: there is no scheme {scheme!r}; expected a file, wav:PATH or mic:DEVICE")
    return SCHEMES["wav"](uri, clock, block_s)
