"""Audio sources. `open_source(uri)` opens one; a new kind is a file here and a line in the table."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import UsageError
from livelink_bridge.sources.audio_file import Warn, WavSource
from livelink_bridge.sources.base import Source
from livelink_bridge.sources.microphone import Input, MicrophoneSource

__all__ = ["Source", "open_source"]


def _file(rest: str, clock: Clock, block_s: float, allow_cut: bool, warn: Warn | None) -> Source:
    return WavSource(Path(rest), clock=clock, block_s=block_s, allow_cut=allow_cut, warn=warn)


def _microphone(rest: str, clock: Clock, _block_s: float, _allow_cut: bool, _warn: Warn | None) -> Source:
    return MicrophoneSource(Input(rest or None), clock=clock)


SCHEMES: dict[str, Callable[[str, Clock, float, bool, Warn | None], Source]] = {"wav": _file, "mic": _microphone}


def open_source(
    uri: str, *, clock: Clock, block_s: float = 0.1, allow_cut: bool = False, warn: Warn | None = None
) -> Source:
    """Open an audio source.

    Parameters
    ----------
    uri : `wav:PATH`, a plain path, or `mic:` followed by an index or part of a name
    clock : for arrival times
    block_s : seconds of a file read at a time
    allow_cut, warn : see `WavSource`

    Raises
    ------
    UsageError : unknown scheme
    SourceError, DeviceError : the file or device cannot be opened
    """
    scheme, colon, rest = uri.partition(":")
    if colon and scheme in SCHEMES:
        return SCHEMES[scheme](rest, clock, block_s, allow_cut, warn)
    looks_like_a_scheme = colon and len(scheme) > 1 and scheme.isalnum()
    if looks_like_a_scheme and not os.path.exists(uri):
        raise UsageError(
            f"unknown source {uri!r}: there is no scheme {scheme!r}; expected a file, wav:PATH or mic:DEVICE"
        )
    return _file(uri, clock, block_s, allow_cut, warn)
