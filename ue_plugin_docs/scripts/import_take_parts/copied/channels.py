# Copy of arkit_mapping/channels.py, made by scripts/make_import_take.py: do not edit.
"""The names of the face's channels, in each of the orders the field uses. Map by name, never by position.

Live Link packets, Live Link Face takes and the networks each order the same names differently. Two pairs are the trap:
takes put right before left for the jaw and for the sideways mouth, packets put left before right.
"""

from __future__ import annotations

from difflib import get_close_matches

FRAME_RATE = 60
"""Frames per second of every face: the rate of the networks, of curves and of takes that are written."""

SHAPE_COUNT = 52
"""How many of the 61 are blend shapes, weights in [0, 1]. The other nine are head and eye angles in radians, the app's
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
"""Wire order: the order of the floats in a Live Link packet and of every pose in this project. PascalCase, as Unreal
names them."""


def camel(name: str) -> str:
    """`JawOpen` -> `jawOpen`: ARKit's own spelling."""
    return name[:1].lower() + name[1:]


def pascal(name: str) -> str:
    """`jawOpen` -> `JawOpen`: Unreal's spelling."""
    return name[:1].upper() + name[1:]


ARKIT_52: tuple[str, ...] = tuple(camel(name) for name in CHANNELS_61[:SHAPE_COUNT])
"""The blend shapes in wire order, camelCase."""

MOUTH_32: tuple[str, ...] = (
    *ARKIT_52[CHANNELS_61.index("JawForward") : CHANNELS_61.index("MouthUpperUpRight") + 1],
    *ARKIT_52[CHANNELS_61.index("CheekPuff") : CHANNELS_61.index("NoseSneerRight") + 1],
)
"""What a speech network predicts, in its order: 4 jaw, 23 mouth, 3 cheek, 2 nose; camelCase. The tongue is not among
them."""

_RIGHT_FIRST = {"JawLeft": "JawRight", "JawRight": "JawLeft", "MouthLeft": "MouthRight", "MouthRight": "MouthLeft"}

TAKE_COLUMNS: tuple[str, ...] = tuple(_RIGHT_FIRST.get(name, name) for name in CHANNELS_61)
"""The 61 channels in the column order of a Live Link Face take, after its Timecode and BlendShapeCount. Never a
packet's order."""


def index_of(name: str) -> int:
    """Position of a channel in wire order, its first letter in either case. KeyError with the nearest name for an
    unknown one."""
    try:
        return _POSITION[pascal(name)]
    except KeyError:
        raise KeyError(f"unknown channel {name!r}{nearest(name, CHANNELS_61)}") from None


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`, did you mean X?` for the known name most like this one, or nothing when none is like it. Letter case is
    ignored."""
    lower = {candidate.lower(): candidate for candidate in known}
    matches = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f", did you mean {lower[matches[0]]}?" if matches else ""


_POSITION = {name: position for position, name in enumerate(CHANNELS_61)}
