"""After FaceFormer (Fan et al., CVPR 2022): autoregressive, every frame from the audio and from the network's own last
frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from speech_to_face.networks.baselines.base import Baseline, States, audio_encoder, zeroed
from speech_to_face.networks.baselines.config import Config
from speech_to_face.networks.baselines.layer import LineageLayer
from speech_to_face.networks.batch import Batch
from speech_to_face.streaming.causal_layers import periodic_positions


class FaceFormer(Baseline):
    """Kept of the paper: one post-norm decoder layer, feed-forward 2d, periodic positions, biased causal attention over
    the network's own output plus the style, each frame's own audio in the cross-attention, squared error only, no
    ground truth fed in while training.

    Ours: the audio encoder instead of wav2vec 2.0, an attention window, and the unrolling: see `rolled`.
    """

    positions: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        inner, channels = config.decoder_width, len(config.channels)
        self.audio = audio_encoder(config.width, config.kernel, config.dilations)
        self.feature_map = nn.Linear(config.width, inner)
        self.face_map = nn.Linear(channels, inner)
        self.styles = nn.Embedding(len(config.styles) + 1, inner)
        self.layer = LineageLayer(inner, config.heads, config.window, inner, 2 * inner)
        self.register_buffer("positions", periodic_positions(config.period, inner), persistent=False)
        self.out = zeroed(nn.Linear(inner, channels))
        self.state_shapes = [*self.audio.state_shapes, self.layer.state_shape, (1, channels)]

    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """See `speech_to_face.streaming.causal_model.CausalNetwork`; frame by frame, since each needs the one
        before."""
        audio, after = self.audio(mel, states[1:-2])
        memory, clock, (past, last), faces = self.feature_map(audio), states[0], states[-2:], []
        for step in range(mel.shape[1]):
            last, past = self._decode(last, memory[:, step : step + 1], style, past, clock + step)
            faces.append(last)
        return torch.cat(faces, 1), [clock + mel.shape[1], *after, past, last]

    def _decode(
        self, before: Tensor, memory: Tensor, style: Tensor, past: Tensor, clock: Tensor
    ) -> tuple[Tensor, Tensor]:
        """before (batch, time, channels): each frame's predecessor -> the frames, the attention's state."""
        x = self.face_map(before) + style[:, None]
        x = x + self.positions[(clock + torch.arange(x.shape[1], device=x.device)) % self.config.period]
        x, past = self.layer(x, memory, past, clock)
        return self.out(x), past

    def rolled(self, mel: Tensor, style: Tensor, passes: int) -> list[Tensor]:
        """Faces (batch, time, channels) of each pass over a window: the first reads zeros, each other one the pass
        before.

        FaceFormer's release unrolls frame by frame while training. Its unrolled window is the fixed point of these
        passes: pass n has its first n frames exactly right, and the others approach it as far as a frame depends little
        on its far past.
        """
        states = self.initial_states(len(mel))
        audio, _ = self.audio(mel, states[1:-2])
        memory, faces = self.feature_map(audio), [mel.new_zeros(*mel.shape[:2], len(self.config.channels))]
        for _ in range(passes):
            before = torch.cat([states[-1], faces[-1][:, :-1]], 1)
            faces.append(self._decode(before, memory, style, states[-2], states[0])[0])
        return faces[1:]

    def terms(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """The mean of all passes' errors, so that the network returns to the face from any of its own outputs."""
        each = [
            self.errors(face, batch) for face in self.rolled(batch.mel, self.styles(batch.style), self.config.passes)
        ]
        return {name: torch.stack([terms[name] for terms in each]).mean() for name in each[0]}
