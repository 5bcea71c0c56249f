"""Converts named channels to the 61 in wire order, with one array assignment instead of a Python loop per frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, MOUTH_32, index_of

NEUTRAL: NDArray[np.float32] = np.zeros(len(CHANNELS_61), dtype=np.float32)
"""float32 (61,), read-only: the neutral face, looking straight ahead."""
NEUTRAL.flags.writeable = False


def remap(coefficients: NDArray[np.floating], names: Sequence[str] = MOUTH_32) -> NDArray[np.float32]:
    """Convert named coefficients to wire order; every other channel is 0.

    Parameters
    ----------
    coefficients
        float (len(names),) for one frame or (frames, len(names)), in the order of `names`. Values are unchanged.
    names
        Channel names, first letter in either case, each once.

    Returns
    -------
    float32 (61,) or (frames, 61), wire order, a new array.

    Raises
    ------
    ValueError
        The last axis is not as long as `names`, or a name is unknown or duplicate.
    """
    coefficients = np.asarray(coefficients)
    if coefficients.ndim not in (1, 2) or coefficients.shape[-1] != len(names):
        raise ValueError(
            f"got coefficients of shape {coefficients.shape}, expected ({len(names)},) or (frames, {len(names)})"
        )
    poses = np.zeros((*coefficients.shape[:-1], len(CHANNELS_61)), dtype=np.float32)
    poses[..., _positions(tuple(names))] = coefficients
    return poses


@lru_cache(maxsize=16)
def _positions(names: tuple[str, ...]) -> NDArray[np.intp]:
    try:
        positions = np.array([index_of(name) for name in names], dtype=np.intp)
    except KeyError as error:
        raise ValueError(error.args[0]) from None
    if len(set(positions.tolist())) != len(positions):
        raise ValueError(f"a channel is named twice in {names}")
    positions.flags.writeable = False
    return positions
