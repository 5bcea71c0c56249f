"""Channel names, characters, liveliness and takes of a face. Imports only numpy and yaml."""

from __future__ import annotations

from arkit_mapping.channels import ARKIT_52, CHANNELS_61, MOUTH_32, TAKE_COLUMNS

TYPE_CHECKING = (
    False  # instead of typing's, which takes longer to import than this package; type checkers know the name
)
if TYPE_CHECKING:
    from typing import Any

    from arkit_mapping.wire_order import NEUTRAL as NEUTRAL
    from arkit_mapping.wire_order import remap as remap

__all__ = ["ARKIT_52", "CHANNELS_61", "MOUTH_32", "NEUTRAL", "TAKE_COLUMNS", "remap"]


def __getattr__(name: str) -> Any:
    """Import the parts that need numpy on demand: `--help` needs only the names and the frame rate."""
    if name in ("NEUTRAL", "remap"):
        from arkit_mapping import wire_order

        return getattr(wire_order, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
