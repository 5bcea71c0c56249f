"""Speech in, a MetaHuman's face out: sound to Live Link Face packets in real time.

For programs: `animate`, a recording to frames, `stream_to`, a live voice to a face, and `load_model`, the network
alone; see docs/api.md.
"""

from __future__ import annotations

from livelink_bridge.version import __version__ as __version__

TYPE_CHECKING = False  # as typing's, which takes longer to import than the rest of this; type checkers know the name
if TYPE_CHECKING:
    from typing import Any

    from livelink_bridge.api import Animation as Animation
    from livelink_bridge.api import TalkingFace as TalkingFace
    from livelink_bridge.api import animate as animate
    from livelink_bridge.api import stream_to as stream_to
    from speech_to_face import load_model as load_model

__all__ = ["Animation", "TalkingFace", "animate", "load_model", "stream_to"]


def __getattr__(name: str) -> Any:
    """Import what programs use when it is asked for: commands and tools that need none of it start without it."""
    if name == "load_model":
        from speech_to_face import load_model

        return load_model
    if name in __all__:
        from livelink_bridge import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
