"""One voice and its face, live."""

from __future__ import annotations

import threading

import numpy as np

from livelink_bridge.face.face import Face
from livelink_bridge.session.live import LiveSession
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.testing.stand_ins import CollectSink, ListSource, LoudnessModel, ManualClock
from speech_to_face.base import Coefficients, Samples, Stream


class InBlocks(LoudnessModel):
    """Gives its frames a second's worth at a time, as a network that works in blocks of 60."""

    lookahead_s = 1.0 + LoudnessModel.lookahead_s

    def stream(self) -> Stream:
        stream = super().stream()
        push, held = stream.push, list[Coefficients]()

        def in_blocks(samples: Samples) -> Coefficients:
            held.append(push(samples))
            waiting = np.concatenate(held)
            given = len(waiting) // 60 * 60
            held[:] = [waiting[given:]]
            return waiting[:given]

        stream.push = in_blocks  # type: ignore[method-assign]
        return stream


def test_a_model_that_gives_a_second_of_poses_at_once_loses_none() -> None:
    source = ListSource.of_samples(np.zeros(16000 * 3 // 2, np.float32), 16000, 160)
    performance = LiveSession(
        source, InBlocks(), Face(), Outputs((), "Ada"), [CollectSink()], clock=ManualClock(), stop=threading.Event()
    )
    performance.animate()
    assert performance.reporter.status().losses.dropped == 0
