"""Names and curves of a face: which channel is which, and what a pose looks like. Imports numpy and yaml only."""

from __future__ import annotations

from arkit_mapping.channels import ARKIT_52, CHANNELS_61, MOUTH_32, TAKE_COLUMNS

TYPE_CHECKING = False  # as typing's, which takes longer to import than the rest of this; type checkers know the name
if TYPE_CHECKING:
    from typing import Any

    from arkit_mapping.wire_order import NEUTRAL as NEUTRAL
    from arkit_mapping.wire_order import remap as remap

__all__ = ["ARKIT_52", "CHANNELS_61", "MOUTH_32", "NEUTRAL", "TAKE_COLUMNS", "remap"]


def __getattr__(name: str) -> Any:
    """Import what needs numpy when it is asked for: `--help` needs the names and the frame rate alone."""
    if name in ("NEUTRAL", "remap"):
        from arkit_mapping import wire_order

        return getattr(wire_order, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
