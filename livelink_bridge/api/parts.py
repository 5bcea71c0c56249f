"""Builds settings and models from the arguments of the API, as the commands do from their options."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from livelink_bridge.errors import UsageError
from livelink_bridge.session import build
from livelink_bridge.settings.loading import checked
from livelink_bridge.settings.table import Settings

if TYPE_CHECKING:
    from speech_to_face.base import SpeechToFace


def settings_of(**given: object) -> Settings:
    """Settings by field name; None is the default. The environment and settings files are not read. Raises
    ConfigError."""
    return Settings(**{key: checked(key, value) for key, value in given.items() if value is not None})  # type: ignore[arg-type]


def model_of(model: str | os.PathLike[str] | SpeechToFace, device: str) -> SpeechToFace:
    """Load a model by name or folder, or check one that is loaded.

    Parameters
    ----------
    model : a shipped model's name, a folder, or a loaded model
    device : "auto", "cpu", "cuda" or "mps"; a loaded model must be on it, unless it is "auto"

    Raises ModelError, ConfigError, or UsageError if `model` is none of these.
    """
    from speech_to_face.base import SpeechToFace

    if isinstance(model, str | os.PathLike):
        return build.model_of(settings_of(model=os.fspath(model), device=device))
    if not isinstance(model, SpeechToFace):
        raise UsageError(f"model: got {type(model).__name__}, expected a name, a folder or a model from load_model")
    if checked("device", device) not in ("auto", model.device):
        raise UsageError(
            f"device: got {device!r} for a model that is on {model.device!r}; load it there, or leave out the device"
        )
    return model
