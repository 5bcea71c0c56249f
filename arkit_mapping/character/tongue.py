"""Keeps the tongue behind closed lips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.lips import openness

_TONGUE = CHANNELS_61.index("TongueOut")


def behind_lips(poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """Limit TongueOut to the opening of the lips (`arkit_mapping.character.lips.openness`).

    Parameters
    ----------
    poses
        float32 (n, 61), wire order, MouthClose as predicted.

    Returns
    -------
    A new array, or `poses` itself when no tongue is out
    """
    if not poses[:, _TONGUE].any():
        return poses
    limited = np.array(poses)
    limited[:, _TONGUE] *= openness(poses)
    return limited
