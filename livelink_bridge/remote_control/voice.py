"""Remote control of one performer: mood, neutral, mute, gain and calibration."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.audio.mute import Mute
from livelink_bridge.audio.noise_gate import Thresholds
from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.devices.calibration import ROOM_S, VOICE_S, calibrate, save
from livelink_bridge.errors import BridgeError
from speech_to_face.base import Samples

_TIMEOUT_S = ROOM_S + VOICE_S + 2.0
"""Calibration time plus 2 s for late blocks. After that the calibration has failed, and another may be started."""

_log = logging.getLogger(__name__)


class AdjustableFace(Protocol):
    """A face whose mood and neutral hold can be changed. Thread-safe."""

    @property
    def mood(self) -> Mood:
        """The mood set last."""
        ...

    @property
    def held_neutral(self) -> bool:
        """Whether the face is held at neutral, or decaying to it."""
        ...

    def set_mood(self, mood: Mood) -> None:
        """Blend to another mood."""
        ...

    def hold_neutral(self, on: bool) -> None:
        """Decay to neutral and hold it, or release it."""
        ...


class AdjustableChain(Protocol):
    """The input chain between microphone and network, as far as it can be adjusted. Thread-safe."""

    def set_gain(self, gain_db: float) -> None:
        """Set the microphone's gain, -40 to 40 dB."""
        ...

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Set the gate's opening and closing levels; they apply to the audio before the gain."""
        ...

    def measure(self, seconds: float, done: Callable[[Samples, int], None]) -> None:
        """Capture unprocessed audio.

        Parameters
        ----------
        seconds : how much to capture
        done : called with the samples, float32 (n,) in [-1, 1], and their rate in Hz. It must not block
        """
        ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """Progress and result of a microphone's calibration."""

    listening_for: Literal["room", "voice"] | None = None
    """What is measured now: room noise or voice; None if no calibration is running."""
    done: float = 0.0
    """Progress, 0 to 1, by the clock."""
    result: str = ""
    """Result of the last calibration, a sentence without its full stop; empty before the first."""
    failed: bool = False
    """Whether the last calibration failed and changed nothing."""


class RemoteVoice:
    """A voice and its face."""

    def __init__(
        self,
        face: AdjustableFace,
        chain: AdjustableChain | None = None,
        device: str = "",
        *,
        mute: Mute | None = None,
        remember: Callable[[str, Thresholds], None] = save,
        clock: Clock | None = None,
    ) -> None:
        """
        Parameters
        ----------
        face : the performer's face
        chain : the microphone's input chain; None if the audio is not from a microphone
        device : the microphone's name, under which its thresholds are saved
        mute : the microphone's mute switch; None if it has none
        remember : saves a device's thresholds
        clock : monotonic clock for the progress of a calibration
        """
        self._face, self._chain, self._device, self._remember = face, chain, device, remember
        self._mute, self._clock = mute, clock or MonotonicClock()
        self._lock = threading.Lock()
        """Guards `_request` and `_started_s`: one calibration at a time."""
        self._request = 0
        self._started_s: float | None = None
        self._result = Calibration()

    @property
    def mood(self) -> Mood:
        """The mood set last."""
        return self._face.mood

    @property
    def held_neutral(self) -> bool:
        """Whether the face is held at neutral."""
        return self._face.held_neutral

    @property
    def muted(self) -> bool:
        """Whether the microphone is muted."""
        return self._mute is not None and self._mute.on

    @property
    def has_microphone(self) -> bool:
        """Whether the audio is from a microphone."""
        return self._chain is not None

    @property
    def calibration(self) -> Calibration:
        """Progress of the running calibration, or the result of the last one. Thread-safe."""
        started_s = self._started_s
        if started_s is None:
            return self._result
        elapsed_s = self._clock.now() - started_s
        if elapsed_s > _TIMEOUT_S:
            return Calibration(result="no audio arrived for it; the gate is unchanged", failed=True)
        return Calibration("room" if elapsed_s < ROOM_S else "voice", min(1.0, elapsed_s / (ROOM_S + VOICE_S)))

    def set_mood(self, mood: Mood) -> None:
        """Blend to another mood."""
        self._face.set_mood(mood)

    def hold_neutral(self, on: bool) -> None:
        """Decay to neutral and hold it, or release it."""
        self._face.hold_neutral(on)

    def set_muted(self, on: bool) -> None:
        """Mute or unmute the microphone. Raises BridgeError if there is none or it cannot be muted."""
        self._microphone()
        if self._mute is None:
            raise BridgeError("this microphone cannot be muted from here; mute it in the system")
        self._mute.on = on

    def set_gain(self, gain_db: float) -> None:
        """Set the microphone's gain, -40 to 40 dB. Raises BridgeError if there is no microphone."""
        self._microphone().set_gain(gain_db)

    def calibrate(self) -> None:
        """Start a calibration of four seconds; the log and `calibration` give its result. Raises BridgeError if there
        is no microphone or a calibration is running."""
        chain = self._microphone()
        with self._lock:
            now_s, started_s = self._clock.now(), self._started_s
            if started_s is not None and now_s - started_s <= _TIMEOUT_S:
                raise BridgeError(f"{self._device} is being calibrated already; wait until it is done")
            self._started_s = now_s
            self._request = request = self._request + 1
        _log.info("calibrating %s: %g s of room, then %g s of voice", self._device, ROOM_S, VOICE_S)
        chain.measure(ROOM_S + VOICE_S, lambda samples, rate: self._on_measured(chain, samples, rate, request))

    def _microphone(self) -> AdjustableChain:
        if self._chain is None:
            raise BridgeError("this voice is not from a microphone, expected one: start with --mic")
        return self._chain

    def _on_measured(self, chain: AdjustableChain, samples: Samples, rate: int, request: int) -> None:
        """Continue on another thread: sorting four seconds of audio and writing a file take longer than a frame."""
        threading.Thread(
            target=self._apply_calibration, args=(chain, samples, rate, request), name="calibration", daemon=True
        ).start()

    def _apply_calibration(self, chain: AdjustableChain, samples: Samples, rate: int, request: int) -> None:
        try:
            room = round(ROOM_S * rate)
            thresholds = calibrate(samples[:room], samples[room:], rate)
            chain.set_thresholds(thresholds)
            self._remember(self._device, thresholds)
            opens = f"opens at {thresholds.open_dbfs:g} dBFS, closes at {thresholds.close_dbfs:g} dBFS"
            self._result = Calibration(result=f"the gate {opens}")
            _log.info("calibrated %s: %s", self._device, opens)
        except BridgeError as error:
            self._result = Calibration(result=f"{error}; the gate is unchanged", failed=True)
            _log.warning("calibration of %s: %s; the gate is unchanged", self._device, error)
        finally:
            with self._lock:
                if request == self._request:  # else a later calibration is running
                    self._started_s = None
