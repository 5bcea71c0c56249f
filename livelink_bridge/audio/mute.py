"""Silence in place of a voice, for everything that hears it: the network, the take, the voice that is played back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from livelink_bridge.core.frames import AudioBlock


class Mute:
    """Off until told. `on` may be set from any thread and holds from the next block on."""

    def __init__(self) -> None:
        self.on = False

    def over(self, blocks: Iterator[AudioBlock]) -> Iterator[AudioBlock]:
        """The same blocks, with digital silence in those that come while it is on."""
        for block in blocks:
            yield replace(block, samples=np.zeros_like(block.samples)) if self.on else block
