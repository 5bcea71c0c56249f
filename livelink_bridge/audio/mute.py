"""Mutes a voice before anything reads it: the network, the take and the monitor output get silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from livelink_bridge.core.frames import AudioBlock


class Mute:
    """Off at first. `on` may be set from any thread and takes effect with the next block."""

    def __init__(self) -> None:
        self.on = False

    def over(self, blocks: Iterator[AudioBlock]) -> Iterator[AudioBlock]:
        """The same blocks, digital silence while it is on."""
        for block in blocks:
            yield replace(block, samples=np.zeros_like(block.samples)) if self.on else block
