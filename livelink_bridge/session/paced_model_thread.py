"""The model thread's body for audio that arrives before it is played: utterances and interruptions."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, fade
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.model_thread import step
from livelink_bridge.sources.utterance import Boundary
from livelink_bridge.timing.arrival_clock import Timing

CLOSING_FRAMES = 6
"""Frames in which an interrupted face closes: 100 ms, so that it is neutral within 150 ms in all."""
_REMEMBERED = 64
"""Frames remembered besides those that may wait to be shown."""


def animate_paced(
    blocks: Iterable[AudioBlock],
    animator: Animator,
    poses: Channel[FaceFrame],
    timing: Timing,
    *,
    clock: Clock,
    metrics: Metrics,
) -> None:
    """Follow a source that plays its audio itself, frame 0 at `timing.zero_s`, until it ends.

    Audio that does not continue the audio before starts a fresh network. A Boundary flushes the frames that still
    waited for audio, as if silence followed; one that is cut drops the frames that were not shown and closes the face.
    """
    recent: deque[FaceFrame] = deque(maxlen=_REMEMBERED + poses.capacity)
    expected: int | None = None
    for block in blocks:
        if isinstance(block, Boundary):
            frames = _interrupted(recent, poses, timing, clock) if block.cut else animator.flush()
            expected = None
        else:
            if block.start != expected:
                animator.reset()
            expected = block.end
            frames = step(animator, block, clock, metrics)
        for frame in frames:
            recent.append(frame)
            poses.put(frame)


def closing(recent: Iterable[FaceFrame], index: int) -> list[FaceFrame]:
    """The frames after `index` that close the face shown at `index`, the last one neutral. `recent` is in order of
    index."""
    shown = [frame for frame in recent if frame.index <= index]
    if not shown:
        return []
    face = shown[-1].weights * fade(index - shown[-1].index)
    # The second half of `fade` is the way down; it is taken in fewer steps here.
    ages = [HOLD_FRAMES + round(DECAY_FRAMES * step / CLOSING_FRAMES) for step in range(1, CLOSING_FRAMES + 1)]
    return [FaceFrame(face * fade(age), index + number) for number, age in enumerate(ages, 1)]


def _interrupted(recent: deque[FaceFrame], poses: Channel[FaceFrame], timing: Timing, clock: Clock) -> list[FaceFrame]:
    poses.take_while(lambda _frame: True)
    assert timing.zero_s is not None, "interrupted before the first sound"
    frames = closing(recent, math.floor((clock.now() - timing.zero_s) * FRAME_RATE))
    recent.clear()
    return frames
