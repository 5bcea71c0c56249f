"""Lip reading: the dual half of a DualTalker network on its own, without audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from arkit_mapping.channels import MOUTH_32
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.networks.dualtalker.loading import config_of
from speech_to_face.networks.dualtalker.network import DualTalker
from speech_to_face.phones import CLASSES
from speech_to_face.streaming.stepped import BLOCK_STEPS


class LipReading:
    """Coefficients to phones. Calls are independent: no state is kept between takes."""

    def __init__(self, network: DualTalker) -> None:
        self.network = network.eval()
        self._columns = [MOUTH_32.index(name) for name in network.config.channels]

    @torch.inference_mode()
    def __call__(self, mouth: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (frames, 32) in [0, 1], MOUTH_32 order, 60 Hz -> log-probabilities (frames, phones) of those frames.

        The reader's delay is taken out; the last frame is held beyond the end.
        """
        late, frames = self.network.config.read_delay, len(mouth)
        if not frames:
            return np.empty((0, len(self.network.config.phones)), np.float32)
        held = np.concatenate([mouth, np.repeat(mouth[-1:], late, 0)])[:, self._columns]
        read, motion = self.network.reader.initial_states(1), self.network.motion.initial_states(1)
        parts = []
        for at in range(0, len(held), BLOCK_STEPS):
            block = torch.from_numpy(np.ascontiguousarray(held[at : at + BLOCK_STEPS], np.float32))
            moved, motion = self.network.motion(block[None], motion)
            log_phones, _, read = self.network.reader(moved, read)
            parts.append(log_phones[0])
        return np.asarray(torch.cat(parts).numpy()[late:], np.float32)


def load_reader(folder: Path) -> LipReading:
    """The lip reader of a checkpoint's folder, on the CPU. Raises ModelError for a folder of another system or that
    does not fit."""
    from speech_to_face.streaming.causal_model import load_weights

    config = config_of(folder)
    checkpoint.verify(folder)
    unknown = [name for name in config.channels if name not in MOUTH_32]
    if config.phones != CLASSES or unknown:
        raise ModelError(
            f"model {folder.name!r} reads other phones or channels than this program knows; train it again"
        )
    network = DualTalker(config)
    load_weights(folder / checkpoint.WEIGHTS, network)
    return LipReading(network)
