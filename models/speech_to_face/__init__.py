"""Networks that turn speech into a face. `from speech_to_face import load_model` is the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speech_to_face.loading import load_model as load_model

__all__ = ["load_model"]


def __getattr__(name: str) -> Any:
    """Import the loader when it is asked for: commands that need no model start without it."""
    if name == "load_model":
        from speech_to_face.loading import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
