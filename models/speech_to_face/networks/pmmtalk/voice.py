"""Face and style of a PMMTalk voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voice:
    """The inputs of the network that do not change from step to step: face and style."""

    style: Array
    """float32 (1, branch_width)"""
    code: Array
    """float32 (1, branch_width): the reference encoder's code of the face."""
    crop: Array
    """float32 (1, squares, 48): the reference's mouth."""

    def key(self) -> bytes:
        """Equal for equal voices."""
        return b"".join(part.tobytes() for part in (self.style, self.code, self.crop))
