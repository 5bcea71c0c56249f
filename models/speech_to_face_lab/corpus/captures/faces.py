"""Captured faces as training targets: neutral is zero, and only what a rig measures well is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import MOUTH_32
from speech_to_face_lab.corpus.captures import Capture

Curves = NDArray[np.float32]
"""float32 (frames, 32) at 60 Hz; NaN where nothing was measured."""

TRUSTED: dict[str, tuple[str, ...]] = {
    "mediapipe": (
        "jawOpen",
        "mouthClose",
        "mouthFunnel",
        "mouthPucker",
        "mouthLowerDownLeft",
        "mouthLowerDownRight",
        "mouthUpperUpLeft",
        "mouthUpperUpRight",
        "mouthRollLower",
        "mouthRollUpper",
        "mouthPressLeft",
        "mouthPressRight",
    ),
    "facegood": (
        "jawOpen",
        "mouthFunnel",
        "mouthPucker",
        "mouthLowerDownLeft",
        "mouthLowerDownRight",
        "mouthUpperUpLeft",
        "mouthUpperUpRight",
        "mouthRollLower",
        "mouthRollUpper",
        "mouthPressLeft",
        "mouthPressRight",
        "mouthSmileLeft",
        "mouthSmileRight",
    ),
}
"""Channels to train on, by rig; of a rig that is not listed, all that it carries. MediaPipe's other mouth channels
hardly move on speech (standard deviation below 0.01, or a tracker's drift), so rules fill them. It measures the opening
of the lips best, so all channels of the opening are kept."""
REST_QUANTILE = 0.05


@dataclass(frozen=True, slots=True)
class Faces:
    """Each rig's neutral face: (32,) by rig."""

    rest: dict[str, NDArray[np.float32]]

    @classmethod
    def of_all(cls, captures: list[Capture]) -> Faces:
        """The neutral face of each rig, over all of its captures."""
        frames: dict[str, list[Curves]] = {}
        for capture in captures:
            if capture.curves is not None:
                frames.setdefault(capture.rig, []).append(capture.curves)
        return cls(
            {
                rig: np.quantile(np.concatenate(rows), REST_QUANTILE, axis=0).astype(np.float32)
                for rig, rows in frames.items()
            }
        )

    def of(self, capture: Capture) -> Curves:
        """The capture's trusted channels above neutral, in [0, 1]; NaN in the others."""
        assert capture.curves is not None and capture.live is not None
        rest = self.rest.get(capture.rig, np.zeros(len(MOUTH_32), np.float32))
        above = np.clip((capture.curves - rest) / np.maximum(1 - rest, 1e-3), 0, 1)
        names = TRUSTED.get(capture.rig, MOUTH_32)
        kept = capture.live & np.isin(MOUTH_32, names)
        return np.where(kept, above, np.nan).astype(np.float32)


def followed(mouth: Curves, frames: int, rate: float) -> Curves:
    """`mouth` played `rate` times as fast, as `frames` frames."""
    at = np.clip(np.arange(frames) * rate, 0, len(mouth) - 1)
    low = at.astype(int)
    part = (at - low)[:, None].astype(np.float32)
    return np.asarray(mouth[low] * (1 - part) + mouth[np.minimum(low + 1, len(mouth) - 1)] * part, np.float32)
