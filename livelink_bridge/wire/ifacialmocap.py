"""iFacialMocap: a face as text in one UDP datagram, and the words that ask for it.

    mouthSmile_R-0|eyeBlink_L-7|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#rx,ry,rz|

Weights are whole numbers from 0 to 100, angles degrees about x, y and z, the head's position metres. Version 2 puts `&`
between a name and its number where version 1 has `-`. Shapes that come in pairs end in `_L` and `_R`; jawLeft,
jawRight, mouthLeft and mouthRight are no pairs and keep their names. Source: the protocol's own page,
https://www.ifacialmocap.com/for-developer/.

Signs are read off that page's example, where eyes that look in and down have x > 0 and, for the right eye, y > 0, for
the left y < 0: x is Live Link's pitch, y its yaw turned round, and so z its roll turned round. That the head follows
the eyes is assumed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, CHANNELS_61, SHAPE_COUNT
from livelink_bridge.errors import WireError

PORT = 49983
"""UDP, at both ends: where a phone is asked, and where on the asker's machine it answers."""
MAX_DATAGRAM = 8192
"""Bytes that the protocol's own example of a receiver reads."""
HANDSHAKE = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
HANDSHAKE_V2 = HANDSHAKE + b"|sendDataVersion=v2"
HANDSHAKE_TCP = b"iFacialMocap_UDPTCP"
"""What asks for, or with STOP behind it ends, the same text over TCP begins with."""

Version = Literal[1, 2]

_SEPARATORS: dict[Version, str] = {1: "-", 2: "&"}
_ALONE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


def short_name(name: str) -> str:
    """`mouthSmileLeft` -> `mouthSmile_L`; what has no counterpart on the other side stays as it is."""
    return name if name in _ALONE else re.sub("(Left|Right)$", lambda side: f"_{side[0][0]}", name)


NAMES: tuple[str, ...] = tuple(short_name(name) for name in ARKIT_52)
"""The 52 shapes in wire order of a Live Link packet, as this protocol spells them. A text may hold them in any
order."""

_BONES = ("head", "rightEye", "leftEye")
_ANGLES = np.array(
    [
        CHANNELS_61.index(f"{bone}{axis}")
        for bone in ("Head", "RightEye", "LeftEye")
        for axis in ("Pitch", "Yaw", "Roll")
    ]
)
"""Which channels the nine angles are, in the text's order."""
_DEGREES = np.tile(np.rad2deg([1.0, -1.0, -1.0]), 3)
_BONE_TEXT = "=head#%.4f,%.4f,%.4f,0,0,0|rightEye#%.4f,%.4f,%.4f|leftEye#%.4f,%.4f,%.4f|"

_STEPS = 101
_FIRST = np.arange(SHAPE_COUNT) * _STEPS
_CELLS = {
    version: np.array([f"{name}{separator}{step}|" for name in NAMES for step in range(_STEPS)], object)
    for version, separator in _SEPARATORS.items()
}
"""Every name with every number it can have: writing 52 of them anew takes three times as long as choosing and joining
them."""

_COLUMNS = {name: column for names in (NAMES, ARKIT_52) for column, name in enumerate(names)}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_BEYOND_SENSE = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One datagram's content."""

    version: Version
    values: NDArray[np.float32]
    """float32 (61,) in wire order of a Live Link packet: weights (1 is 100 on the wire), then angles in radians with
    Live Link's signs. 0 where the text says nothing."""
    position: tuple[float, float, float]
    """Where the head is, x, y, z, as sent: metres from the camera."""


def encode(values: NDArray[np.float32], version: Version = 1) -> bytes:
    """The text of a pose: every shape, both eyes and the head, its position 0, in less than 1024 bytes.

    `values` are floats (61,) in wire order of a Live Link packet; weights outside [0, 1] are sent as 0 or 100, angles
    as degrees less whole turns. Raises WireError for values not finite or not 61.
    """
    given = np.asarray(values, np.float64)
    if given.shape != (len(CHANNELS_61),):
        raise WireError(f"got values of shape {given.shape}, expected ({len(CHANNELS_61)},)", 0)
    finite = np.isfinite(given)
    if np.count_nonzero(finite) < len(given):
        bad = int(np.argmin(finite))
        raise WireError(f"value {bad} is {given[bad]}, expected a finite number", 0)
    steps = np.rint(np.minimum(np.maximum(given[:SHAPE_COUNT], 0.0), 1.0) * 100).astype(np.intp)
    angles = np.fmod(given[_ANGLES] * _DEGREES, 360.0)
    return ("".join(_CELLS[version].take(_FIRST + steps).tolist()) + _BONE_TEXT % tuple(angles.tolist())).encode(
        "ascii"
    )


def decode(datagram: bytes) -> Face:
    """The face in a datagram. Raises WireError, with the byte offset and the reason, on anything else; never another
    error.

    Shapes may come in any order, with full names (mouthSmileLeft) too; those with names of no shape are passed over, as
    other apps of this family add some. The text must know one shape at least and go on to `head#`, or it was cut.
    """
    text = _text(datagram)
    shapes, equals, bones = text.partition("=")
    if not equals:
        raise WireError("got no '=head#' after the shapes, the text was cut", len(text))
    version: Version = 2 if "&" in shapes else 1
    values = np.zeros(len(CHANNELS_61))
    values[:SHAPE_COUNT] = _read_shapes(shapes, _SEPARATORS[version])
    numbers = _read_bones(bones, len(shapes) + 1)
    values[_ANGLES] = np.concatenate([numbers[bone][:3] for bone in _BONES]) / _DEGREES
    x, y, z = numbers["head"][3:]
    return Face(version, values.astype(np.float32), (x, y, z))


def read_handshake(datagram: bytes) -> Version:
    """Which version a receiver asks for. Raises WireError for what is no handshake, or one for TCP."""
    asked = bytes(datagram[:MAX_DATAGRAM]).rstrip(b"\0\r\n ")
    if asked == HANDSHAKE_V2:
        return 2
    if asked == HANDSHAKE:
        return 1
    if asked.startswith(HANDSHAKE_TCP):
        raise WireError("got a handshake for TCP, which is not spoken here; expected the one for UDP", 0)
    raise WireError(f"got {asked[:40]!r}, expected an iFacialMocap handshake", 0)


def _text(datagram: bytes) -> str:
    if len(datagram) > MAX_DATAGRAM:
        raise WireError(f"got {len(datagram)} bytes, expected a text of at most {MAX_DATAGRAM}", MAX_DATAGRAM)
    try:
        return bytes(datagram).rstrip(b"\0\r\n ").decode("ascii")
    except UnicodeDecodeError as error:
        raise WireError(f"got byte {datagram[error.start]:#04x}, expected ASCII text", error.start) from None


def _read_shapes(text: str, separator: str) -> NDArray[np.float64]:
    weights = np.zeros(SHAPE_COUNT)
    known, at = 0, 0
    for part in text.split("|"):
        name, found, number = part.partition(separator)
        column = _COLUMNS.get(name)
        if found and column is not None:
            weights[column] = _number(number, at + len(name) + 1) / 100
            known += 1
        at += len(part) + 1
    if not known:
        raise WireError(f"got no shape that is known, expected such as jawOpen{separator}50", 0)
    return weights


def _read_bones(text: str, at: int) -> dict[str, list[float]]:
    """Head (6 numbers) and eyes (3 each); an eye that is not told looks ahead."""
    bones = {"head": [0.0] * 6, "rightEye": [0.0] * 3, "leftEye": [0.0] * 3}
    told = set()
    for part in text.split("|"):
        name, found, listed = part.partition("#")
        if found and name in bones:
            bones[name] = _numbers(name, listed, at + len(name) + 1, len(bones[name]))
            told.add(name)
        at += len(part) + 1
    if "head" not in told:
        raise WireError("got no head# after the shapes, the text was cut", at - 1)
    return bones


def _numbers(name: str, text: str, at: int, count: int) -> list[float]:
    parts = text.split(",")
    if len(parts) != count:
        raise WireError(f"{name} has {len(parts)} numbers, expected {count}", at)
    return [_number(part, at) for part in parts]


def _number(text: str, at: int) -> float:
    if _NUMBER.fullmatch(text) and abs(value := float(text)) <= _BEYOND_SENSE:
        return value
    raise WireError(f"got {text[:40]!r}, expected a number", at)
