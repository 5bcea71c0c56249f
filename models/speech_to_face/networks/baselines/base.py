"""Base class of the three baselines: losses, and states before the first sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from speech_to_face.networks.baselines.config import Config
from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk import config as pmmtalk
from speech_to_face.networks.pmmtalk.branches import AudioEncoder
from speech_to_face.networks.pmmtalk.losses import motion, position

States = list[Tensor]


def audio_encoder(width: int, kernel: int, dilations: tuple[int, ...]) -> AudioEncoder:
    """PMMTalk's small one: PMMTalk's tables give every baseline its own audio front end too."""
    return AudioEncoder(pmmtalk.Config(width=width, kernel=kernel, dilations=dilations))


def zeroed(layer: nn.Linear) -> nn.Linear:
    """The same layer with zero weights: it starts at the neutral face, as in FaceFormer and EmoTalk."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Baseline(nn.Module):
    """A causal network (`speech_to_face.streaming.causal_model.CausalNetwork`) that is trained on positions and motion
    in one stage."""

    stages = ("whole",)
    styles: nn.Embedding
    state_shapes: list[tuple[int, int]]
    """(past, width) of every state after the count of steps."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    def initial_states(self, batch: int = 1) -> States:
        """The count of steps, int64 (), then zeros (batch, past, width): before any audio."""
        weight = next(self.parameters())
        clock = torch.zeros((), dtype=torch.long, device=weight.device)
        return [
            clock,
            *(torch.zeros(batch, *shape, device=weight.device, dtype=weight.dtype) for shape in self.state_shapes),
        ]

    @abstractmethod
    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """See `speech_to_face.streaming.causal_model.CausalNetwork`."""

    def terms(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """MSE of positions and of motion, with the config's shares."""
        face, _ = self(batch.mel, self.styles(batch.style), self.initial_states(len(batch.mel)))
        return self.errors(face, batch)

    def errors(self, face: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Errors of a face (batch, time, channels) as the steps gave it: the delay is taken out here. A share of 0
        leaves its term out."""
        face, truth = face[:, self.config.delay :], batch.curves[:, : face.shape[1] - self.config.delay]
        terms = {"position": self.config.position * position(face, truth, batch.known)}
        return terms | ({"motion": self.config.motion * motion(face, truth, batch.known)} if self.config.motion else {})

    def trained(self, stage: str) -> Iterable[nn.Parameter]:
        """All parameters that move: there is one stage."""
        return [value for value in self.parameters() if value.requires_grad]
