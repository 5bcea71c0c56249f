"""After VOCA (Cudeiro et al., CVPR 2019): every frame from a window of audio around it, with the speaker as a
one-hot."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.baselines.base import Baseline, States, audio_encoder, zeroed
from speech_to_face.networks.baselines.config import Config

WINDOW = 16
"""Steps of audio in a frame's window. VOCA's lie 8 before and 8 after it; ours end at the newest step, `delay` after
the frame."""
FILTERS = (32, 32, 64, 64)


class Voca(Baseline):
    """Kept of the paper: the window, four convolutions over time of kernel 3 and stride 2, 128 tanh and 50 units, the
    one-hot twice.

    Ours: the audio encoder instead of DeepSpeech, and 32 coefficients instead of vertices.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        speakers = len(config.styles) + 1
        self.audio = audio_encoder(config.width, config.kernel, config.dilations)
        self.styles = nn.Embedding(speakers, speakers)
        self.styles.weight.requires_grad_(False).copy_(torch.eye(speakers))
        widths = (config.width + speakers, *FILTERS)
        self.convs = nn.ModuleList(nn.Conv1d(a, b, 3, 2, 1) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.hidden, self.shape = nn.Linear(FILTERS[-1] + speakers, 128), nn.Linear(128, 50)
        self.out = zeroed(nn.Linear(50, len(config.channels)))
        self.state_shapes = [*self.audio.state_shapes, (WINDOW - 1, config.width)]

    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """See `speech_to_face.streaming.causal_model.CausalNetwork`; style (batch, speakers), a one-hot or a mixture of
        speakers."""
        audio, after = self.audio(mel, states[1:-1])
        heard = torch.cat([states[-1], audio], 1)
        windows = heard.unfold(1, WINDOW, 1)  # (batch, time, width, WINDOW)
        steps, who = windows.shape[1], style[:, None].expand(-1, windows.shape[1], -1)
        x = torch.cat([windows, who[..., None].expand(-1, -1, -1, WINDOW)], 2).flatten(0, 1)
        for conv in self.convs:
            x = F.relu(conv(x))
        x = torch.cat([x[..., 0].reshape(len(mel), steps, -1), who], -1)
        face = self.out(self.shape(torch.tanh(self.hidden(x))))
        return face, [states[0] + steps, *after, heard[:, steps:]]
