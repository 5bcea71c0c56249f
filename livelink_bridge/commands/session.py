"""From settings to the parts that a session is run with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livelink_bridge.config import Settings
from livelink_bridge.errors import BridgeError, ConfigError

if TYPE_CHECKING:
    from arkit_mapping.character import Character
    from livelink_bridge.metrics import Summary
    from livelink_bridge.pipeline import Outputs
    from models.base import SpeechToFace


def model_of(settings: Settings) -> SpeechToFace:
    """The model, loaded, its files checked. Raises ModelError, also for a look-ahead that it or any shipped model does not have."""
    from models.loading import load_model

    return load_model(model_name(settings), device=settings.device, reference=settings.reference_face, style=settings.style)


def model_name(settings: Settings) -> str:
    """The model's name or folder, its look-ahead as asked for. Raises ModelError where there is none."""
    from models.loading import with_lookahead

    return with_lookahead(settings.model, settings.lookahead)


def character_of(settings: Settings) -> Character:
    """The character, or one that changes nothing. Raises BridgeError for a file that cannot be read, ConfigError for what it asks."""
    from arkit_mapping.character import Character, CharacterError, load_character

    path = settings.character
    if path is None:
        return Character()
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise BridgeError(f"character file {path}: no such file") from None
    except OSError as error:
        raise BridgeError(f"character file {path} cannot be read: {error.strerror}") from error
    try:
        return load_character(path)
    except CharacterError as error:
        raise ConfigError(str(error)) from error


def outputs_of(settings: Settings) -> Outputs:
    from livelink_bridge.pipeline import Outputs
    from livelink_bridge.timecode import RATES

    counting = RATES[settings.timecode_rate] if settings.timecode_rate else None
    return Outputs(settings.targets, settings.subject, settings.fps, settings.timecode, counting)


def summary_line(summary: Summary) -> str:
    """A finished session, on one line."""
    parts = [f"{summary.sent} poses for {summary.seconds:.1f} s of sound"]
    if summary.delay_ms is not None and summary.delay_p99_ms is not None:
        parts.append(f"sound to packet median {summary.delay_ms:.1f} ms, p99 {summary.delay_p99_ms:.1f} ms")
    if summary.step_ms is not None and summary.step_p99_ms is not None:
        parts.append(f"model step median {summary.step_ms:.2f} ms, p99 {summary.step_p99_ms:.2f} ms")
    troubles = {
        "held": summary.held,
        "dropped": summary.dropped,
        "device overflows": summary.overflows,
        "gaps": summary.gaps,
        "bad poses": summary.bad_poses,
        "not received (nobody listens there)": summary.sink_errors,
        "late ticks": summary.late_ticks,
    }
    parts.append(", ".join(f"{count} {name}" for name, count in troubles.items() if count) or "nothing lost")
    return "; ".join([*parts, *(f"take {take}" for take in summary.takes)])
