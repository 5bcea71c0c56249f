"""The Python API: `animate` turns a recording into frames, `stream_to` drives a live face."""

from __future__ import annotations

from livelink_bridge.api.animation import Animation, animate
from livelink_bridge.api.talking import TalkingFace, stream_to

__all__ = ["Animation", "TalkingFace", "animate", "stream_to"]
