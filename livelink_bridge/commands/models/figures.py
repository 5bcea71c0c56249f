"""What both forms of `evaluate` share: the phones that a model recognizes, and the file of figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livelink_bridge.errors import BridgeError

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings
    from speech_to_face_lab.evaluation.phones import Posteriors

NONE = "–"
FILE_WIDTH = 100
"""Characters of a table that goes into a file."""


def ear_of(settings: Settings) -> Posteriors | str:
    """The phone recognizer of the settings' model, or why it has none."""
    from livelink_bridge.session import build
    from speech_to_face import checkpoint
    from speech_to_face_lab.evaluation.phones import posteriors_of

    folder = checkpoint.find(build.model_name(settings))
    return (
        posteriors_of(folder) if checkpoint.system_of(folder) == "pmmtalk" else f"{folder.name} has no phone posteriors"
    )


def write_json(file: Path, content: Any) -> None:
    """Write figures as JSON. Raises BridgeError where the file cannot be written."""
    try:
        file.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"--json {file} cannot be written: {error.strerror}") from error
