"""Builds the parts of a session from the settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from livelink_bridge.errors import BridgeError, ConfigError
from livelink_bridge.settings.table import Settings

if TYPE_CHECKING:
    from arkit_mapping.character.character import Character
    from livelink_bridge.audio.input.input_chain import InputChain
    from livelink_bridge.audio.vad import Detector
    from livelink_bridge.core.clock import Clock
    from livelink_bridge.face.character_watch import CharacterFile
    from livelink_bridge.face.face import CharacterProvider, Face
    from livelink_bridge.reporting.metrics import Summary
    from livelink_bridge.session.live import VoiceMonitorConfig
    from livelink_bridge.session.modes.performers import Performer
    from livelink_bridge.session.outputs import Outputs
    from livelink_bridge.session.remote import ControlPort
    from livelink_bridge.sources.microphone import Input
    from speech_to_face.base import SpeechToFace

_log = logging.getLogger(__name__)


REAL_TIME_SHARE = 0.9
"""Real-time factor above which a live session is refused: the rest is for the other threads."""


def model_of(settings: Settings) -> SpeechToFace:
    """Load the model and check its files. Raises ModelError, also for a look-ahead that no shipped model has."""
    from speech_to_face.loading import load_model

    return load_model(
        model_name(settings),
        device=settings.device,
        reference=settings.reference_face,
        style=settings.style,
        tongue=settings.tongue,
    )


def live_model_of(settings: Settings, say: Callable[[str], None]) -> SpeechToFace:
    """The model for a session in real time. A large one is timed first, and `say` gets the result, one line; raises
    BridgeError where it cannot keep up."""
    from speech_to_face.base import runs_in_blocks

    model = model_of(settings)
    if not runs_in_blocks(model):
        return model
    from speech_to_face.streaming.block_model import real_time_factor

    factor = real_time_factor(model)
    measured = f"{model.name} on {model.device} takes {factor:.2f} s of computing for each second of sound"
    if factor > REAL_TIME_SHARE:
        raise BridgeError(
            f"{measured}, so the face would stutter: use a CUDA machine (--device cuda), or `convert` and then `replay`"
        )
    say(f"{measured}; its face comes {1000 * model.lookahead_s:.0f} ms late")
    return model


def model_name(settings: Settings) -> str:
    """The name or folder of the model with the look-ahead asked for. Raises ModelError where there is none."""
    from speech_to_face import checkpoint
    from speech_to_face.loading import with_lookahead

    name = settings.model
    if settings.models_dir is not None and name not in checkpoint.names():
        name = str(checkpoint.find(name, settings.models_dir))
    return with_lookahead(name, settings.lookahead)


def face_of(settings: Settings, clock: Clock, character: Character | CharacterProvider | None = None) -> Face:
    """The face. `character` replaces that of the settings.

    Raises BridgeError for a character file that cannot be read, ConfigError for an invalid one.
    """
    from arkit_mapping.liveliness import HeadMotion, Liveliness
    from arkit_mapping.liveliness.moods import Mood
    from livelink_bridge.face.face import Face

    head = HeadMotion() if settings.head_motion else None
    alive = Liveliness(settings.seed, head=head) if settings.liveliness else None
    mood = Mood.parse(settings.mood)
    if character is not None:
        return Face(character, liveliness=alive, mood=mood)
    if settings.character is None:
        return Face(liveliness=alive, mood=mood)
    return Face(character_file(settings.character, clock), liveliness=alive, mood=mood)


def character_file(path: Path, clock: Clock) -> CharacterFile:
    """A character file, reloaded when it is saved. Raises BridgeError where it cannot be read, ConfigError where it is
    invalid."""
    from arkit_mapping.character.character import CharacterError
    from livelink_bridge.face.character_watch import CharacterFile

    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise BridgeError(f"character file {path}: no such file") from None
    except OSError as error:
        raise BridgeError(f"character file {path} cannot be read: {error.strerror}") from error
    try:
        return CharacterFile(path, clock)
    except CharacterError as error:
        raise ConfigError(str(error)) from error


def performer_of(settings: Settings, mic: str | None, lookahead_s: float, clock: Clock) -> Performer:
    """One of several performers. `mic` is its microphone, `lookahead_s` that of the model, seconds."""
    from livelink_bridge.session.modes.performers import Performer

    def chain(device: str) -> InputChain:
        return input_chain_of(settings, device, lookahead_s)

    # Remote control begins the takes of one performer only: those of several begin with the session.
    return Performer(
        input_of(settings, mic),
        face_of(settings, clock),
        controlled_outputs_of(settings, takes_wait=False),
        chain,
        monitor_of(settings),
    )


def input_of(settings: Settings, spec: str | None) -> Input:
    """The microphone to open: an index, a part of a name, or None for the system's input."""
    from livelink_bridge.sources.microphone import Input

    return Input(spec, settings.channels, settings.exclusive)


def monitor_of(settings: Settings) -> VoiceMonitorConfig | None:
    """The monitor output of the settings; None without one."""
    from livelink_bridge.session.live import VoiceMonitorConfig

    if settings.audio_out is None:
        return None
    return VoiceMonitorConfig(
        None if settings.audio_out == "default" else settings.audio_out, settings.audio_delay / 1000
    )


def input_chain_of(settings: Settings, device: str | None, lookahead_s: float) -> InputChain:
    """The input chain of a microphone, with the thresholds that `calibrate` stored for the device of that name."""
    from arkit_mapping.channels import FRAME_RATE
    from livelink_bridge.audio.agc import AGC
    from livelink_bridge.audio.input.input_chain import InputChain
    from livelink_bridge.devices import calibration

    return InputChain(
        _detector(settings.gate),
        thresholds=calibration.load(device) if device else None,
        gain_db=settings.gain,
        level=AGC() if settings.level_control else None,
        lookahead_steps=max(0, round(lookahead_s * FRAME_RATE) - 1),
        gated=settings.gate != "off",
    )


def _detector(gate: str) -> Detector | None:
    from livelink_bridge.audio.vad import SileroDetector, silero_path

    if gate in ("level", "off"):
        return None
    try:
        return SileroDetector(silero_path())
    except BridgeError as error:
        if gate == "voice":
            raise
        _log.warning("%s; the gate goes by level", error)
        return None


def outputs_of(settings: Settings) -> Outputs:
    """Receivers, subject, packet rate and timecode of the settings."""
    from livelink_bridge.session.outputs import Outputs
    from livelink_bridge.timing.timecode import RATES

    counting = RATES[settings.timecode_rate] if settings.timecode_rate else None
    return Outputs(
        settings.targets,
        settings.subject,
        settings.fps,
        settings.timecode,
        counting,
        delay_s=settings.face_delay / 1000,
    )


def controlled_outputs_of(settings: Settings, *, takes_wait: bool = True) -> Outputs:
    """The outputs of a session that remote control may change, where the settings have a control port; `takes_wait`
    leaves the start of takes to it."""
    outputs = outputs_of(settings)
    return outputs if settings.control is None else replace(outputs, remote_controlled=True, takes_wait=takes_wait)


def control_port_of(settings: Settings) -> ControlPort | None:
    """The control port of the settings; None without one."""
    from livelink_bridge.session.remote import ControlPort

    return None if settings.control is None else ControlPort(settings.control, settings.control_allow)


def summary_line(summary: Summary) -> str:
    """The result of a session, on one line."""
    parts = [f"{summary.sent} frames for {summary.seconds:.1f} s of audio"]
    if summary.delay_ms is not None and summary.delay_p99_ms is not None:
        parts.append(
            f"audio to packet median {summary.delay_ms:.1f} ms, p99 {summary.delay_p99_ms:.1f} ms (last minute)"
        )
    if summary.step_ms is not None and summary.step_p99_ms is not None:
        parts.append(f"model step median {summary.step_ms:.2f} ms, p99 {summary.step_p99_ms:.2f} ms (last minute)")
    troubles = {
        "held": summary.held,
        "dropped": summary.dropped,
        "device overflows": summary.overflows,
        "gaps": summary.gaps,
        "bad poses": summary.bad_poses,
        "not delivered": summary.sink_errors,
        "late ticks": summary.late_ticks,
    }
    parts.append(", ".join(f"{count} {name}" for name, count in troubles.items() if count) or "nothing lost")
    return "; ".join([*parts, *summary.troubles, *(f"take {take}" for take in summary.takes)])
