"""Settings of a video: size, frame rate, number of frames, and the blendshape weights of each."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.entries import Poses
from livelink_bridge.errors import UsageError

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
RATES = (24, 25, 30, 60)
SMALLEST, LARGEST = 64, 3840
"""Pixels of a side: a stamp, and the long side of 4K."""
_WORDS = f"expected {', '.join(SIZES)} or WxH such as 1080x1920, both even numbers from {SMALLEST} to {LARGEST}"


@dataclass(frozen=True, slots=True)
class Film:
    """Size in pixels, and frames a second. Sides are even, because H.264 and VP9 keep one colour for each two by two
    pixels."""

    width: int = SIZES["720p"][0]
    height: int = SIZES["720p"][1]
    rate: int = 30

    def __post_init__(self) -> None:
        if any(side % 2 or not SMALLEST <= side <= LARGEST for side in (self.width, self.height)):
            raise UsageError(f"size of the video: got {self.width}x{self.height}, {_WORDS}")
        if self.rate not in RATES:
            known = f"{', '.join(map(str, RATES[:-1]))} or {RATES[-1]}"
            raise UsageError(f"rate of the video: got {self.rate}, expected {known} frames a second")

    @staticmethod
    def of(size: str, rate: int) -> Film:
        """`size` is a name in SIZES or WxH. Raises UsageError that names what is expected."""
        plain = size.strip().lower()
        if plain in SIZES:
            return Film(*SIZES[plain], rate)
        sides = re.fullmatch(r"([0-9]{1,5})\s*[x×]\s*([0-9]{1,5})", plain)
        if sides is None:
            raise UsageError(f"size of the video: got {size.strip()[:40]!r}, {_WORDS}")
        return Film(int(sides[1]), int(sides[2]), rate)

    def __str__(self) -> str:
        return f"{self.width} x {self.height}, {self.rate} frames a second"

    def frames(self, duration_s: float) -> int:
        """As many as make the video as long as the sound, to within half a frame; at least one."""
        return max(1, round(duration_s * self.rate))

    def poses(self, poses: Poses, frames: int) -> Poses:
        """The pose of each frame, float32 (frames, 61): of frame k at k / rate seconds, on the line between two of
        `poses`.

        `poses` are float32 (n, 61) at 60 Hz, n at least 1; after the last one the face keeps still.
        """
        at = np.arange(frames) * FRAME_RATE
        last = len(poses) - 1
        one, other = np.minimum(at // self.rate, last), np.minimum(at // self.rate + 1, last)
        share = ((at % self.rate) / self.rate).astype(np.float32)[:, None]
        return np.asarray(poses[one] + share * (poses[other] - poses[one]), np.float32)
