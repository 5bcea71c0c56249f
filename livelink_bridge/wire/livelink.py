"""Encoder and decoder of the Live Link Face packet, version 6, which the phone app sends and Unreal's ARKit source
reads (docs/protocol.md, section 1). One datagram is one frame.

Big-endian, no padding, no checksum. nD and nS are lengths in bytes of UTF-8, without a terminator:

    offset          bytes  field
    0               1      version, 6
    1               4      nD, int32
    5               nD     device id: Unreal keeps one subject per id
    5 + nD          4      nS, int32
    9 + nD          nS     subject name
    9 + nD + nS     4      frame number, int32, counted at the rate below
    13 + nD + nS    4      sub-frame, float32 in [0, 1)
    17 + nD + nS    4      frame rate's numerator, int32
    21 + nD + nS    4      frame rate's denominator, int32
    25 + nD + nS    1      count, 61; absent when the sender sees no face ("header-only")
    26 + nD + nS    244    61 x float32 in wire order (`arkit_mapping.CHANNELS_61`)

`encode` and `Encoder` refuse packets that Unreal would drop, and values that it would pass to the rig unchecked.
`decode` accepts what Unreal accepts, with one exception: it refuses text that is not UTF-8.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import SHAPE_COUNT
from livelink_bridge.errors import WireError

VERSION = 6
COUNT = 61
MAX_DATAGRAM = 1286
"""Bytes of Unreal's receive buffer: 262, and 512 for each string. A longer datagram is skipped or truncated."""

_VALUES_BYTES = 4 * COUNT
_INT32 = struct.Struct(">i")
_INSTANT = struct.Struct(">if")
_RATE = struct.Struct(">ii")
_TIME = struct.Struct(">ifii")
_FIXED_BYTES = 1 + 2 * _INT32.size + _TIME.size + 1 + _VALUES_BYTES
MAX_TEXT = MAX_DATAGRAM - _FIXED_BYTES
"""Bytes that device id and subject name may have together in UTF-8: 1016."""

_WIRE_FLOAT = np.dtype(">f4")
_FLOAT32 = np.dtype(np.float32)
_SHAPE = (COUNT,)
_SWAP = sys.byteorder == "little"
_ALL = b"\1" * COUNT
_LIMIT = np.finfo(np.float32).max
_LOWEST = np.array([0] * SHAPE_COUNT + [-_LIMIT] * (COUNT - SHAPE_COUNT), np.float32)
_HIGHEST = np.array([1] * SHAPE_COUNT + [_LIMIT] * (COUNT - SHAPE_COUNT), np.float32)
"""Clamping limits of each channel: weights to [0, 1], angles unlimited."""
_MAX_BITS = np.array([np.float32(1).view(np.uint32)] * SHAPE_COUNT + [0xFFFFFFFF] * (COUNT - SHAPE_COUNT), np.uint32)
"""Largest allowed bit pattern of each channel; angles allow any, as they are checked separately."""
_COUNT_BYTE = bytes([COUNT])
_WHOLE, _REAL, _RATIONAL = (int, np.integer), (float, int, np.floating), (Fraction, int)
_INT32_MAX = 2**31 - 1
_BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
"""0.99999994, the largest float32 below 1: a sub-frame just under 1 must not round up to the next frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """Content of one datagram."""

    device_id: str
    """Identifies the sender. 36 ASCII characters, a UUID in capitals, is what every known receiver takes; two subjects
    must not share one."""
    subject: str
    """Name of the Live Link subject, which the user selects in Unreal."""
    frame: int
    """Frames since midnight (or another start) at `rate`, 0 to 2**31 - 1."""
    subframe: float
    """Fraction of a frame after `frame`, in [0, 1)."""
    rate: Fraction
    """Frames per second. Fraction(0) on a decoded packet whose rate is invalid (a zero or negative part), which Unreal
    accepts."""
    values: NDArray[np.float32] | None
    """float32 (61,) in wire order: 52 weights in [0, 1], then 9 angles in radians. None: the sender sees no face."""


def encode(packet: Packet) -> bytes:
    """The datagram of a packet; header-only when it has no values. Any float values of shape (61,) are sent as float32.

    Raises
    ------
    WireError : Unreal would drop the packet or must not get it: values not finite or not 61, a rate that is not
        positive or not made of int32, a frame or sub-frame out of range, an empty name or id, one with a NUL (Unreal
        would cut it there), both together over 1016 bytes. Its `offset` is the byte offset of the field
    """
    identity = _identity(packet.device_id, packet.subject)
    rate = packet.rate
    _check_rate(rate, len(identity))
    frame, subframe = _instant(packet.frame, packet.subframe, len(identity))
    head = identity + _TIME.pack(frame, subframe, rate.numerator, rate.denominator)
    if packet.values is None:
        return head
    return head + _COUNT_BYTE + _finite(packet.values, len(head)).astype(_WIRE_FLOAT).tobytes()


class Encoder:
    """Encodes the datagrams of one subject at 60 per second: as `encode`, but clamps weights to [0, 1].

    It writes only the changing fields into one preallocated datagram, so use it from one thread at a time. Raises
    WireError for an id or a name that `encode` refuses.
    """

    def __init__(self, device_id: str, subject: str) -> None:
        identity = _identity(device_id, subject)
        self._time_at = len(identity)
        self._count_at = self._time_at + _TIME.size
        self._datagram = bytearray(identity + bytes(_TIME.size) + _COUNT_BYTE + bytes(_VALUES_BYTES))
        self._values = np.frombuffer(self._datagram, np.float32, COUNT, self._count_at + 1)
        self._bits = self._values.view(np.uint32)
        self._angles = self._values[SHAPE_COUNT:]
        self._good = bytearray(COUNT)
        self._is_good = np.frombuffer(self._good, np.bool_)
        self._rate: Fraction | None = None

    def encode(self, values: NDArray[np.float32], frame: int, subframe: float, rate: Fraction) -> bytes:
        """The datagram of one frame.

        Parameters
        ----------
        values : float32 (61,) in wire order: weights, clamped to [0, 1], then angles in radians
        frame : frames since midnight at `rate`, 0 to 2**31 - 1
        subframe : fraction of a frame, in [0, 1)
        rate : frames per second

        Raises
        ------
        WireError : as `encode`
        """
        if rate is not self._rate:
            self._write_rate(rate)
        frame, subframe = _instant(frame, subframe, self._time_at)
        _INSTANT.pack_into(self._datagram, self._time_at, frame, subframe)
        self._values[...] = _as_float32(values, self._count_at)
        if not self._all_good():
            clamped = np.minimum(_finite(self._values, self._count_at), _HIGHEST)
            np.maximum(clamped, _LOWEST, out=self._values)
        if _SWAP:
            self._values.byteswap(True)
        return bytes(self._datagram)

    def _write_rate(self, rate: Fraction) -> None:
        _check_rate(rate, self._time_at)
        _RATE.pack_into(self._datagram, self._time_at + _INSTANT.size, rate.numerator, rate.denominator)
        self._rate = rate

    def _all_good(self) -> bool:
        """Whether every weight is in [0, 1] and every angle finite, the usual case: this check takes half the time of
        clamping.

        Read as integers, the bit patterns of floats from 0 to 1 ascend to that of 1; negative, larger, infinite and NaN
        values lie above it.
        """
        np.less_equal(self._bits, _MAX_BITS, self._is_good)
        angle_sum = sum(self._angles.tolist())
        return self._good == _ALL and angle_sum - angle_sum == 0  # NaN where an angle is not finite


def decode(datagram: bytes) -> Packet:
    """Decode one datagram.

    Accepted because Unreal accepts them: ids of any length, bytes after the last value (ignored), values that are NaN
    or out of range.

    Raises
    ------
    WireError : anything else, with the byte offset and the reason; no other exception is raised
    """
    datagram = bytes(datagram)
    if not datagram or datagram[0] != VERSION:
        raise WireError(
            f"got {f'version {datagram[0]}' if datagram else 'an empty datagram'}, expected version {VERSION}", 0
        )
    device_id, at = _read_text(datagram, 1, "device id")
    subject, at = _read_text(datagram, at, "subject name")
    if len(datagram) < at + _TIME.size:
        raise WireError(f"datagram ends in the frame time: got {len(datagram) - at} of its {_TIME.size} bytes", at)
    frame, subframe, numerator, denominator = _TIME.unpack_from(datagram, at)
    return Packet(
        device_id, subject, frame, subframe, _rate(numerator, denominator), _read_values(datagram, at + _TIME.size)
    )


@lru_cache(maxsize=64)
def _identity(device_id: str, subject: str) -> bytes:
    """Version, id and name: constant for a subject, so checked and encoded once."""
    start = 1
    parts = [bytes([VERSION])]
    for what, text in (("device id", device_id), ("subject name", subject)):
        raw = _text(what, text, start)
        parts.append(_INT32.pack(len(raw)) + raw)
        start += len(parts[-1])
    length = start - 1 - 2 * _INT32.size
    if length > MAX_TEXT:
        raise WireError(
            f"device id and subject name take {length} bytes together, Unreal reads at most {MAX_TEXT}: shorten the "
            "name",
            1,
        )
    return b"".join(parts)


def _text(what: str, text: str, offset: int) -> bytes:
    if not isinstance(text, str) or not text:
        raise WireError(f"got {what} {text!r}, expected a text of at least one character", offset)
    if "\0" in text:
        raise WireError(f"{what} {text!r} holds a NUL, where Unreal would cut it", offset)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise WireError(f"{what} {text!r} holds half a surrogate pair, which UTF-8 cannot carry", offset) from None


def _instant(frame: int, subframe: float, offset: int) -> tuple[int, float]:
    if type(frame) is int and type(subframe) is float and 0 <= frame <= _INT32_MAX and 0 <= subframe <= _BELOW_ONE:
        return frame, subframe  # the usual case, faster than the checks below
    if not isinstance(frame, _WHOLE) or not 0 <= frame <= _INT32_MAX:
        raise WireError(f"got frame {frame!r}, expected a whole number from 0 to {_INT32_MAX}", offset)
    if not isinstance(subframe, _REAL) or not 0 <= subframe < 1:  # NaN fails the comparison too
        raise WireError(f"got sub-frame {subframe!r}, expected a number from 0 up to but not 1", offset + 4)
    return frame, subframe if subframe < _BELOW_ONE else _BELOW_ONE


def _check_rate(rate: Fraction, offset: int) -> None:
    if not isinstance(rate, _RATIONAL) or not 1 <= rate.numerator <= _INT32_MAX or rate.denominator > _INT32_MAX:
        raise WireError(
            f"got rate {rate!r}, expected a positive Fraction of two int32, such as Fraction(60)", offset + 8
        )


def _finite(values: object, offset: int) -> NDArray[np.float32]:
    """The values as float32 (61,), each finite. `offset` is that of the count byte."""
    wire = _as_float32(values, offset)
    finite = np.isfinite(wire)
    if finite.tobytes() != _ALL:
        bad = int(np.argmin(finite))
        raise WireError(
            f"value {bad} is {wire[bad]}, expected a finite number: Unreal would pass it to the rig",
            offset + 1 + 4 * bad,
        )
    return wire


def _as_float32(values: object, offset: int) -> NDArray[np.float32]:
    """float32 (61,), the same array where it already is. float32 has a single dtype object, and `is` is faster than
    comparing dtypes."""
    if isinstance(values, np.ndarray) and values.dtype is _FLOAT32 and values.shape == _SHAPE:
        return values
    try:
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which is refused
            wire = np.asarray(values).astype(np.float32, casting="same_kind")
    except (TypeError, ValueError):
        raise WireError(
            f"got values of kind {getattr(values, 'dtype', type(values).__name__)}, expected {COUNT} floats", offset
        ) from None
    if wire.shape != _SHAPE:
        raise WireError(f"got values of shape {wire.shape}, expected ({COUNT},)", offset)
    return wire


@lru_cache(maxsize=64)
def _rate(numerator: int, denominator: int) -> Fraction:
    """Cached: a stream's rate hardly ever changes, and building a Fraction takes longer than decoding the rest of the
    packet."""
    return Fraction(numerator, denominator) if numerator > 0 and denominator > 0 else Fraction(0)


def _read_text(datagram: bytes, at: int, what: str) -> tuple[str, int]:
    """Read a length and its text at byte `at`; returns the text and the offset after it."""
    start = at + _INT32.size
    if len(datagram) < start:
        raise WireError(f"datagram ends in the length of the {what}", at)
    (length,) = _INT32.unpack_from(datagram, at)
    if length < 0:
        raise WireError(f"got {length} as the length of the {what}, expected 0 or more", at)
    if length > len(datagram) - start:
        raise WireError(f"{what} is declared {length} bytes long, but {len(datagram) - start} follow", at)
    try:
        return datagram[start : start + length].decode(), start + length
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is not UTF-8: {error.reason}", start + error.start) from None


def _read_values(datagram: bytes, at: int) -> NDArray[np.float32] | None:
    if len(datagram) == at:
        return None
    if datagram[at] != COUNT:
        raise WireError(f"got {datagram[at]} values, expected {COUNT}", at)
    if len(datagram) - at - 1 < _VALUES_BYTES:
        raise WireError(
            f"datagram ends in the values: got {len(datagram) - at - 1} of their {_VALUES_BYTES} bytes", at + 1
        )
    return np.frombuffer(datagram, _WIRE_FLOAT, COUNT, at + 1).astype(np.float32)
