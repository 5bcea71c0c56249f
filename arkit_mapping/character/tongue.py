"""The tongue behind the lips: it never comes between lips that touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.lips import openness

_TONGUE = CHANNELS_61.index("TongueOut")


def behind_lips(poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """The poses, float32 (n, 61) with MouthClose as predicted, the tongue out only as far as the lips are apart
    (`arkit_mapping.character.lips.openness`). A new array, or the same one where no tongue is out."""
    if not poses[:, _TONGUE].any():
        return poses
    kept = np.array(poses)
    kept[:, _TONGUE] *= openness(poses)
    return kept
