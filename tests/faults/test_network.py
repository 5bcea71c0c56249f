"""A network that raises, or gives nonsense."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from faulty import PacedSource, Ruined, voice

from arkit_mapping.channels import CHANNELS_61
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import NEUTRAL_FRAMES
from livelink_bridge.session.modes.follow import follow
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.testing.stand_ins import CollectSink, ListSource

pytestmark = pytest.mark.usefixtures("shared_clock")

JAW = CHANNELS_61.index("JawOpen")


@pytest.mark.parametrize(
    ("nonsense", "fewest", "most"), [(np.nan, 15, 21), (np.inf, 15, 21), (-np.inf, 15, 21), (1e30, 0, 0), (-5.0, 0, 0)]
)
def test_nonsense_out_of_the_network_spoils_one_channel_at_most_and_what_is_not_finite_is_counted(
    nonsense: float, fewest: int, most: int
) -> None:
    def ruin(frames: np.ndarray, pushes: int) -> np.ndarray:
        if 20 <= pushes < 40:
            frames[:, pushes % frames.shape[1]] = nonsense
        return frames

    animator = Animator(Ruined(ruin), Face(liveliness=None))
    blocks = ListSource.of_samples(voice(1.0), 16000, 267).blocks()
    poses = np.array([frame.weights for block in blocks for frame in animator.push(block)])
    assert np.isfinite(poses).all() and poses.min() >= -1 and poses.max() <= 1
    assert fewest <= animator.bad_poses <= most
    assert poses[:, JAW].max() > 0.4, "it speaks before and after"


def test_a_network_that_raises_in_the_middle_of_a_word_ends_neutral_and_is_named() -> None:
    def ruin(frames: np.ndarray, pushes: int) -> np.ndarray:
        if pushes == 120:
            raise RuntimeError("the driver fell over")
        return frames

    sink = CollectSink()
    blocks = list(ListSource.of_samples(voice(2.0), 16000, 160).blocks())
    with pytest.raises(RuntimeError, match="the driver fell over") as caught:
        follow(
            PacedSource(blocks, live=True),
            Ruined(ruin),
            Face(),
            Outputs((), "Talker"),
            [sink],
            clock=MonotonicClock(),
            stop=threading.Event(),
        )
    assert ["in stage 'model 1'"] == caught.value.__notes__
    assert sink.sent > NEUTRAL_FRAMES and not sink.weights[-NEUTRAL_FRAMES:].any()


def test_a_network_that_gives_nothing_for_a_while_costs_poses_and_not_the_grid() -> None:
    """What it gives afterwards still belongs to the sound it was made from."""
    held: list[np.ndarray] = []

    def late(frames: np.ndarray, pushes: int) -> np.ndarray:
        held.append(frames)
        if pushes % 10:
            return frames[:0]
        given = np.concatenate(held)
        held.clear()
        return given

    animator = Animator(Ruined(late), Face(liveliness=None))
    sound = voice(1.0)
    frames = [
        f
        for start in range(0, 16000, 160)
        for f in animator.push(AudioBlock(sound[start : start + 160], 16000, start, 0.0))
    ]
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert len(frames) >= 48
