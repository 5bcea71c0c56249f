"""Where poses go. `open_sink(uri)` makes one; a new protocol is a file here and a line in the table."""

from __future__ import annotations

from livelink_bridge.sinks.base import Closure, Sink, Stamp

__all__ = ["Closure", "Sink", "Stamp"]
