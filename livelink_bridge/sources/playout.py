"""The audio clock of sound that comes as it likes: what is played when, and when the model gets it. No thread, no clock
of its own.

Sound comes in bursts faster than it is spoken, or in drops. It is played at its own rate all the same: sample n of a
stretch is played n / rate after the stretch begins. Where the sound runs dry the stretch is over, and the next begins
when there is enough again, at a later
time: nothing is hurried to make up for it. Samples are numbered by the time at which they are played, on one grid for
the whole connection, so a pause shows as a jump in the numbers.
"""

from __future__ import annotations

import math
from collections import deque

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.pcm import Sound
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.sources.utterance import NOTHING, Boundary, Done, Position, Utterance

ENOUGH_S = 0.1
"""Sound that has to be there before a stretch begins: more than the model's look-ahead of 67 ms and one late
message."""
_PATIENCE_S = 0.2
"""Less sound than that begins all the same after so long: a short word without an end is still to be said."""
_MARGIN_S = 0.025
"""From enough sound to its first sample: time for the model to make the first pose."""
_AHEAD_S = 0.25
"""How long before it is played sound is handed to the model: the look-ahead, and room for a model that is held up. The
more it is, the more an echo can wait on its way."""
_QUIET_S = 0.15
"""After an interruption the face closes for so long before somebody speaks again."""
BUFFER_S = 30.0
"""Sound that may wait to be played."""
_MOST_UTTERANCES = 64
"""And utterances: they can be as short as a sample, and each takes its time to begin."""
_ROUNDING = 1e-6


class PacedAudio:
    """The queue of utterances of one connection and the clock they are played by. All times are clock times, seconds,
    and never go back."""

    def __init__(self, *, enough_s: float = ENOUGH_S, buffer_s: float = BUFFER_S) -> None:
        self.zero_s: float | None = None
        """Clock time of sample 0 and of pose 0; None before the first stretch."""
        self.underruns = 0
        self._enough_s = enough_s
        self._buffer_s = buffer_s
        self._patience_s = max(_PATIENCE_S, enough_s)
        self._queue: deque[Utterance] = deque()
        self._count = 0
        self._last = Position(0, 0.0, 0.0, 0)
        self._over: deque[Done] = deque(maxlen=_MOST_UTTERANCES)
        self._earliest_s = -math.inf
        self._cut_s: float | None = None

    def push(self, sound: Sound, rate: int, now_s: float) -> None:
        """More of the utterance, float32 (n, channels); another rate, Hz, begins another utterance."""
        if not len(sound):
            return
        open_one = self._open(rate)
        if open_one.start is None and not open_one.waiting:
            open_one.since_s = now_s
        open_one.chunks.append(sound)
        open_one.nothing = sound[:0]
        open_one.waiting += len(sound)

    @property
    def begun(self) -> bool:
        """Whether sound of an utterance has come and its end has not."""
        return bool(self._queue) and not self._queue[-1].ended

    def end(self) -> None:
        """The utterance is complete; what follows is another. Without sound it is over at once."""
        if not self.begun:
            self._queue.append(self._another(rate=1))
        self._queue[-1].ended = True

    def interrupt(self, now_s: float) -> None:
        """Drop everything that was not played."""
        self._settle(now_s)
        for one in self._queue or [self._another(rate=1)]:
            self._over.append(Done(one.number, "interrupt", self._played(one, now_s) / one.rate))
            self._last = Position(one.number, self._over[-1].played_s, 0.0, 0)
        self._queue.clear()
        self._cut_s = now_s
        self._earliest_s = now_s + _QUIET_S

    def take(self, now_s: float) -> AudioBlock | None:
        """What the model is to have now: at most a pose's worth of sound, or a Boundary; None when nothing is due."""
        if self._cut_s is not None:
            return self._cut(now_s)
        front = self._settle(now_s)
        if front is None or (front.start is None and not self._begin(front, now_s)):
            return None
        assert front.start is not None
        if not front.waiting:
            return self._bound(front, now_s) if front.ended and not front.bounded else None
        return self._hand_over(front, now_s) if now_s >= self._due_s(front) else None

    def next_s(self, now_s: float) -> float | None:
        """When `take` may have something, or an utterance is over; None: not before more comes."""
        front = self._queue[0] if self._queue else None
        if self._cut_s is not None:
            return now_s
        if front is None or (front.start is None and not front.waiting and not front.ended):
            return None
        if front.start is None:
            return now_s if front.ended else front.since_s + self._patience_s
        if front.ended and not front.waiting and not front.bounded:
            return now_s
        return self._due_s(front) if front.waiting else self._end_s(front)

    def position(self, now_s: float) -> Position:
        front = self._settle(now_s)
        buffered_s = sum(
            (one.before + one.handed + one.waiting - self._played(one, now_s)) / one.rate for one in self._queue
        )
        where = Position(front.number, self._played(front, now_s) / front.rate, 0.0, 0) if front else self._last
        return Position(where.utterance, where.played_s, buffered_s, self.underruns)

    def full(self, now_s: float) -> bool:
        """Whether no more should come for now."""
        return self.position(now_s).buffered_s >= self._buffer_s or len(self._queue) >= _MOST_UTTERANCES

    def take_over(self, now_s: float) -> list[Done]:
        """The utterances that are over since this was last asked."""
        self._settle(now_s)
        over = list(self._over)
        self._over.clear()
        return over

    def over_s(self, now_s: float) -> float | None:
        """When the utterance in front will be over; None while that is not known, and where there is none."""
        front = self._settle(now_s)
        return self._end_s(front) if front is not None and front.start is not None and front.finished else None

    def silent(self, now_s: float) -> bool:
        """Whether everything that came was played, and nothing is due before more comes."""
        self._settle(now_s)
        return self.next_s(now_s) is None

    def idle(self, now_s: float) -> bool:
        """Silent, and `take_over` has told of everything."""
        return self.silent(now_s) and not self._over

    def heard_at_s(self, start: int, rate: int) -> float:
        """Clock time at which sample `start` is played. Needs a stretch to have begun."""
        assert self.zero_s is not None, "nothing was played yet"
        return self.zero_s + start / rate

    def _open(self, rate: int) -> Utterance:
        if self.begun:
            if self._queue[-1].rate == rate:
                return self._queue[-1]
            self._queue[-1].ended = True
        self._queue.append(self._another(rate))
        return self._queue[-1]

    def _another(self, rate: int) -> Utterance:
        self._count += 1
        return Utterance(self._count, rate)

    def _settle(self, now_s: float) -> Utterance | None:
        """Close what is over by now; the utterance that is in front then."""
        while self._queue:
            front = self._queue[0]
            heard_out = front.start is None or now_s >= self._end_s(front)
            if front.finished and heard_out:
                self._last = Position(front.number, (front.before + front.handed) / front.rate, 0.0, 0)
                self._over.append(Done(front.number, "end", self._last.played_s))
                self._queue.popleft()
                continue
            if front.start is not None and heard_out and not front.waiting and not front.ended:
                self._run_dry(front)
            return front
        return None

    def _run_dry(self, one: Utterance) -> None:
        self.underruns += 1
        one.before += one.handed
        one.handed, one.start = 0, None

    def _begin(self, one: Utterance, now_s: float) -> bool:
        """Let a stretch begin if there is enough of it, on the 60 Hz grid, so that its first pose is the first
        tick's."""
        enough = one.waiting >= self._enough_s * one.rate
        if not one.waiting or not (one.ended or enough or now_s >= one.since_s + self._patience_s):
            return False
        begin_s = max(now_s + _MARGIN_S, self._earliest_s)
        if self.zero_s is None:
            self.zero_s = begin_s
        pose = math.ceil((begin_s - self.zero_s) * FRAME_RATE - _ROUNDING)
        one.start = pose * one.rate // FRAME_RATE
        return True

    def _hand_over(self, one: Utterance, now_s: float) -> AudioBlock:
        assert one.start is not None
        chunk = one.chunks.popleft()
        count = min(len(chunk), one.rate // FRAME_RATE)
        if count < len(chunk):
            one.chunks.appendleft(chunk[count:])
        block = AudioBlock(chunk[:count], one.rate, one.start + one.handed, now_s)
        one.handed += count
        one.waiting -= count
        return block

    def _bound(self, one: Utterance, now_s: float) -> Boundary:
        assert one.start is not None
        one.bounded = True
        return Boundary(one.nothing, one.rate, one.start + one.handed, now_s, cut=False)

    def _cut(self, now_s: float) -> AudioBlock | None:
        assert self._cut_s is not None
        at_s, self._cut_s = self._cut_s, None
        if self.zero_s is None:
            return None
        return Boundary(
            NOTHING, FRAME_RATE, max(0, math.floor((at_s - self.zero_s) * FRAME_RATE + _ROUNDING)), now_s, cut=True
        )

    def _played(self, one: Utterance, now_s: float) -> int:
        """Samples of an utterance that were heard."""
        if one.start is None:
            return one.before
        heard = math.floor((now_s - self.heard_at_s(one.start, one.rate)) * one.rate + _ROUNDING)
        return one.before + min(one.handed, max(0, heard))

    def _due_s(self, one: Utterance) -> float:
        """When the next sample is to be handed over."""
        return self._end_s(one) - _AHEAD_S

    def _end_s(self, one: Utterance) -> float:
        """When the last sample that was handed over has been heard."""
        assert one.start is not None
        return self.heard_at_s(one.start + one.handed, one.rate)
