"""Sound, networks, clocks and wires that misbehave on purpose."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator

import numpy as np

from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.testing.stand_ins import ListSource, LoudnessModel, ManualClock
from speech_to_face.base import Coefficients, Samples


def voice(seconds: float, rate: int = 16000) -> Samples:
    """Syllables: a tone that comes and goes twice a second."""
    at_s = np.arange(round(seconds * rate)) / rate
    return (0.2 * np.sin(2 * np.pi * 200 * at_s) * (np.sin(2 * np.pi * 2 * at_s) > 0)).astype(np.float32)


class PacedSource(ListSource):
    """A source whose blocks arrive when their last sample has been spoken, by the machine's clock."""

    def blocks(self) -> Iterator[AudioBlock]:
        from livelink_bridge.core.clock import MonotonicClock

        clock, stop = MonotonicClock(), threading.Event()
        opened_s = clock.now()
        for block in super().blocks():
            clock.wait_until(opened_s + block.end / block.sample_rate, stop)
            yield AudioBlock(block.samples, block.sample_rate, block.start, clock.now())


class Ruined(LoudnessModel):
    """The loudness model, its frames passed through `ruin(frames, pushes so far)`, which may raise."""

    def __init__(self, ruin: Callable[[Coefficients, int], Coefficients]) -> None:
        self._ruin = ruin

    def stream(self):  # type: ignore[no-untyped-def]
        return _RuinedStream(super().stream(), self._ruin)


class _RuinedStream:
    def __init__(self, whole, ruin) -> None:  # type: ignore[no-untyped-def]
        self._whole, self._ruin, self._pushes = whole, ruin, 0

    def push(self, samples: Samples) -> Coefficients:
        self._pushes += 1
        return self._ruin(self._whole.push(samples), self._pushes)

    def flush(self) -> Coefficients:
        return self._whole.flush()

    def reset(self) -> None:
        self._whole.reset()


class JumpingClock(ManualClock):
    """Stands `jump_s` later after its `at`-th wait; its time of day jumps by `of_day_s` then."""

    def __init__(self, at: int, jump_s: float = 0.0, of_day_s: float = 0.0) -> None:
        super().__init__(100.0, time_of_day_s=43200.0)
        self._waits, self._at, self._jump_s, self._of_day_s = 0, at, jump_s, of_day_s

    def wait_until(self, deadline_s: float, stop: threading.Event) -> bool:
        self._waits += 1
        if self._waits == self._at:
            self.advance(self._jump_s)
        return super().wait_until(deadline_s, stop)

    def time_of_day(self) -> float:
        return super().time_of_day() + (self._of_day_s if self._waits >= self._at else 0.0)


class Relay:
    """Passes UDP datagrams on, but drops a share of them and swaps a share of the rest with the one behind."""

    def __init__(self, to_port: int, dropped: float, swapped: float, seed: int = 1) -> None:
        self._rng, self._dropped, self._swapped = random.Random(seed), dropped, swapped
        self._in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._in.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._in.bind(("127.0.0.1", 0))
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._to = ("127.0.0.1", to_port)
        self.port: int = self._in.getsockname()[1]
        self.lost = self.swaps = 0
        self._held: bytes | None = None

    def pass_on(self, count: int) -> None:
        """Take `count` datagrams from the one side and give what is left of them to the other."""
        self._in.settimeout(5.0)
        for _ in range(count):
            self._take(self._in.recv(4096))
        if self._held is not None:
            self._out.sendto(self._held, self._to)

    def _take(self, datagram: bytes) -> None:
        if self._rng.random() < self._dropped:
            self.lost += 1
        elif self._held is None and self._rng.random() < self._swapped:
            self._held = datagram
            self.swaps += 1
        else:
            self._out.sendto(datagram, self._to)
            if self._held is not None:
                self._out.sendto(self._held, self._to)
                self._held = None

    def close(self) -> None:
        self._in.close()
        self._out.close()
