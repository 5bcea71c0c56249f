"""What a PMMTalk voice speaks with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voice:
    """The face and the style a network speaks with: what does not change from step to step."""

    style: Array
    """float32 (1, branch_width)"""
    code: Array
    """float32 (1, branch_width): what the reference encoder made of the face."""
    crop: Array
    """float32 (1, squares, 48): the reference's mouth."""

    def key(self) -> bytes:
        """The same for equal voices."""
        return b"".join(part.tobytes() for part in (self.style, self.code, self.crop))
