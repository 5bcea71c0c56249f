"""The built-in face: a plain mask, 13 cm wide, with the 52 ARKit shapes as morph targets.

It is a placeholder that shows which shape moves in which direction. Metres, +Y up, looking along +Z, as in glTF; the
mask's own left is +X. Most shapes move the skin around one point of their side in one direction. The lips are the two
edges of a slit, so that JawOpen opens the mouth and an equal MouthClose shuts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52

_COLUMNS, _ABOVE, _BELOW = 25, 18, 10
"""Points per row, and rows above and below the slit; at the slit there are two rows."""
_WIDE, _TOP, _MOUTH_Y, _CHIN = 0.065, 0.1, -0.045, -0.1
_MOUTH_HALF = 0.026
_JAW_DROP = 0.022

Points = NDArray[np.float32]
"""float32 (n, 3), metres."""


@dataclass(frozen=True, slots=True)
class FaceMesh:
    """A mesh and its morph targets."""

    points: Points
    """Vertices, float32 (n, 3), metres."""
    normals: Points
    """float32 (n, 3), unit length, outwards."""
    triangles: NDArray[np.uint16]
    """uint16 (m, 3), counter-clockwise seen from outside."""
    targets: dict[str, Points]
    """Offset of each point at weight 1, float32 (n, 3), metres, by ARKit name."""


def placeholder() -> FaceMesh:
    """The mask; deterministic."""
    flat, lower = _flat()
    points = np.column_stack([flat, _depth(flat)]).astype(np.float32)
    triangles = _triangles()
    targets = {name: _target(name, flat, lower) for name in ARKIT_52}
    return FaceMesh(points, _normals(points, triangles), triangles, targets)


def _flat() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Points seen from the front, float64 (n, 2), and which of them are on the lower lip's side of the slit."""
    across = np.linspace(-1, 1, _COLUMNS)
    heights = np.concatenate([np.linspace(_TOP, _MOUTH_Y, _ABOVE), np.linspace(_MOUTH_Y, _CHIN, _BELOW)])
    widths = _WIDE * np.sqrt(1 - 0.6 * np.clip(-heights / -_CHIN, 0, 1) ** 2 - 0.3 * np.clip(heights / _TOP, 0, 1) ** 2)
    flat = np.stack(
        [across[None, :] * widths[:, None], np.broadcast_to(heights[:, None], (len(heights), _COLUMNS))], axis=-1
    )
    lower = np.repeat(np.arange(len(heights)) >= _ABOVE, _COLUMNS)
    return flat.reshape(-1, 2), lower


def _depth(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of the skin: a shell with a nose, lips and a chin, and on each side an eye, a brow and a cheek."""
    shell = 0.07 * np.sqrt(np.clip(1 - (flat[:, 0] / 0.075) ** 2 - (flat[:, 1] / 0.13) ** 2, 0, 1))
    bumps = (
        (0.0, -0.012, 0.012, 0.022),
        (0.0, 0.02, 0.009, 0.01),
        (0.0, _MOUTH_Y, 0.018, 0.006),
        (0.0, -0.085, 0.015, 0.006),
    )
    sides = ((0.028, 0.028, 0.010, 0.013), (0.030, 0.053, 0.008, 0.006), (0.040, 0.000, 0.018, 0.006))
    paired = [(side * x, y, radius, height) for side in (1, -1) for x, y, radius, height in sides]
    return shell + sum(height * _near(flat, x, y, radius) for x, y, radius, height in (*bumps, *paired))


def _near(flat: NDArray[np.float64], x: float, y: float, radius: float) -> NDArray[np.float64]:
    """1 at the point, fading with distance."""
    return np.exp(-((flat[:, 0] - x) ** 2 + (flat[:, 1] - y) ** 2) / (2 * radius**2))


def _triangles() -> NDArray[np.uint16]:
    """Two triangles per cell, none between the two rows at the slit: outside the lips these rows coincide."""
    rows = [row for row in range(_ABOVE + _BELOW - 1) if row != _ABOVE - 1]
    found = []
    for row in rows:
        left = row * _COLUMNS + np.arange(_COLUMNS - 1)
        below = left + _COLUMNS
        found += [np.stack([left, below, below + 1], axis=1), np.stack([left, below + 1, left + 1], axis=1)]
    return np.concatenate(found).astype(np.uint16)


def _normals(points: Points, triangles: NDArray[np.uint16]) -> Points:
    """Normal of each point: mean of its triangles', weighted by area."""
    corners = points[triangles]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.zeros_like(points)
    for corner in range(3):
        np.add.at(summed, triangles[:, corner], outward)
    unit: Points = (summed / np.linalg.norm(summed, axis=1, keepdims=True)).astype(np.float32)
    return unit


_PUSHES: dict[str, tuple[float, float, float, tuple[float, float, float]]] = {
    "eyeBlink": (0.028, 0.033, 0.010, (0, -9, -3)),
    "eyeLookDown": (0.028, 0.026, 0.008, (0, -4, 0)),
    "eyeLookUp": (0.028, 0.030, 0.008, (0, 4, 0)),
    "eyeLookIn": (0.028, 0.028, 0.008, (-4, 0, 0)),
    "eyeLookOut": (0.028, 0.028, 0.008, (4, 0, 0)),
    "eyeSquint": (0.028, 0.020, 0.009, (0, 4, 1)),
    "eyeWide": (0.028, 0.036, 0.009, (0, 5, 1)),
    "mouthSmile": (0.028, -0.043, 0.012, (6, 9, -3)),
    "mouthFrown": (0.026, -0.048, 0.012, (1, -8, -1)),
    "mouthDimple": (0.030, -0.045, 0.008, (4, 0, -5)),
    "mouthStretch": (0.028, -0.048, 0.014, (8, -3, -2)),
    "mouthPress": (0.014, -0.045, 0.010, (0, 0, -4)),
    "mouthLowerDown": (0.010, -0.052, 0.010, (0, -7, 0)),
    "mouthUpperUp": (0.010, -0.038, 0.010, (0, 7, 0)),
    "browDown": (0.028, 0.052, 0.012, (-1, -7, 1)),
    "browOuterUp": (0.042, 0.054, 0.011, (0, 9, 0)),
    "cheekSquint": (0.036, 0.005, 0.014, (0, 6, 3)),
    "noseSneer": (0.010, 0.000, 0.009, (0, 6, 1)),
}
"""Shapes of the left side, mirrored for the right: point x, y and radius in metres, offset in millimetres."""

_WHOLE: dict[str, tuple[float, float, float, tuple[float, float, float]]] = {
    "mouthFunnel": (0, _MOUTH_Y, 0.020, (0, 0, 12)),
    "mouthPucker": (0, _MOUTH_Y, 0.014, (0, 0, 14)),
    "mouthLeft": (0, _MOUTH_Y, 0.024, (10, 0, 0)),
    "mouthRight": (0, _MOUTH_Y, 0.024, (-10, 0, 0)),
    "mouthRollLower": (0, -0.052, 0.014, (0, 5, -6)),
    "mouthRollUpper": (0, -0.038, 0.014, (0, -5, -6)),
    "mouthShrugLower": (0, -0.058, 0.018, (0, 6, 3)),
    "mouthShrugUpper": (0, -0.036, 0.016, (0, 5, 3)),
    "browInnerUp": (0, 0.056, 0.016, (0, 9, 0)),
}

_JAW_OFFSETS: dict[str, tuple[float, float, float]] = {
    "jawForward": (0, 0, 10),
    "jawLeft": (9, 0, 0),
    "jawRight": (-9, 0, 0),
}


def _target(name: str, flat: NDArray[np.float64], lower: NDArray[np.bool_]) -> Points:
    """Offset of each point for one shape, float32 (n, 3), metres."""
    if name in ("jawOpen", "mouthClose"):
        return _jaw_or_lips(name, flat, lower)
    if name in _JAW_OFFSETS:
        return _pushed(_below(flat, lower), _JAW_OFFSETS[name])
    if name == "cheekPuff":
        return _pushed(_near(flat, 0.036, -0.03, 0.014) + _near(flat, -0.036, -0.03, 0.014), (0, 0, 12))
    if name == "tongueOut":  # the mask has no tongue: its lower lip moves instead
        return _pushed(_lip(flat) * _near(flat, 0, _MOUTH_Y, 0.014) * lower, (0, -3, 16))
    if name in _WHOLE:
        x, y, radius, offset_mm = _WHOLE[name]
        return _pushed(_near(flat, x, y, radius), offset_mm)
    side = 1 if name.endswith("Left") else -1
    x, y, radius, (across, up, forward) = _PUSHES[name.removesuffix("Left").removesuffix("Right")]
    return _pushed(_near(flat, side * x, y, radius), (side * across, up, forward))


def _jaw_or_lips(name: str, flat: NDArray[np.float64], lower: NDArray[np.bool_]) -> Points:
    """JawOpen drops everything below the slit; MouthClose lifts the lower lip back, exactly as far."""
    share = _below(flat, lower)
    if name == "jawOpen":
        return _pushed(share, (0, -1000 * _JAW_DROP, -6))
    edge = lower & (flat[:, 1] > _MOUTH_Y - 1e-9)
    lip = np.where(edge, 1.0, _near(flat, 0, _MOUTH_Y, 0.02)) * lower
    return _pushed(share * lip, (0, 1000 * _JAW_DROP, 6))


def _below(flat: NDArray[np.float64], lower: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much a point moves with the jaw: 0 above the slit and at its corners, 1 at the chin and the middle of the
    lip."""
    down = np.clip((_MOUTH_Y - flat[:, 1]) / 0.03, 0, 1)
    return np.where(lower, down + (1 - down) * _lip(flat), 0.0)


def _lip(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 in the middle of the mouth, 0 from its corners outwards."""
    return np.clip(1 - (flat[:, 0] / _MOUTH_HALF) ** 2, 0, 1)


def _pushed(share: NDArray[np.float64], offset_mm: tuple[float, float, float]) -> Points:
    moved: Points = (share[:, None] * np.array(offset_mm) / 1000).astype(np.float32)
    return moved
