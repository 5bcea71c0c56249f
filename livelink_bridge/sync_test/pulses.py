"""Tone bursts and matching jaw pulses, like a clapperboard's sound and picture, and the measured offset between them.

Every two seconds a tone begins; the frame that opens the jaw is due with its first sample. Every fourth tone is an
octave higher and also raises the brows, so that an offset of whole periods is noticed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE, index_of
from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock, Weights
from livelink_bridge.core.readings import Recent
from livelink_bridge.timing.stamp import Stamp
from speech_to_face.base import Coefficients, Samples, Stream

PERIOD_S = 2
FIRST_S = 1
"""Start of the first tone: devices fade in. A whole second is on a tick at 24, 25, 30, 50 and 60 packets a second."""
TONE_S = 0.04
HIGH_EVERY = 4
TONE_HZ, HIGH_HZ = 1000, 2000
LEVEL = 0.4
"""Amplitude: 8 dB below full scale."""
OPEN_POSES = 3
"""Frames with an open jaw per tone: those 0, 17 and 33 ms after its first sample."""
CHANNELS = ("jawOpen", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")

_EDGE_S = 0.002
"""Fade at both ends of a tone: it avoids a broadband click, and the onset stays as clear."""
_RATE_HZ = 48000
_OPEN = 0.5
_REMEMBERED = 1800
"""Pulses in the statistics: those of the last hour."""
_JAW, _BROW = index_of("JawOpen"), index_of("BrowInnerUp")


def claps_in(seconds: float) -> int:
    """Number of pulses completed within `seconds`."""
    return max(0, int((seconds - FIRST_S - OPEN_POSES / FRAME_RATE) // PERIOD_S) + 1)


def tones(start: int, count: int, rate: int) -> Samples:
    """Synthesize the tones.

    Parameters
    ----------
    start : index of the first sample; before sample 0 there is silence
    count : number of samples
    rate : Hz

    Returns
    -------
    float32 (count,), in [-1, 1]
    """
    since = np.arange(start, start + count) - FIRST_S * rate
    number, at = np.divmod(since, PERIOD_S * rate)
    at_s = at / rate
    hz = np.where(number % HIGH_EVERY == HIGH_EVERY - 1, HIGH_HZ, TONE_HZ)
    to_edge_s = np.minimum(at_s, TONE_S - at_s)
    loudness = np.where(number >= 0, LEVEL * np.sin(np.pi / 2 * np.clip(to_edge_s / _EDGE_S, 0, 1)) ** 2, 0)
    return np.asarray(loudness * np.sin(2 * np.pi * hz * at_s), np.float32)


def pulses(start: int, count: int) -> Coefficients:
    """Frames `start` to `start + count` at 60 Hz: float32 (count, 4) in the order of CHANNELS, 0 or 1."""
    number, at = np.divmod(np.arange(start, start + count) - FIRST_S * FRAME_RATE, PERIOD_S * FRAME_RATE)
    opened = (number >= 0) & (at < OPEN_POSES)
    high = opened & (number % HIGH_EVERY == HIGH_EVERY - 1)
    return np.stack([opened, high, high, high], axis=1).astype(np.float32)


class ClapSource:
    """The tones as a source, synthesized on demand; see `Source`."""

    name = "claps"
    live = False
    overflows = 0
    dropped = 0
    trouble = None

    def __init__(
        self, *, clock: Clock, block_s: float, seconds: float | None = None, rate: int = _RATE_HZ, late_s: float = 0.0
    ) -> None:
        """
        Parameters
        ----------
        clock : for arrival times
        block_s : seconds per block
        seconds : duration; None: until closed
        rate : Hz
        late_s : delay of the tones, added to the duration
        """
        self.duration_s = None if seconds is None else seconds + late_s
        self.sample_rate = rate
        self._clock = clock
        self._block = max(1, round(block_s * rate))
        self._late = round(late_s * rate)
        self._closed = False

    def blocks(self) -> Iterator[AudioBlock]:
        """See `Source.blocks`. float32 (n,)."""
        end = None if self.duration_s is None else round(self.duration_s * self.sample_rate)
        for start in itertools.count(0, self._block):
            count = self._block if end is None else min(self._block, end - start)
            if self._closed or count <= 0:
                return
            yield AudioBlock(
                tones(start - self._late, count, self.sample_rate), self.sample_rate, start, self._clock.now()
            )

    def close(self) -> None:
        """End `blocks`. Harmless twice."""
        self._closed = True


class PulseModel:
    """A model that ignores the audio: it counts samples and opens the jaw when a tone begins."""

    name = "claps"
    device = "cpu"
    sample_rate = _RATE_HZ
    frame_rate = FRAME_RATE
    lookahead_s = 0.0
    channels = CHANNELS

    def animate(self, samples: Samples) -> Coefficients:
        """Frames of a whole recording, float32 (n,) at 48 kHz: float32 (frames, 4) in the order of CHANNELS."""
        return self.stream().push(samples)

    def stream(self) -> Stream:
        """Start a new stream."""
        return _Pulses()


class _Pulses:
    """Frame k is ready with the first sample of its time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._samples = self._frames = 0

    def push(self, samples: Samples) -> Coefficients:
        self._samples += len(samples)
        first, self._frames = self._frames, -(-self._samples * FRAME_RATE // _RATE_HZ)
        return pulses(first, self._frames - first)

    def flush(self) -> Coefficients:
        return pulses(self._frames, 0)


class SyncMeter:
    """The last sink: measures when the first frame of each pulse was sent and when its tone was audible."""

    name = "check:"
    closure: LipRule = "arkit"
    errors = 0

    def __init__(self, heard_zero_s: Callable[[], float | None], *, clock: Clock, late_s: float = 0.0) -> None:
        """
        Parameters
        ----------
        heard_zero_s : returns the clock time at which the loudspeakers played sample 0, seconds; None while muted
        clock : for the send times
        late_s : delay of the tones, as given to `ClapSource`
        """
        self.sent = 0
        self.claps = 0
        """Pulses sent."""
        self.high = False
        """Whether the last pulse raised the brows."""
        self._heard_zero_s = heard_zero_s
        self._clock = clock
        self._late_s = late_s
        self._open = False
        self._after_s = Recent(_REMEMBERED)

    @property
    def after_ms(self) -> NDArray[np.float64]:
        """float64 (n,), milliseconds: delay of each pulse's frame after its tone, negative when it was earlier."""
        return 1000 * self._after_s.values()

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Note the time when the jaw opens; see `Sink.send`."""
        self.sent += 1
        opened = bool(weights[_JAW] > _OPEN)
        if opened and not self._open:
            self._note(self._clock.now())
            self.high = bool(weights[_BROW] > _OPEN)
            self.claps += 1
        self._open = opened

    def close(self) -> None:
        """Does nothing."""

    def _note(self, now_s: float) -> None:
        zero_s = self._heard_zero_s()
        if zero_s is None:
            return
        since_s = now_s - zero_s - FIRST_S
        # By the time, not by counting: a stalled machine may skip a pulse.
        number = max(0, round(since_s / PERIOD_S))
        self._after_s.add(since_s - number * PERIOD_S - self._late_s)


def furthest(after_ms: NDArray[np.float64], asked_ms: float) -> float:
    """The offset that differs most from the requested one.

    Parameters
    ----------
    after_ms : float64 (n,), n > 0, milliseconds
    asked_ms : the requested offset, milliseconds
    """
    return float(after_ms[np.argmax(np.abs(after_ms - asked_ms))])
