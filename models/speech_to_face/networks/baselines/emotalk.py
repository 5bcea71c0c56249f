"""After EmoTalk (Peng et al., ICCV 2023): separate encoders for content and emotion; all frames are decoded at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.baselines.base import Baseline, States, audio_encoder, zeroed
from speech_to_face.networks.baselines.config import Config
from speech_to_face.networks.baselines.layer import LineageLayer
from speech_to_face.networks.batch import Batch


class EmoTalk(Baseline):
    """Kept of the paper: two encoders, their features and the speaker's joined, one post-norm decoder layer with
    feed-forward d that reads the emotion again in its cross-attention, biased causal attention, no positions (its
    release has none), a velocity term.

    Ours: small causal encoders instead of two wav2vec 2.0, and the class that the emotion features predict. EmoTalk
    crosses pairs of one sentence in two emotions; recordings here have no emotions, so their style takes that place.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        inner = config.decoder_width
        self.content = audio_encoder(config.width, config.kernel, config.dilations)
        self.emotion = audio_encoder(config.emotion_width, config.kernel, config.emotion_dilations)
        self.styles = nn.Embedding(len(config.styles) + 1, config.style_width)
        self.join = nn.Linear(config.width + config.emotion_width + config.style_width, inner)
        self.layer = LineageLayer(inner, config.heads, config.window, config.emotion_width, inner)
        self.out = zeroed(nn.Linear(inner, len(config.channels)))
        self.classify = nn.Linear(config.emotion_width, len(config.styles))
        self.state_shapes = [*self.content.state_shapes, *self.emotion.state_shapes, self.layer.state_shape]

    def forward(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, States]:
        """See `speech_to_face.streaming.causal_model.CausalNetwork`."""
        face, _, states = self._speak(mel, style, states)
        return face, states

    def _speak(self, mel: Tensor, style: Tensor, states: States) -> tuple[Tensor, Tensor, States]:
        """The face, the emotion features (batch, time, emotion_width), the next states."""
        clock, c = states[0], 1 + len(self.content.state_shapes)
        content, after_content = self.content(mel, states[1:c])
        emotion, after_emotion = self.emotion(mel, states[c:-1])
        joined = self.join(torch.cat([content, emotion, style[:, None].expand(-1, mel.shape[1], -1)], -1))
        x, past = self.layer(joined, emotion, states[-1], clock)
        return self.out(x), emotion, [clock + mel.shape[1], *after_content, *after_emotion, past]

    def terms(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """Errors of the face, and the cross-entropy of the style over the window; windows of an unknown style have
        none."""
        face, emotion, _ = self._speak(batch.mel, self.styles(batch.style), self.initial_states(len(batch.mel)))
        named = self.classify(emotion.mean(1))
        unknown = batch.style >= len(self.config.styles)
        total = F.cross_entropy(named, batch.style.masked_fill(unknown, -100), ignore_index=-100, reduction="sum")
        return self.errors(face, batch) | {"manner": self.config.manner * total / (~unknown).sum().clamp(min=1)}
