"""Tone bursts and jaw pulses that belong together, as a clapperboard's sound and sight do, and what this program knows
of their distance.

Every two seconds a tone begins, and with its first sample the pose that opens the jaw is due. Every fourth tone is an
octave higher and raises the brows too, so that a distance of whole periods is noticed.
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
"""When the first tone begins: devices fade in. A whole second begins on a tick at 24, 25, 30, 50 and 60 packets a
second."""
TONE_S = 0.04
HIGH_EVERY = 4
TONE_HZ, HIGH_HZ = 1000, 2000
LEVEL = 0.4
"""Amplitude: 8 dB below full scale."""
OPEN_POSES = 3
"""Those whose time falls into the tone: 0, 17 and 33 ms after its first sample."""
CHANNELS = ("jawOpen", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")

_EDGE_S = 0.002
"""Of either end of a tone: without it a click of all frequencies is heard, and its beginning is as clear with it."""
_RATE_HZ = 48000
_OPEN = 0.5
_REMEMBERED = 1800
"""Claps of the last hour."""
_JAW, _BROW = index_of("JawOpen"), index_of("BrowInnerUp")


def claps_in(seconds: float) -> int:
    """How many claps are over within so many seconds."""
    return max(0, int((seconds - FIRST_S - OPEN_POSES / FRAME_RATE) // PERIOD_S) + 1)


def tones(start: int, count: int, rate: int) -> Samples:
    """Samples `start` to `start + count` of the sound at `rate` Hz: float32 (count,). Before sample 0 there is
    silence."""
    since = np.arange(start, start + count) - FIRST_S * rate
    number, at = np.divmod(since, PERIOD_S * rate)
    at_s = at / rate
    hz = np.where(number % HIGH_EVERY == HIGH_EVERY - 1, HIGH_HZ, TONE_HZ)
    to_edge_s = np.minimum(at_s, TONE_S - at_s)
    loudness = np.where(number >= 0, LEVEL * np.sin(np.pi / 2 * np.clip(to_edge_s / _EDGE_S, 0, 1)) ** 2, 0)
    return np.asarray(loudness * np.sin(2 * np.pi * hz * at_s), np.float32)


def pulses(start: int, count: int) -> Coefficients:
    """Poses `start` to `start + count`: float32 (count, 4) in the order of CHANNELS, 0 or 1."""
    number, at = np.divmod(np.arange(start, start + count) - FIRST_S * FRAME_RATE, PERIOD_S * FRAME_RATE)
    opened = (number >= 0) & (at < OPEN_POSES)
    high = opened & (number % HIGH_EVERY == HIGH_EVERY - 1)
    return np.stack([opened, high, high, high], axis=1).astype(np.float32)


class ClapSource:
    """The tones as a source, made as they are asked for."""

    name = "claps"
    live = False
    overflows = 0
    dropped = 0
    trouble = None

    def __init__(
        self, *, clock: Clock, block_s: float, seconds: float | None = None, rate: int = _RATE_HZ, late_s: float = 0.0
    ) -> None:
        """For `seconds`, or until it is closed; everything is `late_s` later, and the whole as much longer."""
        self.duration_s = None if seconds is None else seconds + late_s
        self.sample_rate = rate
        self._clock = clock
        self._block = max(1, round(block_s * rate))
        self._late = round(late_s * rate)
        self._closed = False

    def blocks(self) -> Iterator[AudioBlock]:
        end = None if self.duration_s is None else round(self.duration_s * self.sample_rate)
        for start in itertools.count(0, self._block):
            count = self._block if end is None else min(self._block, end - start)
            if self._closed or count <= 0:
                return
            yield AudioBlock(
                tones(start - self._late, count, self.sample_rate), self.sample_rate, start, self._clock.now()
            )

    def close(self) -> None:
        self._closed = True


class PulseModel:
    """A model that does not listen: it counts samples, and the poses of the moments at which tones begin open the
    jaw."""

    name = "claps"
    device = "cpu"
    sample_rate = _RATE_HZ
    frame_rate = FRAME_RATE
    lookahead_s = 0.0
    channels = CHANNELS

    def animate(self, samples: Samples) -> Coefficients:
        return self.stream().push(samples)

    def stream(self) -> Stream:
        return _Pulses()


class _Pulses:
    """Pose k is ready with the first sample of its time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._heard = self._given = 0

    def push(self, samples: Samples) -> Coefficients:
        self._heard += len(samples)
        first, self._given = self._given, -(-self._heard * FRAME_RATE // _RATE_HZ)
        return pulses(first, self._given - first)

    def flush(self) -> Coefficients:
        return pulses(self._given, 0)


class SyncMeter:
    """A sink behind all others: it notes when each clap's first pose had been sent, and when its tone was heard.

    `heard_zero_s` is a speaker's `zero_s`: the clock time at which it says that its sample 0 was heard, None while it
    is mute.
    """

    name = "check:"
    closure: LipRule = "arkit"
    errors = 0

    def __init__(self, heard_zero_s: Callable[[], float | None], *, clock: Clock, late_s: float = 0.0) -> None:
        """`late_s` is what the speaker's source was given."""
        self.sent = 0
        self.claps = 0
        """Times the jaw went open."""
        self.high = False
        """Whether the last clap raised the brows."""
        self._heard_zero_s = heard_zero_s
        self._clock = clock
        self._late_s = late_s
        self._open = False
        self._after_s = Recent(_REMEMBERED)

    @property
    def after_ms(self) -> NDArray[np.float64]:
        """float64 (n,), ms: how much later than its tone was heard each clap's pose was sent, negative for earlier."""
        return 1000 * self._after_s.values()

    def send(self, weights: Weights, stamp: Stamp) -> None:
        self.sent += 1
        opened = bool(weights[_JAW] > _OPEN)
        if opened and not self._open:
            self._note(self._clock.now())
            self.high = bool(weights[_BROW] > _OPEN)
            self.claps += 1
        self._open = opened

    def close(self) -> None:
        """Nothing to free."""

    def _note(self, now_s: float) -> None:
        zero_s = self._heard_zero_s()
        if zero_s is None:
            return
        since_s = now_s - zero_s - FIRST_S
        # By the time, not by counting: a machine that stalls may leave a clap out.
        number = max(0, round(since_s / PERIOD_S))
        self._after_s.add(since_s - number * PERIOD_S - self._late_s)


def furthest(after_ms: NDArray[np.float64], asked_ms: float) -> float:
    """Of float64 (n,), n > 0, the one that is furthest from what was asked for."""
    return float(after_ms[np.argmax(np.abs(after_ms - asked_ms))])
