"""Wav2Lip's mel spectrogram in PyTorch: 80 frames a second, 80 bands, in [-4, 4].

As in its public code (audio.py, hparams.py): pre-emphasis 0.97, 800-point Hann windows every 200 samples, centred with
the audio mirrored at its ends, magnitudes through Slaney's bands from 55 to 7600 Hz, decibels from -100 over a
reference of 20, then scaled and clipped. A floor under the logarithm keeps digital silence at -4, where the public
program warns of NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SAMPLE_RATE, RATE, BANDS = 16_000, 80, 80
WINDOW, HOP, EMPHASIS = 800, 200, 0.97
LOW_HZ, HIGH_HZ = 55.0, 7600.0
FLOOR_DB, REFERENCE_DB, LARGEST = -100.0, 20.0, 4.0
SPAN = 16
"""Mel frames of one picture: 0.2 s from its own time on."""


class TalkingMel(nn.Module):
    """Samples (batch, n) -> mel (batch, 80, n // 200 + 1)."""

    window: Tensor
    bands: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW, device="cpu"), persistent=False)
        self.register_buffer("bands", slaney_bands(), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """float32 (batch, n) at 16 kHz -> (batch, 80, n // 200 + 1) in [-4, 4]."""
        with torch.autocast(samples.device.type, enabled=False):  # 16 bits would quantise loud speech in steps of 0.03
            return self._mel(samples.float())

    def _mel(self, samples: Tensor) -> Tensor:
        x = F.pad(samples, (0, max(0, SPAN * HOP - samples.shape[1])))
        x = torch.cat([x[:, :1], x[:, 1:] - EMPHASIS * x[:, :-1]], 1)
        size = torch.stft(x, WINDOW, HOP, window=self.window, pad_mode="reflect", return_complex=True).abs()
        decibels = 20 * torch.log10((self.bands @ size).clamp(min=10 ** (FLOOR_DB / 20))) - REFERENCE_DB
        return (2 * LARGEST * (decibels - FLOOR_DB) / -FLOOR_DB - LARGEST).clamp(-LARGEST, LARGEST)


def spans(mel: Tensor, frames: int, frame_rate: int) -> Tensor:
    """(batch, 80, mel frames) -> (batch, frames, 80, 16): the span of picture t starts at mel frame floor(80 t / fps).

    The last pictures, whose span would exceed the audio, all use its last 16 mel frames.
    """
    starts = torch.arange(frames, device=mel.device) * RATE // frame_rate
    starts = starts.clamp(max=mel.shape[2] - SPAN)
    at = starts[:, None] + torch.arange(SPAN, device=mel.device)
    return mel[:, :, at].transpose(1, 2)


def slaney_bands() -> Tensor:
    """float32 (80, 401): triangles of unit area, evenly spaced on Slaney's scale (linear to 1 kHz, logarithmic
    above)."""
    from transformers.audio_utils import mel_filter_bank

    rows = mel_filter_bank(WINDOW // 2 + 1, BANDS, LOW_HZ, HIGH_HZ, SAMPLE_RATE, norm="slaney", mel_scale="slaney")
    return torch.as_tensor(rows.T.copy(), dtype=torch.float32, device="cpu")
