"""Sound that a program hands over, as fast or as slowly as it likes, played by its own clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.pcm import PcmFormat, PcmReader, Sound
from livelink_bridge.audio.resample import prepare
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.sources.playout import BUFFER_S, ENOUGH_S, PacedAudio
from livelink_bridge.sources.utterance import Boundary, Done, Position

_POLL_S = 0.005
"""How long new sound, or an interruption, may wait while the next block is."""
_FIRST_RATE_HZ = 48_000
"""What the source says its rate is before it has heard any sound."""
_ECHO_BLOCKS = 64
"""About a second of sound that waits to be sent back; a client that reads no faster loses the oldest."""


class PcmSource:
    """A `PacedAudio` between threads: any thread pushes, the model's thread reads `blocks`.

    It is its own `Timing`: pose k is due when second k / 60 since the first sample is played. Blocks are handed over up
    to 0.25 s before they are played. An utterance's end and an interruption come as a `Boundary`, a block without
    samples.
    """

    live = True
    duration_s = None
    overflows = 0
    dropped = 0
    trouble = None

    def __init__(
        self, name: str, *, clock: Clock, enough_s: float = ENOUGH_S, buffer_s: float = BUFFER_S, echo: bool = False
    ) -> None:
        """`enough_s` of sound has to be there before a stretch of it begins, `buffer_s` may wait; `echo` keeps what is
        played."""
        self.on_news: Callable[[], None] = lambda: None
        """Called on the thread that reads `blocks`, when there is an echo to send back and when the model has an
        utterance's last sound."""
        self.name = name
        self.sample_rate = _FIRST_RATE_HZ
        self.buffer_s = buffer_s
        """Seconds of sound that may wait to be played."""
        self._clock = clock
        self._audio = PacedAudio(enough_s=enough_s, buffer_s=buffer_s)
        self._reader: PcmReader | None = None
        self._dropped_bytes = 0
        self._interruptions = 0
        self._echo: Channel[AudioBlock] | None = Channel(_ECHO_BLOCKS, "newest") if echo else None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._complete = False

    @property
    def zero_s(self) -> float | None:
        """Clock time at which pose 0 is due; None before the first sound."""
        return self._audio.zero_s

    def heard_s(self, index: int) -> float | None:
        """Clock time at which the sound of pose `index` is played."""
        zero_s = self._audio.zero_s
        return None if zero_s is None else zero_s + index / FRAME_RATE

    @property
    def interruptions(self) -> int:
        """Times that `interrupt` was called."""
        return self._interruptions

    def push(self, sound: Sound, rate: int, *, unless_after: int | None = None) -> bool:
        """More sound, float32 (n, channels), at `rate` Hz. Look at `full` first: what is pushed is kept.

        `unless_after`: what `interruptions` was when this sound was begun; if it was interrupted since, nothing is
        kept. False then.
        """
        prepare(rate)
        with self._changed:
            if unless_after not in (None, self._interruptions):
                return False
            self.sample_rate = rate
            self._audio.push(sound, rate, self._clock.now())
            self._changed.notify_all()
            return True

    def push_bytes(self, data: bytes, layout: PcmFormat) -> None:
        """More sound as bytes, in chunks that end anywhere; see `samples_of`."""
        with self._changed:
            self.push(self.samples_of(data, layout), layout.rate)

    def samples_of(self, data: bytes, layout: PcmFormat, *, unless_after: int | None = None) -> Sound:
        """The samples of the next bytes, float32 (n, channels): one that is not complete waits for the rest of it.

        `unless_after` as for `push`: no sample then, and none begins.
        """
        with self._changed:
            if self._reader is None or self._reader.format != layout:
                self._reader = PcmReader(layout)
            return self._reader.read(data if unless_after in (None, self._interruptions) else b"")

    def forget_begun_sample(self) -> None:
        """The next bytes begin a sample, whatever came before them."""
        with self._changed:
            if self._reader is not None:
                self._reader.drop()

    def end(self, *, only_begun: bool = False) -> None:
        """The utterance is complete; a sample that is not is dropped and counted. `only_begun`: nothing happens where
        none has begun."""
        with self._changed:
            self._end_bytes()
            if not only_begun or self._audio.begun:
                self._audio.end()
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Drop everything that was not played, and close the face."""
        with self._changed:
            self._interruptions += 1
            self.forget_begun_sample()
            self._audio.interrupt(self._clock.now())
            if self._echo is not None:
                self._echo.take_while(lambda _block: True)
            self._changed.notify_all()

    def finish(self) -> None:
        """No more comes: `blocks` ends when all was handed over."""
        with self._changed:
            self._end_bytes()
            self._audio.end()
            self._complete = True
            self._changed.notify_all()

    def full(self) -> bool:
        """Whether whoever pushes should wait."""
        with self._changed:
            return self._audio.full(self._clock.now())

    def position(self) -> Position:
        """What is played now."""
        with self._changed:
            return replace(self._audio.position(self._clock.now()), dropped_bytes=self._dropped_bytes)

    def take_over(self) -> list[Done]:
        """The utterances that are over since this was last asked."""
        with self._changed:
            return self._audio.take_over(self._clock.now())

    def over_s(self) -> float | None:
        """Clock time at which `take_over` has the next utterance to tell of, as far as it is known."""
        with self._changed:
            return self._audio.over_s(self._clock.now())

    def idle(self) -> bool:
        """Whether nothing happens before more comes, and `take_over` has told of everything."""
        with self._changed:
            return self._audio.idle(self._clock.now())

    def heard_out(self) -> bool:
        """Whether nothing more comes and everything was played, or the source was closed."""
        with self._changed:
            return self._closed.is_set() or (self._complete and self._audio.silent(self._clock.now()))

    def echoed(self) -> list[tuple[AudioBlock, float]]:
        """What was handed over since this was last asked, and in how many seconds each block is played."""
        if self._echo is None:
            return []
        with self._changed:
            now_s = self._clock.now()
            blocks = self._echo.take_while(lambda _block: True)
            return [(block, self._audio.heard_at_s(block.start, block.sample_rate) - now_s) for block in blocks]

    def blocks(self) -> Iterator[AudioBlock]:
        """Sound when the model is to have it, until the source is closed or finished."""
        while not self._closed.is_set():
            with self._changed:
                block = self._audio.take(self._clock.now())
                if block is not None and self._echo is not None and len(block.samples):
                    self._echo.put(block)
            if block is not None:
                if self._echo is not None or isinstance(block, Boundary):
                    self.on_news()
                yield block
            elif not self._wait():
                return

    def close(self) -> None:
        with self._changed:
            self._closed.set()
            self._changed.notify_all()

    def _end_bytes(self) -> None:
        """Count what is left of a sample that never became complete."""
        if self._reader is not None:
            self._dropped_bytes += self._reader.drop()

    def _wait(self) -> bool:
        """Until something may be due. False where nothing more comes."""
        with self._changed:
            now_s = self._clock.now()
            next_s = self._audio.next_s(now_s)
            if next_s is None:
                if self._complete or self._closed.is_set():
                    return False
                self._changed.wait()
                return True  # to look again: what came may have been the last, all at once
        return self._clock.wait_until(min(next_s, now_s + _POLL_S), self._closed)
