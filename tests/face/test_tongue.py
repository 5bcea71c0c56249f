"""From the flag to the face: the tongue is out where it was asked for, and closed lips keep it in."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.liveliness import Liveliness
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.session import build
from livelink_bridge.settings.loading import load_settings
from speech_to_face.base import Coefficients, Samples

TONGUE, JAW = CHANNELS_61.index("TongueOut"), CHANNELS_61.index("JawOpen")


@pytest.mark.parametrize("liveliness", [None, Liveliness(3)], ids=["plain", "lively"])
def test_closed_lips_keep_it_in_whatever_else_the_face_does(liveliness: Liveliness | None) -> None:
    poses = np.zeros((60, 61), np.float32)
    poses[:, TONGUE], poses[30:, JAW] = 0.4, 0.3
    shown = Face(liveliness=liveliness).push(poses, np.full(60, -25, np.float32))
    assert not shown[:30, TONGUE].any()
    assert (shown[30:, TONGUE] == np.float32(0.4)).all()


def test_settings_ask_the_model_for_it() -> None:
    assert build.model_of(load_settings({"tongue": True, "device": "cpu"}, environ={})).channels[-1] == "tongueOut"
    assert len(build.model_of(load_settings({"device": "cpu"}, environ={})).channels) == 32


class Lisping:
    """A model, and its stream, that opens the jaw and has the tongue out in every frame of 1/60 s."""

    name, device, sample_rate, frame_rate, lookahead_s, channels = (
        "lisping",
        "cpu",
        16_000,
        60,
        1 / 60,
        ("jawOpen", "tongueOut"),
    )

    def animate(self, samples: Samples) -> Coefficients:
        return np.tile(np.float32([0.3, 0.4]), (len(samples) * 60 // 16_000, 1))

    def stream(self) -> Lisping:
        return self

    def reset(self) -> None: ...

    def push(self, samples: Samples) -> Coefficients:
        return self.animate(samples)

    def flush(self) -> Coefficients:
        return self.animate(np.zeros(0, np.float32))


def test_the_animator_puts_a_33rd_column_where_it_belongs() -> None:
    frames = Animator(Lisping(), Face()).push(AudioBlock(np.zeros((8000, 1), np.float32), 16_000, 0, 0.5))
    assert len(frames) == 30
    assert all(frame.weights[TONGUE] == np.float32(0.4) and frame.weights[JAW] == np.float32(0.3) for frame in frames)
