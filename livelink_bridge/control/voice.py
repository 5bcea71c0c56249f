"""One performer's voice and face as remote control directs them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from speech_to_face.base import Samples

from arkit_mapping.moods import Mood
from livelink_bridge.calibration import ROOM_S, VOICE_S, calibrate, save
from livelink_bridge.errors import BridgeError
from livelink_bridge.gate import Thresholds

_log = logging.getLogger(__name__)


class Wearer(Protocol):
    """A face; both may be called from any thread."""

    def feel(self, mood: Mood) -> None: ...

    def rest(self, on: bool) -> None:
        """Ease to neutral and stay there, or go on."""
        ...


class Front(Protocol):
    """What stands between a microphone and the network; all of it may be called from any thread."""

    def set_gain(self, gain_db: float) -> None: ...

    def use(self, thresholds: Thresholds) -> None:
        """The gate opens and closes at these levels from now on; they are of the sound before the gain."""
        ...

    def measure(self, seconds: float, done: Callable[[Samples, int], None]) -> None:
        """Hand the next seconds of sound as it comes in, float32 (n,) in [-1, 1], and its rate in Hz to `done`, which must not wait."""
        ...


class DirectedVoice:
    """A voice with its face; `front` is None where the sound comes from no microphone."""

    def __init__(self, face: Wearer, front: Front | None = None, device: str = "", *,
                 remember: Callable[[str, Thresholds], None] = save) -> None:  # fmt: skip
        """`device` is the microphone's name, under which its levels are remembered."""
        self._face, self._front, self._device, self._remember = face, front, device, remember
        self._measuring = threading.Lock()

    def feel(self, mood: Mood) -> None:
        self._face.feel(mood)

    def neutral(self, on: bool) -> None:
        self._face.rest(on)

    def set_gain(self, gain_db: float) -> None:
        self._microphone().set_gain(gain_db)

    def calibrate(self) -> None:
        """Listen for four seconds; what comes of it is in the log. Raises BridgeError where that is going on already."""
        front = self._microphone()
        if not self._measuring.acquire(blocking=False):
            raise BridgeError(f"{self._device} is being calibrated already; wait until that is done")
        _log.info("calibrating %s: %g s of room, then %g s of voice", self._device, ROOM_S, VOICE_S)
        front.measure(ROOM_S + VOICE_S, lambda samples, rate: self._measured(front, samples, rate))

    def _microphone(self) -> Front:
        if self._front is None:
            raise BridgeError("this voice comes from no microphone, expected one: start with --mic")
        return self._front

    def _measured(self, front: Front, samples: Samples, rate: int) -> None:
        """Off the thread that animates: sorting four seconds and writing a file take longer than a pose."""
        threading.Thread(target=self._settle, args=(front, samples, rate), name="calibration", daemon=True).start()

    def _settle(self, front: Front, samples: Samples, rate: int) -> None:
        try:
            room = round(ROOM_S * rate)
            thresholds = calibrate(samples[:room], samples[room:], rate)
            front.use(thresholds)
            self._remember(self._device, thresholds)
            _log.info("calibrated %s: opens at %g dBFS, closes at %g dBFS", self._device, thresholds.open_dbfs, thresholds.close_dbfs)
        except BridgeError as error:
            _log.warning("calibration of %s: %s; the gate stays as it was", self._device, error)
        finally:
            self._measuring.release()
