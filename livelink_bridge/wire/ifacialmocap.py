"""iFacialMocap protocol: a face frame as text in one UDP datagram, and the handshake that requests it.

    mouthSmile_R-0|eyeBlink_L-7|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#rx,ry,rz|

Weights are integers from 0 to 100, angles degrees about x, y and z, the head's position metres. Version 2 puts `&`
between a name and its number where version 1 has `-`. Paired shapes end in `_L` and `_R`; jawLeft, jawRight, mouthLeft
and mouthRight are not pairs and keep their names. Source: the protocol's own page,
https://www.ifacialmocap.com/for-developer/ (docs/protocol.md, section 4.2).

The signs follow from that page's example, where eyes that look in and down have x > 0 and, for the right eye, y > 0,
for the left y < 0: x is Live Link's pitch, y its yaw negated, and therefore z its roll negated. The head is assumed to
use the same signs as the eyes.
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
"""UDP port at both ends: the phone receives requests on it and answers to it on the receiver's machine."""
MAX_DATAGRAM = 8192
"""Bytes that the protocol's example receiver reads."""
HANDSHAKE = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
HANDSHAKE_V2 = HANDSHAKE + b"|sendDataVersion=v2"
HANDSHAKE_TCP = b"iFacialMocap_UDPTCP"
"""Prefix of the request for the same text over TCP; followed by STOP it ends the stream."""

Version = Literal[1, 2]

_SEPARATORS: dict[Version, str] = {1: "-", 2: "&"}
_UNPAIRED = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


def short_name(name: str) -> str:
    """`mouthSmileLeft` -> `mouthSmile_L`; a shape without a counterpart on the other side keeps its name."""
    return name if name in _UNPAIRED else re.sub("(Left|Right)$", lambda side: f"_{side[0][0]}", name)


NAMES: tuple[str, ...] = tuple(short_name(name) for name in ARKIT_52)
"""The 52 shapes in wire order of a Live Link packet, in this protocol's spelling. A datagram may list them in any
order."""

_BONES = ("head", "rightEye", "leftEye")
_ANGLES = np.array(
    [
        CHANNELS_61.index(f"{bone}{axis}")
        for bone in ("Head", "RightEye", "LeftEye")
        for axis in ("Pitch", "Yaw", "Roll")
    ]
)
"""Wire indices of the nine angles, in the order of the text."""
_DEGREES = np.tile(np.rad2deg([1.0, -1.0, -1.0]), 3)
_BONE_TEXT = "=head#%.4f,%.4f,%.4f,0,0,0|rightEye#%.4f,%.4f,%.4f|leftEye#%.4f,%.4f,%.4f|"

_STEPS = 101
_FIRST = np.arange(SHAPE_COUNT) * _STEPS
_SHAPE_TEXTS = {
    version: np.array([f"{name}{separator}{step}|" for name in NAMES for step in range(_STEPS)], object)
    for version, separator in _SEPARATORS.items()
}
"""Every name with every number it can have: formatting 52 of them per frame takes three times as long as selecting and
joining these."""

_COLUMNS = {name: column for names in (NAMES, ARKIT_52) for column, name in enumerate(names)}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_MAX_NUMBER = 1e6
"""Larger numbers are rejected as malformed."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Content of one datagram."""

    version: Version
    """Protocol version, detected by the separator between name and number."""
    values: NDArray[np.float32]
    """float32 (61,) in wire order of a Live Link packet: weights (1 is 100 on the wire), then angles in radians with
    Live Link's signs. 0 for channels that the text does not contain."""
    position: tuple[float, float, float]
    """Head position x, y, z as sent: metres from the camera."""


def encode(values: NDArray[np.float32], version: Version = 1) -> bytes:
    """The datagram of one frame: every shape, both eyes and the head at position 0, in less than 1024 bytes.

    Parameters
    ----------
    values : floats (61,) in wire order of a Live Link packet: weights, clipped to [0, 1], then angles in radians, sent
        as degrees modulo 360
    version : protocol version that the receiver asked for

    Raises
    ------
    WireError : values that are not finite or not 61
    """
    floats = np.asarray(values, np.float64)
    if floats.shape != (len(CHANNELS_61),):
        raise WireError(f"got values of shape {floats.shape}, expected ({len(CHANNELS_61)},)", 0)
    finite = np.isfinite(floats)
    if np.count_nonzero(finite) < len(floats):
        bad = int(np.argmin(finite))
        raise WireError(f"value {bad} is {floats[bad]}, expected a finite number", 0)
    steps = np.rint(np.minimum(np.maximum(floats[:SHAPE_COUNT], 0.0), 1.0) * 100).astype(np.intp)
    angles = np.fmod(floats[_ANGLES] * _DEGREES, 360.0)
    shapes = "".join(_SHAPE_TEXTS[version].take(_FIRST + steps).tolist())
    return (shapes + _BONE_TEXT % tuple(angles.tolist())).encode("ascii")


def decode(datagram: bytes) -> Face:
    """Decode one datagram.

    Shapes may be in any order and have full names (mouthSmileLeft) too; unknown names are skipped, as other apps of
    this family add some. The text must contain at least one known shape and `head#`; otherwise it was truncated.

    Raises
    ------
    WireError : anything else, with the byte offset and the reason; no other exception is raised
    """
    text = _text(datagram)
    shapes, equals, bones = text.partition("=")
    if not equals:
        raise WireError("got no '=head#' after the shapes, the text was truncated", len(text))
    version: Version = 2 if "&" in shapes else 1
    values = np.zeros(len(CHANNELS_61))
    values[:SHAPE_COUNT] = _read_shapes(shapes, _SEPARATORS[version])
    numbers = _read_bones(bones, len(shapes) + 1)
    values[_ANGLES] = np.concatenate([numbers[bone][:3] for bone in _BONES]) / _DEGREES
    x, y, z = numbers["head"][3:]
    return Face(version, values.astype(np.float32), (x, y, z))


def read_handshake(datagram: bytes) -> Version:
    """The version that a receiver requests. Raises WireError unless it is a handshake for UDP."""
    request = bytes(datagram[:MAX_DATAGRAM]).rstrip(b"\0\r\n ")
    if request == HANDSHAKE_V2:
        return 2
    if request == HANDSHAKE:
        return 1
    if request.startswith(HANDSHAKE_TCP):
        raise WireError("got a handshake for TCP, which is not supported; expected the one for UDP", 0)
    raise WireError(f"got {request[:40]!r}, expected an iFacialMocap handshake", 0)


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
        raise WireError(f"got no known shape, expected such as jawOpen{separator}50", 0)
    return weights


def _read_bones(text: str, at: int) -> dict[str, list[float]]:
    """Head (6 numbers) and eyes (3 each); an eye that is missing looks straight ahead."""
    bones = {"head": [0.0] * 6, "rightEye": [0.0] * 3, "leftEye": [0.0] * 3}
    present = set()
    for part in text.split("|"):
        name, found, listed = part.partition("#")
        if found and name in bones:
            bones[name] = _numbers(name, listed, at + len(name) + 1, len(bones[name]))
            present.add(name)
        at += len(part) + 1
    if "head" not in present:
        raise WireError("got no head# after the shapes, the text was truncated", at - 1)
    return bones


def _numbers(name: str, text: str, at: int, count: int) -> list[float]:
    parts = text.split(",")
    if len(parts) != count:
        raise WireError(f"{name} has {len(parts)} numbers, expected {count}", at)
    return [_number(part, at) for part in parts]


def _number(text: str, at: int) -> float:
    if _NUMBER.fullmatch(text) and abs(value := float(text)) <= _MAX_NUMBER:
        return value
    raise WireError(f"got {text[:40]!r}, expected a number", at)
