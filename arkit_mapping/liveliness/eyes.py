"""Converts gaze and blinks to channels: the eye shapes, the eyes' angles, and lids that follow the gaze."""

from __future__ import annotations

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.liveliness.track import Curve

RAD_PER_LOOK = 0.6
"""Radians of an EyeLook shape at 1: slopes of 0.51-0.73 between angle and shape in the app's own takes."""
LID_DOWN, LID_UP = 0.35, 0.3
"""EyeBlink per EyeLookDown and EyeWide per EyeLookUp. Human lids follow the eye nearly degree by degree (Becker & Fuchs
1988); the EyeLook shapes contain most of that, so these are small; set by eye."""
SQUINT = 0.18
"""EyeSquint of a closed lid: the lower lid moves a little, mostly sideways (Doane 1980); set by eye."""

SHAPES = slice(CHANNELS_61.index("EyeBlinkLeft"), CHANNELS_61.index("EyeWideRight") + 1)
ANGLES = slice(CHANNELS_61.index("LeftEyeYaw"), CHANNELS_61.index("RightEyeRoll") + 1)

_BLINK, _SQUINT, _WIDE = 0, 5, 6
"""Indices among one eye's seven shapes: blink, look down, in, out and up, squint, wide."""


LOOK = 14 + 6
"""Columns of a look: the eye shapes in wire order, with lids that follow the gaze, then both eyes' yaw, pitch and
roll."""


def look(yaw: float, pitch: float) -> list[float]:
    """The LOOK values of a gaze with open lids; radians, yaw to the face's own right and pitch down.

    The angles have the app's signs: in its takes LeftEyeYaw rises with EyeLookInLeft, RightEyeYaw with EyeLookOutRight,
    and pitch with EyeLookDown. Plain numbers, as a saccade has four frames and arrays would be slower.
    """
    right, left = min(max(yaw / RAD_PER_LOOK, 0.0), 1.0), min(max(-yaw / RAD_PER_LOOK, 0.0), 1.0)
    down, up = min(max(pitch / RAD_PER_LOOK, 0.0), 1.0), min(max(-pitch / RAD_PER_LOOK, 0.0), 1.0)
    blink, wide = LID_DOWN * down, LID_UP * up
    left_eye = [blink, down, right, left, up, 0.0, wide]
    right_eye = [blink, down, left, right, up, 0.0, wide]
    return [*left_eye, *right_eye, yaw, pitch, 0.0, yaw, pitch, 0.0]


def close(shapes: Curve, closure: Curve) -> None:
    """Close the lids, in place.

    Parameters
    ----------
    shapes
        float32 (frames, 14), as from `look`; changed.
    closure
        float32 (frames, 2), left and right, in [0, 1].
    """
    shapes[:, _BLINK::7] += closure * (1 - shapes[:, _BLINK::7])
    shapes[:, _WIDE::7] *= 1 - closure
    shapes[:, _SQUINT::7] += SQUINT * closure
