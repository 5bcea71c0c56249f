"""Source for PCM that a program pushes at any pace; the playout clock plays it in real time."""

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
from livelink_bridge.sources.playout import BUFFER_S, PREBUFFER_S, PlayoutBuffer
from livelink_bridge.sources.utterance import Boundary, Position, UtteranceEnd

_POLL_S = 0.005
"""Longest delay of new audio, or of an interruption, while waiting for the next block."""
_FIRST_RATE_HZ = 48_000
"""Sample rate reported before any audio was received."""
_ECHO_BLOCKS = 64
"""About one second of audio that waits to be sent back; a client that reads too slowly loses the oldest."""


class PcmSource:
    """A `PlayoutBuffer` between threads: any thread pushes audio, the model's thread reads `blocks`.

    It is its own `Timing`: frame k is due when the audio at k / 60 s since the first sample is played. Blocks are
    delivered up to 0.25 s before they are played. The end of an utterance and an interruption are delivered as a
    `Boundary`, a block without samples.
    """

    live = True
    duration_s = None
    overflows = 0
    dropped = 0
    trouble = None

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        prebuffer_s: float = PREBUFFER_S,
        buffer_s: float = BUFFER_S,
        echo: bool = False,
    ) -> None:
        """
        Parameters
        ----------
        name : for messages
        clock : playout clock
        prebuffer_s : seconds buffered before playback starts or resumes
        buffer_s : seconds of audio that may wait to be played
        echo : store the delivered audio for `take_echo`
        """
        self.on_progress: Callable[[], None] = lambda: None
        """Called on the thread that reads `blocks`, when there is an echo to send back and when the model has the last
        audio of an utterance."""
        self.name = name
        self.sample_rate = _FIRST_RATE_HZ
        self.buffer_s = buffer_s
        """Seconds of audio that may wait to be played."""
        self._clock = clock
        self._audio = PlayoutBuffer(prebuffer_s=prebuffer_s, buffer_s=buffer_s)
        self._reader: PcmReader | None = None
        self._dropped_bytes = 0
        self._interruptions = 0
        self._echo: Channel[AudioBlock] | None = Channel(_ECHO_BLOCKS, "newest") if echo else None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._complete = False

    @property
    def zero_s(self) -> float | None:
        """Clock time at which frame 0 is due; None before the first audio."""
        return self._audio.zero_s

    def heard_s(self, index: int) -> float | None:
        """Clock time at which the audio of frame `index` is played; None before the first audio."""
        zero_s = self._audio.zero_s
        return None if zero_s is None else zero_s + index / FRAME_RATE

    @property
    def interruptions(self) -> int:
        """Number of `interrupt` calls."""
        return self._interruptions

    def push(self, sound: Sound, rate: int, *, expected_interruptions: int | None = None) -> bool:
        """Append audio. Check `full` first: pushed audio is always accepted.

        Parameters
        ----------
        sound : float32 (n, channels), in [-1, 1]
        rate : Hz
        expected_interruptions : value of `interruptions` when this audio began; if it was interrupted since, the audio
            is dropped

        Returns
        -------
        False when the audio was dropped
        """
        prepare(rate)
        with self._changed:
            if expected_interruptions not in (None, self._interruptions):
                return False
            self.sample_rate = rate
            self._audio.push(sound, rate, self._clock.now())
            self._changed.notify_all()
            return True

    def push_bytes(self, data: bytes, layout: PcmFormat) -> None:
        """Append audio as bytes, in chunks of any length; see `samples_of`.

        Parameters
        ----------
        data : PCM bytes
        layout : sample format, rate and audio channels
        """
        with self._changed:
            self.push(self.samples_of(data, layout), layout.rate)

    def samples_of(self, data: bytes, layout: PcmFormat, *, expected_interruptions: int | None = None) -> Sound:
        """Decode the next bytes; an incomplete sample waits for its remaining bytes.

        Parameters
        ----------
        data : PCM bytes
        layout : sample format, rate and audio channels
        expected_interruptions : as for `push`; after an interruption the bytes are dropped

        Returns
        -------
        float32 (n, channels), in [-1, 1]
        """
        with self._changed:
            if self._reader is None or self._reader.format != layout:
                self._reader = PcmReader(layout)
            return self._reader.read(data if expected_interruptions in (None, self._interruptions) else b"")

    def drop_partial_sample(self) -> None:
        """Drop the bytes of an incomplete sample; the next bytes begin a new one."""
        with self._changed:
            if self._reader is not None:
                self._reader.drop()

    def end(self, *, only_if_begun: bool = False) -> None:
        """End the utterance; an incomplete sample is dropped and counted. `only_if_begun`: do nothing when no utterance
        has begun."""
        with self._changed:
            self._end_bytes()
            if not only_if_begun or self._audio.begun:
                self._audio.end()
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Drop all audio that was not played, and let the face decay to neutral."""
        with self._changed:
            self._interruptions += 1
            self.drop_partial_sample()
            self._audio.interrupt(self._clock.now())
            if self._echo is not None:
                self._echo.take_while(lambda _block: True)
            self._changed.notify_all()

    def finish(self) -> None:
        """End the input: `blocks` ends when everything was delivered."""
        with self._changed:
            self._end_bytes()
            self._audio.end()
            self._complete = True
            self._changed.notify_all()

    def full(self) -> bool:
        """Whether the pushing thread should wait."""
        with self._changed:
            return self._audio.full(self._clock.now())

    def position(self) -> Position:
        """The current playback position."""
        with self._changed:
            return replace(self._audio.position(self._clock.now()), dropped_bytes=self._dropped_bytes)

    def take_ended(self) -> list[UtteranceEnd]:
        """The utterances that ended since the last call."""
        with self._changed:
            return self._audio.take_ended(self._clock.now())

    def next_end_s(self) -> float | None:
        """Clock time at which the current utterance ends; None while unknown."""
        with self._changed:
            return self._audio.next_end_s(self._clock.now())

    def idle(self) -> bool:
        """Whether nothing is due before more audio arrives, and `take_ended` has returned every utterance."""
        with self._changed:
            return self._audio.idle(self._clock.now())

    def played_out(self) -> bool:
        """Whether the input has ended and all audio was played, or the source was closed."""
        with self._changed:
            return self._closed.is_set() or (self._complete and self._audio.silent(self._clock.now()))

    def take_echo(self) -> list[tuple[AudioBlock, float]]:
        """The blocks delivered since the last call, each with the seconds until it is played."""
        if self._echo is None:
            return []
        with self._changed:
            now_s = self._clock.now()
            blocks = self._echo.take_while(lambda _block: True)
            return [(block, self._audio.play_time_s(block.start, block.sample_rate) - now_s) for block in blocks]

    def blocks(self) -> Iterator[AudioBlock]:
        """Blocks for the model when they are due, until the source is closed or finished. float32 (n, channels)."""
        while not self._closed.is_set():
            with self._changed:
                block = self._audio.take(self._clock.now())
                if block is not None and self._echo is not None and len(block.samples):
                    self._echo.put(block)
            if block is not None:
                if self._echo is not None or isinstance(block, Boundary):
                    self.on_progress()
                yield block
            elif not self._wait():
                return

    def close(self) -> None:
        """End `blocks` at once. Harmless twice."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()

    def _end_bytes(self) -> None:
        """Drop and count the bytes of an incomplete sample."""
        if self._reader is not None:
            self._dropped_bytes += self._reader.drop()

    def _wait(self) -> bool:
        """Wait until something may be due. False when the input has ended."""
        with self._changed:
            now_s = self._clock.now()
            next_s = self._audio.next_s(now_s)
            if next_s is None:
                if self._complete or self._closed.is_set():
                    return False
                self._changed.wait()
                return True  # check again: the last audio and the end may have arrived together
        return self._clock.wait_until(min(next_s, now_s + _POLL_S), self._closed)
