"""Playout clock for audio that arrives in bursts: when each sample is played, and when the model gets it. No thread, no
clock of its own.

Audio may arrive faster than real time, or with delays. It is played at its own rate: sample n of a segment is played
n / rate after the segment begins. An underrun ends the segment; the next one begins later, once the prebuffer is full
again, and nothing is sped up to catch up. Sample indices follow the playback time, on one time axis for the whole
connection, so a pause appears as a jump in the indices.
"""

from __future__ import annotations

import math
from collections import deque

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.pcm import Sound
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.sources.utterance import NOTHING, Boundary, Position, Utterance, UtteranceEnd

PREBUFFER_S = 0.1
"""Prebuffer: seconds buffered before playback starts or resumes; more than the model's look-ahead of 67 ms and one late
message."""
_PREBUFFER_TIMEOUT_S = 0.2
"""Playback starts after this time even if the prebuffer is not full: a short word without an end mark must be spoken
too."""
_MARGIN_S = 0.025
"""Delay between a full prebuffer and its first sample: time for the model to compute the first frame."""
_AHEAD_S = 0.25
"""How long before playback the model gets the audio: the look-ahead, and reserve for a delayed model. A larger value
gives an echo more time for its transfer."""
_QUIET_S = 0.15
"""Pause after an interruption, in which the face closes, before the next utterance starts."""
BUFFER_S = 30.0
"""Largest duration of audio waiting to be played."""
_MAX_UTTERANCES = 64
"""Largest number of utterances waiting: they can be as short as one sample, and each has its own start delay."""
_ROUNDING = 1e-6


class PlayoutBuffer:
    """Queue of the utterances of one connection, and their playout clock. All times are clock times in seconds and must
    not decrease from call to call."""

    def __init__(self, *, prebuffer_s: float = PREBUFFER_S, buffer_s: float = BUFFER_S) -> None:
        """
        Parameters
        ----------
        prebuffer_s : seconds buffered before playback starts or resumes
        buffer_s : seconds of waiting audio from which on `full` is True
        """
        self.zero_s: float | None = None
        """Clock time of sample 0 and of frame 0; None before the first segment."""
        self.underruns = 0
        """Underruns in the middle of an utterance."""
        self._prebuffer_s = prebuffer_s
        self._buffer_s = buffer_s
        self._timeout_s = max(_PREBUFFER_TIMEOUT_S, prebuffer_s)
        self._queue: deque[Utterance] = deque()
        self._count = 0
        self._last = Position(0, 0.0, 0.0, 0)
        self._ended: deque[UtteranceEnd] = deque(maxlen=_MAX_UTTERANCES)
        self._earliest_s = -math.inf
        self._cut_s: float | None = None

    def push(self, sound: Sound, rate: int, now_s: float) -> None:
        """Append audio to the current utterance.

        Parameters
        ----------
        sound : float32 (n, channels), in [-1, 1]
        rate : Hz; a different rate begins another utterance
        now_s : current time
        """
        if not len(sound):
            return
        utterance = self._open(rate)
        if utterance.start is None and not utterance.waiting:
            utterance.since_s = now_s
        utterance.chunks.append(sound)
        utterance.empty = sound[:0]
        utterance.waiting += len(sound)

    @property
    def begun(self) -> bool:
        """Whether audio of an utterance was received, but not its end."""
        return bool(self._queue) and not self._queue[-1].ended

    def end(self) -> None:
        """End the current utterance; further audio belongs to the next. An utterance without audio ends at once."""
        if not self.begun:
            self._queue.append(self._new(rate=1))
        self._queue[-1].ended = True

    def interrupt(self, now_s: float) -> None:
        """Drop all audio that was not played."""
        self._settle(now_s)
        for one in self._queue or [self._new(rate=1)]:
            self._ended.append(UtteranceEnd(one.number, "interrupt", self._played(one, now_s) / one.rate))
            self._last = Position(one.number, self._ended[-1].played_s, 0.0, 0)
        self._queue.clear()
        self._cut_s = now_s
        self._earliest_s = now_s + _QUIET_S

    def take(self, now_s: float) -> AudioBlock | None:
        """The next block for the model: audio of at most one frame, or a Boundary; None when nothing is due."""
        if self._cut_s is not None:
            return self._cut(now_s)
        current = self._settle(now_s)
        if current is None or (current.start is None and not self._begin(current, now_s)):
            return None
        assert current.start is not None
        if not current.waiting:
            return self._bound(current, now_s) if current.ended and not current.bounded else None
        return self._deliver(current, now_s) if now_s >= self._due_s(current) else None

    def next_s(self, now_s: float) -> float | None:
        """When `take` may return a block, or an utterance ends; None: not before more audio arrives."""
        current = self._queue[0] if self._queue else None
        if self._cut_s is not None:
            return now_s
        if current is None or (current.start is None and not current.waiting and not current.ended):
            return None
        if current.start is None:
            return now_s if current.ended else current.since_s + self._timeout_s
        if current.ended and not current.waiting and not current.bounded:
            return now_s
        return self._due_s(current) if current.waiting else self._end_s(current)

    def position(self, now_s: float) -> Position:
        """The playback position at `now_s`, seconds of the clock."""
        current = self._settle(now_s)
        buffered_s = sum(
            (one.before + one.delivered + one.waiting - self._played(one, now_s)) / one.rate for one in self._queue
        )
        last = Position(current.number, self._played(current, now_s) / current.rate, 0.0, 0) if current else self._last
        return Position(last.utterance, last.played_s, buffered_s, self.underruns)

    def full(self, now_s: float) -> bool:
        """Whether the sender should wait before pushing more."""
        return self.position(now_s).buffered_s >= self._buffer_s or len(self._queue) >= _MAX_UTTERANCES

    def take_ended(self, now_s: float) -> list[UtteranceEnd]:
        """The utterances that ended since the last call."""
        self._settle(now_s)
        ended = list(self._ended)
        self._ended.clear()
        return ended

    def next_end_s(self, now_s: float) -> float | None:
        """When the current utterance ends; None while unknown, and when there is none."""
        current = self._settle(now_s)
        return self._end_s(current) if current is not None and current.start is not None and current.finished else None

    def silent(self, now_s: float) -> bool:
        """Whether all audio was played, and nothing is due before more arrives."""
        self._settle(now_s)
        return self.next_s(now_s) is None

    def idle(self, now_s: float) -> bool:
        """Whether it is silent and `take_ended` has returned every utterance."""
        return self.silent(now_s) and not self._ended

    def play_time_s(self, start: int, rate: int) -> float:
        """Clock time at which a sample is played. A segment must have begun.

        Parameters
        ----------
        start : index of the sample
        rate : Hz
        """
        assert self.zero_s is not None, "nothing was played yet"
        return self.zero_s + start / rate

    def _open(self, rate: int) -> Utterance:
        if self.begun:
            if self._queue[-1].rate == rate:
                return self._queue[-1]
            self._queue[-1].ended = True
        self._queue.append(self._new(rate))
        return self._queue[-1]

    def _new(self, rate: int) -> Utterance:
        self._count += 1
        return Utterance(self._count, rate)

    def _settle(self, now_s: float) -> Utterance | None:
        """Remove the utterances that have ended by now; returns the current one."""
        while self._queue:
            current = self._queue[0]
            played_out = current.start is None or now_s >= self._end_s(current)
            if current.finished and played_out:
                self._last = Position(current.number, (current.before + current.delivered) / current.rate, 0.0, 0)
                self._ended.append(UtteranceEnd(current.number, "end", self._last.played_s))
                self._queue.popleft()
                continue
            if current.start is not None and played_out and not current.waiting and not current.ended:
                self._underrun(current)
            return current
        return None

    def _underrun(self, one: Utterance) -> None:
        self.underruns += 1
        one.before += one.delivered
        one.delivered, one.start = 0, None

    def _begin(self, one: Utterance, now_s: float) -> bool:
        """Begin a segment if the prebuffer is full, at a whole frame of the 60 Hz time axis, so that its first frame is
        on the first tick."""
        full = one.waiting >= self._prebuffer_s * one.rate
        if not one.waiting or not (one.ended or full or now_s >= one.since_s + self._timeout_s):
            return False
        begin_s = max(now_s + _MARGIN_S, self._earliest_s)
        if self.zero_s is None:
            self.zero_s = begin_s
        frame = math.ceil((begin_s - self.zero_s) * FRAME_RATE - _ROUNDING)
        one.start = frame * one.rate // FRAME_RATE
        return True

    def _deliver(self, one: Utterance, now_s: float) -> AudioBlock:
        assert one.start is not None
        chunk = one.chunks.popleft()
        count = min(len(chunk), one.rate // FRAME_RATE)
        if count < len(chunk):
            one.chunks.appendleft(chunk[count:])
        block = AudioBlock(chunk[:count], one.rate, one.start + one.delivered, now_s)
        one.delivered += count
        one.waiting -= count
        return block

    def _bound(self, one: Utterance, now_s: float) -> Boundary:
        assert one.start is not None
        one.bounded = True
        return Boundary(one.empty, one.rate, one.start + one.delivered, now_s, cut=False)

    def _cut(self, now_s: float) -> AudioBlock | None:
        assert self._cut_s is not None
        at_s, self._cut_s = self._cut_s, None
        if self.zero_s is None:
            return None
        return Boundary(
            NOTHING, FRAME_RATE, max(0, math.floor((at_s - self.zero_s) * FRAME_RATE + _ROUNDING)), now_s, cut=True
        )

    def _played(self, one: Utterance, now_s: float) -> int:
        """Samples of an utterance that were played."""
        if one.start is None:
            return one.before
        elapsed = math.floor((now_s - self.play_time_s(one.start, one.rate)) * one.rate + _ROUNDING)
        return one.before + min(one.delivered, max(0, elapsed))

    def _due_s(self, one: Utterance) -> float:
        """When to deliver the next sample to the model."""
        return self._end_s(one) - _AHEAD_S

    def _end_s(self, one: Utterance) -> float:
        """When the last delivered sample has been played."""
        assert one.start is not None
        return self.play_time_s(one.start + one.delivered, one.rate)
