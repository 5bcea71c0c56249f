"""For programs that use this one: `animate` a recording, `stream_to` a face. The commands' own parts, put together for
Python."""

from __future__ import annotations

from livelink_bridge.api.animation import Animation, animate
from livelink_bridge.api.talking import TalkingFace, stream_to

__all__ = ["Animation", "TalkingFace", "animate", "stream_to"]
