"""The DualTalker network: a face from speech, and phones from a face.

One `forward` serves training, whole recordings, blocks and single live steps; the lip reader has no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from speech_to_face.networks.batch import Batch
from speech_to_face.networks.dualtalker import losses
from speech_to_face.networks.dualtalker.config import Config
from speech_to_face.networks.dualtalker.encoders import LipReader, MotionEncoder, States
from speech_to_face.networks.pmmtalk import config as pmmtalk
from speech_to_face.networks.pmmtalk.branches import AudioEncoder
from speech_to_face.streaming.causal_layers import DecoderLayer, periodic_positions


@dataclass(frozen=True, slots=True)
class Spoken:
    """Results of the primary task."""

    face: Tensor
    """Y^ (batch, time, channels), not clamped."""
    draft: Tensor
    """The draft, before the decoder corrects it."""
    audio: Tensor
    """A (batch, time, width)"""
    states: States


class DualTalker(nn.Module):
    """Speech to mouth coefficients, and back. Step n gives the coefficients of frame n - delay.

    That both tasks share E_a and E_m is the paper's. How the primary task uses E_m is not public; ours drafts a face
    from the audio, encodes that draft's motion with E_m, and decodes the final face from audio, motion and style:
    causal without feeding back its output, so that training runs whole windows at once.
    """

    stages = ("whole",)
    positions: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width, inner, channels = config.width, config.decoder_width, len(config.channels)
        self.audio = AudioEncoder(pmmtalk.Config(width=width, kernel=config.kernel, dilations=config.dilations))
        self.motion, self.reader = MotionEncoder(config), LipReader(config)
        self.styles = nn.Embedding(len(config.styles) + 1, config.style_width)
        self.draft = nn.Linear(width + config.style_width, channels)
        self.fuse = nn.Linear(width + config.motion_width + config.style_width, inner)
        self.register_buffer("positions", periodic_positions(config.period, inner), persistent=False)
        self.layers = nn.ModuleList(DecoderLayer(inner, config.heads, config.window) for _ in range(config.layers))
        self.norm, self.out = nn.LayerNorm(inner), nn.Linear(inner, channels)
        self.share_audio, self.share_motion = (
            nn.Linear(width, config.shared_width),
            nn.Linear(config.motion_width, config.shared_width),
        )
        for last in (self.draft, self.out):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def initial_states(self, batch: int = 1) -> States:
        """The count of steps, then the states of E_a, E_m and the decoder, all before any audio."""
        weight = self.out.weight
        decoder = [(self.config.window - 1, 2 * self.config.decoder_width)] * self.config.layers
        shapes = [*self.audio.state_shapes, *self.motion.state_shapes, *decoder]
        clock = torch.zeros((), dtype=torch.long, device=weight.device)
        return [clock, *(weight.new_zeros(batch, *shape) for shape in shapes)]

    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """See `speech_to_face.streaming.causal_model.CausalNetwork`."""
        spoken = self.speak(mel, style, states)
        return spoken.face, spoken.states

    def speak(self, mel: Tensor, style: Tensor, states: States) -> Spoken:
        """mel (batch, time, 160), style (batch, style_width)"""
        clock, a = states[0], 1 + len(self.audio.state_shapes)
        m = a + len(self.motion.state_shapes)
        audio, after_audio = self.audio(mel, states[1:a])
        spread = style[:, None].expand(-1, mel.shape[1], -1)
        draft = self.draft(torch.cat([audio, spread], -1))
        moved, after_motion = self.motion(draft, states[a:m])
        revised, after_layers = self._decode(torch.cat([audio, moved, spread], -1), clock, states[m:])
        return Spoken(draft + revised, draft, audio, [clock + mel.shape[1], *after_audio, *after_motion, *after_layers])

    def _decode(self, joined: Tensor, clock: Tensor, states: States) -> tuple[Tensor, States]:
        """The correction (batch, time, channels) that the decoder adds to the draft."""
        x, after = self.fuse(joined), []
        x = x + self.positions[(clock + torch.arange(x.shape[1], device=x.device)) % self.config.period]
        seen = torch.clamp(clock, max=self.config.window - 1)
        for layer, state in zip(self.layers, states, strict=True):
            x, state = layer(x, state, seen)
            after.append(state)
        return self.out(self.norm(x)), after

    def terms(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """L = L_prim + weighted L_dual, L_cyc and L_cons; see `losses` for each, and `Config` for the shares."""
        config, frames = self.config, batch.mel.shape[1] - self.config.delay
        spoken = self.speak(batch.mel, self.styles(batch.style), self.initial_states(len(batch.mel)))
        face, draft, audio = (part[:, config.delay :] for part in (spoken.face, spoken.draft, spoken.audio))
        truth, labels, known = batch.curves[:, :frames], batch.labels[:, :frames], batch.known
        moved, log_phones, sound = self._read(truth * known)
        made, log_made = self._judged(face * known)
        read, shares = slice(frames - config.read_delay), (config.position, config.motion)
        return {
            "primary": losses.primary(face, truth, known, shares),
            "draft": config.draft * losses.primary(draft, truth, known, shares),
            "dual": config.dual * losses.dual(log_phones, labels[:, read], sound, audio[:, read]),
            "cycle": config.cycle * losses.cycle(made, moved, log_made, labels[:, read]),
            "consistency": config.consistency * losses.consistency(self.share_audio(audio), self.share_motion(moved)),
        }

    def _read(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """M of all frames; phones and audio features read from them, the reader's delay taken out."""
        moved, _ = self.motion(face, self.motion.initial_states(len(face)))
        log_phones, sound, _ = self.reader(moved, self.reader.initial_states(len(face)))
        late = self.config.read_delay
        return moved, log_phones[:, late:], sound[:, late:]

    def _judged(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """M and phones of a generated face, by an encoder and a reader that do not learn from it: otherwise they would
        agree on a code that no real face shows."""
        frozen = [
            {name: value.detach() for name, value in part.named_parameters()} for part in (self.motion, self.reader)
        ]
        made, _ = functional_call(self.motion, frozen[0], (face, self.motion.initial_states(len(face))))
        log_phones, _, _ = functional_call(self.reader, frozen[1], (made, self.reader.initial_states(len(face))))
        return made, log_phones[:, self.config.read_delay :]

    def trained(self, stage: str) -> Iterable[nn.Parameter]:
        """Both tasks at once: that they are trained jointly is the paper's."""
        return self.parameters()
