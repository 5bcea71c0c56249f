# Copy of arkit_mapping/channels.py, made by scripts/make_import_take.py: do not edit.
"""The names of the face's channels, in each of the orders in use. Map by name, never by position.

Live Link packets, Live Link Face takes and the networks order the same names differently. Beware of two pairs: takes
put right before left for the jaw and for the sideways mouth, packets put left before right.
"""

from __future__ import annotations

from difflib import get_close_matches

FRAME_RATE = 60
"""Frames per second of every face: the rate of the networks, of curves and of written takes."""

SHAPE_COUNT = 52
"""Number of blendshape weights among the 61, in [0, 1]. The other nine are head and eye angles in radians, the app's
unit."""

CHANNELS_61: tuple[str, ...] = (
    *(
        "EyeBlinkLeft",
        "EyeLookDownLeft",
        "EyeLookInLeft",
        "EyeLookOutLeft",
        "EyeLookUpLeft",
        "EyeSquintLeft",
        "EyeWideLeft",
    ),
    *(
        "EyeBlinkRight",
        "EyeLookDownRight",
        "EyeLookInRight",
        "EyeLookOutRight",
        "EyeLookUpRight",
        "EyeSquintRight",
        "EyeWideRight",
    ),
    *("JawForward", "JawLeft", "JawRight", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthLeft", "MouthRight"),
    *("MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft", "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight"),
    *(
        "MouthStretchLeft",
        "MouthStretchRight",
        "MouthRollLower",
        "MouthRollUpper",
        "MouthShrugLower",
        "MouthShrugUpper",
    ),
    *(
        "MouthPressLeft",
        "MouthPressRight",
        "MouthLowerDownLeft",
        "MouthLowerDownRight",
        "MouthUpperUpLeft",
        "MouthUpperUpRight",
    ),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
    *("HeadYaw", "HeadPitch", "HeadRoll"),
    *("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
)
"""Wire order: the order of the floats in a Live Link packet and of every frame in this project. PascalCase, as in
Unreal."""


def camel(name: str) -> str:
    """`JawOpen` -> `jawOpen`: ARKit's own spelling."""
    return name[:1].lower() + name[1:]


def pascal(name: str) -> str:
    """`jawOpen` -> `JawOpen`: Unreal's spelling."""
    return name[:1].upper() + name[1:]


ARKIT_52: tuple[str, ...] = tuple(camel(name) for name in CHANNELS_61[:SHAPE_COUNT])
"""The blend shapes in wire order, camelCase, as in ARKit."""

MOUTH_32: tuple[str, ...] = (
    *ARKIT_52[CHANNELS_61.index("JawForward") : CHANNELS_61.index("MouthUpperUpRight") + 1],
    *ARKIT_52[CHANNELS_61.index("CheekPuff") : CHANNELS_61.index("NoseSneerRight") + 1],
)
"""Channels that a speech network predicts, in its order: 4 jaw, 23 mouth, 3 cheek, 2 nose; camelCase. TongueOut is not
included."""

_RIGHT_FIRST = {"JawLeft": "JawRight", "JawRight": "JawLeft", "MouthLeft": "MouthRight", "MouthRight": "MouthLeft"}

TAKE_COLUMNS: tuple[str, ...] = tuple(_RIGHT_FIRST.get(name, name) for name in CHANNELS_61)
"""The 61 channels in the column order of a Live Link Face take, after its Timecode and BlendShapeCount. Not the order
of a packet."""


def index_of(name: str) -> int:
    """Wire index of a channel, its first letter in either case. Raises KeyError, with the nearest name, for an unknown
    one."""
    try:
        return _POSITION[pascal(name)]
    except KeyError:
        raise KeyError(f"unknown channel {name!r}{nearest(name, CHANNELS_61)}") from None


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`, did you mean X?` for the most similar known name, ignoring case; empty when none is similar."""
    lower = {candidate.lower(): candidate for candidate in known}
    matches = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f", did you mean {lower[matches[0]]}?" if matches else ""


_POSITION = {name: position for position, name in enumerate(CHANNELS_61)}
