"""A whole recording's poses, as fast as the machine goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FACE_CHANNELS, AudioBlock, FaceFrame, Weights
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.jitter_buffer import tail
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.model_thread import step

RECORDING_BLOCK_S = 10.0
"""Sound animated at a time: long enough for the network to run many steps at once, little memory all the same."""


def poses_of(blocks: Iterable[AudioBlock], animator: Animator, *, clock: Clock, metrics: Metrics) -> Iterator[Weights]:
    """float32 (k, 61) at a time, in wire order: the poses of each block, those that waited for sound, and a tail that
    ends neutral."""
    last: Weights = np.zeros(FACE_CHANNELS, np.float32)
    for frames in _animated(blocks, animator, clock, metrics):
        if frames:
            last = frames[-1].weights
            yield np.stack([frame.weights for frame in frames])
    yield tail(last)


def _animated(
    blocks: Iterable[AudioBlock], animator: Animator, clock: Clock, metrics: Metrics
) -> Iterator[list[FaceFrame]]:
    for block in blocks:
        yield step(animator, block, clock, metrics)
    yield animator.flush()
