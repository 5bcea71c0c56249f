"""Stage "speech": the codes of each frame, from the audio so far and the motion of the codes so far.

Step n chooses the codes of frame n - delay. The motion that is read back is final, since the prior decodes the past
once: live and for a whole recording the loop does the same at the same cost per step. Between two codes that are nearly
equally near, rounding decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from speech_to_face.networks.codetalker.config import Config
from speech_to_face.networks.codetalker.prior import MotionPrior, States
from speech_to_face.networks.pmmtalk.branches import AudioEncoder
from speech_to_face.networks.pmmtalk.config import Config as AudioConfig
from speech_to_face.streaming.causal_layers import DecoderLayer, periodic_positions


@dataclass(frozen=True, slots=True)
class Moments:
    """The loop's state, by name."""

    audio: States
    layers: States
    decoder: States
    motion: Tensor
    """(batch, 1, channels): what the last step gave."""
    clock: Tensor
    """int64 (batch,): steps so far."""

    def flat(self) -> States:
        """The states in the order of `CodeTalker.initial_states`."""
        return [*self.audio, *self.layers, *self.decoder, self.motion, self.clock]


class SpeechDecoder(nn.Module):
    """Audio, style and past motion to latents near the codes.

    In the paper each token attends to its own frame's audio alone. Attention with one key gives that key's value
    whatever the query, so the cross-attention is a linear layer here, which each block adds before its biased causal
    self-attention.
    """

    positions: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.decoder_width
        self.slots, self.period, self.past = config.slots, config.period, config.window - 1
        self.feed = nn.Linear(len(config.channels), width)
        self.style = nn.Linear(config.style_width, width)
        self.hear = nn.ModuleList(nn.Linear(config.width, width) for _ in range(config.layers))
        self.layers = nn.ModuleList(DecoderLayer(width, config.heads, config.window) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.latent)
        self.register_buffer("positions", periodic_positions(config.period, width), persistent=False)
        self.state_shapes = [(self.past, 2 * width)] * config.layers

    def forward(
        self, fed: Tensor, style: Tensor, audio: Tensor, clock: Tensor, states: States
    ) -> tuple[Tensor, States]:
        """fed (batch, time, channels): the motion of the frame before; style (batch, style width); audio (batch, time,
        width); clock int64 (batch,) -> latents (batch, time, slots, code width), states"""
        times = clock[:, None] + torch.arange(fed.shape[1], device=fed.device)
        x = self.feed(fed) + self.style(style)[:, None] + self.positions[times % self.period]
        after, seen = [], clock.clamp(max=self.past)
        for hear, layer, state in zip(self.hear, self.layers, states, strict=True):
            x, state = layer(x + hear(audio), state, seen)
            after.append(state)
        return torch.unflatten(self.out(self.norm(x)), -1, (self.slots, -1)), after


class CodeTalker(nn.Module):
    """A `speech_to_face.streaming.causal_model.CausalNetwork`; `objective.TrainableCodeTalker` also says what it is
    trained to do."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.prior, self.speech = MotionPrior(config), SpeechDecoder(config)
        self.audio = AudioEncoder(AudioConfig(width=config.width, kernel=config.kernel, dilations=config.dilations))
        self.styles = nn.Embedding(len(config.styles) + 1, config.row)
        nn.init.zeros_(self.styles.weight[:, config.style_width :])

    def parts(self, style: Tensor) -> tuple[Tensor, Tensor | float]:
        """A row of the style table, or a mixture of rows, in its parts: the style (batch, style width), the mean face
        (batch, channels)."""
        width = self.config.style_width
        return style[:, :width], style[:, width:] if self.config.space == "motion" else 0.0

    def initial_states(self, batch: int = 1) -> States:
        """Zeros for each layer, float32 (batch, past, width), then the count of steps, int64 (batch,)."""
        weight, stack = self.styles.weight, self.prior.decoder.stack
        shapes = [
            *self.audio.state_shapes,
            *self.speech.state_shapes,
            *stack.state_shapes,
            (1, len(self.config.channels)),
        ]
        zeros = [torch.zeros(batch, *shape, device=weight.device, dtype=weight.dtype) for shape in shapes]
        return [*zeros, torch.zeros(batch, dtype=torch.long, device=weight.device)]

    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """mel (batch, steps, 160), style (batch, row) -> coefficients (batch, steps, channels), not clamped; states."""
        manner, mean = self.parts(style)
        at = self._named(states)
        audio, heard = self.audio(mel, at.audio)
        found = []
        for step in range(mel.shape[1]):
            at = self._step(audio[:, step : step + 1], manner, at)
            found.append(at.motion)
        motion = torch.cat(found, 1)
        out = motion + (mean[:, None] if isinstance(mean, Tensor) else mean)
        return out, Moments(heard, at.layers, at.decoder, at.motion, at.clock).flat()

    def _step(self, audio: Tensor, manner: Tensor, at: Moments) -> Moments:
        """One frame's codes, and its motion from them. audio (batch, 1, width)"""
        latent, layers = self.speech(at.motion, manner, audio, at.clock, at.layers)
        codes = self.prior.codebook.vectors(self.prior.codebook.nearest(latent))
        motion, decoder = self.prior.decoder(codes, at.clock, at.decoder)
        return Moments(at.audio, layers, decoder, motion, at.clock + 1)

    def _named(self, states: States) -> Moments:
        a, b = len(self.config.dilations), len(self.config.dilations) + self.config.layers
        return Moments(states[:a], states[a:b], states[b:-2], states[-2], states[-1])
