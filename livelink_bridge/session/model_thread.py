"""The model thread's body: audio blocks in, face frames out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.errors import SourceError
from livelink_bridge.face.animator import Animator
from livelink_bridge.reporting.metrics import Metrics, level_dbfs
from livelink_bridge.timing.arrival_clock import ArrivalClock
from speech_to_face.base import SpeechToFace

_WARM_UP_S = 0.5


def warm_up(model: SpeechToFace) -> None:
    """Run silence through the model, so that nothing is slow for the first time during speech."""
    stream = model.stream()
    hop = model.sample_rate // model.frame_rate
    for _ in range(round(_WARM_UP_S * model.frame_rate)):
        stream.push(np.zeros(hop, np.float32))


def animate_live(
    blocks: Iterable[AudioBlock],
    animator: Animator,
    poses: Channel[FaceFrame],
    timing: ArrivalClock,
    *,
    clock: Clock,
    metrics: Metrics,
) -> None:
    """Follow a live source until it ends, and let `timing` learn when its frames are ready."""
    gaps = 0
    for block in blocks:
        if animator.gaps != gaps:
            gaps = animator.gaps
            timing.restart()
        timing.heard(block)
        frames = step(animator, block, clock, metrics)
        ready_s = clock.now()
        for frame in frames:
            timing.ready(frame.index, ready_s)
            poses.put(frame)


def animate_ahead(
    blocks: Iterable[AudioBlock], animator: Animator, poses: Channel[FaceFrame], *, clock: Clock, metrics: Metrics
) -> None:
    """Animate a whole recording, as far ahead as the channel holds, and close the channel at its end."""
    for block in blocks:
        for frame in step(animator, block, clock, metrics):
            poses.put(frame)
        if poses.closed:
            return
    for frame in animator.flush():
        poses.put(frame)
    poses.close()


def stop_at_error(blocks: Iterable[AudioBlock], broken: list[SourceError]) -> Iterator[AudioBlock]:
    """The blocks that can be read; an error that ends them is put into `broken` instead of raised.

    A file is read ahead of what is played: what could be read is still played after the damage is found.
    """
    try:
        yield from blocks
    except SourceError as error:
        broken.append(error)


def step(animator: Animator, block: AudioBlock, clock: Clock, metrics: Metrics) -> list[FaceFrame]:
    """Push one block, and measure how long it takes per frame."""
    if not animator.metered:
        metrics.level_dbfs = level_dbfs(block.samples)
    metrics.sound_s += len(block.samples) / block.sample_rate
    metrics.heard_at_s = begun_s = clock.now()
    frames = animator.push(block)
    if frames:
        now_s = clock.now()
        metrics.steps_s.add((now_s - begun_s) / len(frames), now_s)
    return frames
