"""One performer's voice and face as remote control directs them."""

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

_LONGEST_S = ROOM_S + VOICE_S + 2.0
"""Blocks come late; a microphone that is away for longer gives no answer, and another calibration may be asked for."""

_log = logging.getLogger(__name__)


class RestableFace(Protocol):
    """A face; all of it may be called from any thread."""

    @property
    def mood(self) -> Mood: ...

    @property
    def resting(self) -> bool: ...

    def set_mood(self, mood: Mood) -> None: ...

    def rest(self, on: bool) -> None:
        """Ease to neutral and stay there, or go on."""
        ...


class Chain(Protocol):
    """What stands between a microphone and the network; all of it may be called from any thread."""

    def set_gain(self, gain_db: float) -> None: ...

    def use(self, thresholds: Thresholds) -> None:
        """The gate opens and closes at these levels from now on; they are of the sound before the gain."""
        ...

    def measure(self, seconds: float, done: Callable[[Samples, int], None]) -> None:
        """Hand the next seconds of sound as it comes in, float32 (n,) in [-1, 1], and its rate in Hz to `done`, which
        must not wait."""
        ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where the calibration of a microphone stands."""

    hears: Literal["room", "voice"] | None = None
    """What is listened to now; None where no calibration runs."""
    done: float = 0.0
    """How much of it is over, 0 to 1, by the clock."""
    result: str = ""
    """What came of the last one, a sentence without its full stop; empty before the first."""
    failed: bool = False
    """Whether the last one changed nothing."""


class DirectedVoice:
    """A voice with its face; `chain` is None where the sound comes from no microphone."""

    def __init__(
        self,
        face: RestableFace,
        chain: Chain | None = None,
        device: str = "",
        *,
        mute: Mute | None = None,
        remember: Callable[[str, Thresholds], None] = save,
        clock: Clock | None = None,
    ) -> None:
        """`device` is the microphone's name, under which its levels are remembered; `mute` is what silences it."""
        self._face, self._chain, self._device, self._remember = face, chain, device, remember
        self._mute, self._clock = mute, clock or MonotonicClock()
        self._asking = threading.Lock()
        """Over the next two: one calibration at a time."""
        self._asked = 0
        self._measured_from_s: float | None = None
        self._result = Calibration()

    @property
    def mood(self) -> Mood:
        return self._face.mood

    @property
    def resting(self) -> bool:
        """Whether the face is held at neutral."""
        return self._face.resting

    @property
    def muted(self) -> bool:
        return self._mute is not None and self._mute.on

    @property
    def has_microphone(self) -> bool:
        return self._chain is not None

    @property
    def calibration(self) -> Calibration:
        """Where calibrating stands, or what came of it last. From any thread."""
        begun_s = self._measured_from_s
        if begun_s is None:
            return self._result
        heard_s = self._clock.now() - begun_s
        if heard_s > _LONGEST_S:
            return Calibration(result="no sound came for it; the gate stays as it was", failed=True)
        return Calibration("room" if heard_s < ROOM_S else "voice", min(1.0, heard_s / (ROOM_S + VOICE_S)))

    def set_mood(self, mood: Mood) -> None:
        self._face.set_mood(mood)

    def neutral(self, on: bool) -> None:
        self._face.rest(on)

    def mute(self, on: bool) -> None:
        self._microphone()
        if self._mute is None:
            raise BridgeError("this microphone cannot be muted from here; mute it in the system")
        self._mute.on = on

    def set_gain(self, gain_db: float) -> None:
        self._microphone().set_gain(gain_db)

    def calibrate(self) -> None:
        """Listen for four seconds; what comes of it is in the log. Raises BridgeError where that is going on
        already."""
        chain = self._microphone()
        with self._asking:
            now_s, begun_s = self._clock.now(), self._measured_from_s
            if begun_s is not None and now_s - begun_s <= _LONGEST_S:
                raise BridgeError(f"{self._device} is being calibrated already; wait until that is done")
            self._measured_from_s = now_s
            self._asked = asked = self._asked + 1
        _log.info("calibrating %s: %g s of room, then %g s of voice", self._device, ROOM_S, VOICE_S)
        chain.measure(ROOM_S + VOICE_S, lambda samples, rate: self._measured(chain, samples, rate, asked))

    def _microphone(self) -> Chain:
        if self._chain is None:
            raise BridgeError("this voice comes from no microphone, expected one: start with --mic")
        return self._chain

    def _measured(self, chain: Chain, samples: Samples, rate: int, asked: int) -> None:
        """Off the thread that animates: sorting four seconds and writing a file take longer than a pose."""
        threading.Thread(
            target=self._settle, args=(chain, samples, rate, asked), name="calibration", daemon=True
        ).start()

    def _settle(self, chain: Chain, samples: Samples, rate: int, asked: int) -> None:
        try:
            room = round(ROOM_S * rate)
            thresholds = calibrate(samples[:room], samples[room:], rate)
            chain.use(thresholds)
            self._remember(self._device, thresholds)
            opens = f"opens at {thresholds.open_dbfs:g} dBFS, closes at {thresholds.close_dbfs:g} dBFS"
            self._result = Calibration(result=f"the gate {opens}")
            _log.info("calibrated %s: %s", self._device, opens)
        except BridgeError as error:
            self._result = Calibration(result=f"{error}; the gate stays as it was", failed=True)
            _log.warning("calibration of %s: %s; the gate stays as it was", self._device, error)
        finally:
            with self._asking:
                if asked == self._asked:  # a later one goes on
                    self._measured_from_s = None
