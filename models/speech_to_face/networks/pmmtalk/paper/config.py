"""Sizes of PMMTalk at the paper's size, and its losses' weights.

The two presets beside this file differ in nothing else. [paper] marks what the paper states; for the rest it gives no
value, and EmoTalk and FaceFormer, its relatives, are followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.wav2vec import Sizes

PAPER, TINY = (Path(__file__).parent / f"{name}.yaml" for name in ("paper", "tiny"))
"""The paper's sizes, and sizes for a test; read by `speech_to_face.config_file.load_config`."""
PARTS = ("psi_AE", "psi_AD", "psi_TD", "psi_HG", "psi_IE", "alignment", "psi_PD", "styles")
"""The network's parts by the paper's names, in the order of the signal path."""
CHOICES = {
    "interp_audio": ("pre", "post"),
    "interp_text": ("pre", "post"),
    "text_reading": ("logits", "probabilities", "log-probabilities"),
    "temporal_target": ("softmax_identity", "identity", "band"),
    "reduction": ("sum", "mean"),
    "normalise": ("fixed", "recording"),
}


@dataclass(frozen=True, slots=True)
class Config:
    """Everything needed to build, to train and to run the network. Raises ValueError for a word that is not one of its
    choices."""

    system: str = "pmmtalk-paper"
    parts: tuple[str, ...] = PARTS
    """Parts whose weights the folder holds; an official checkpoint of one part holds no more, and drives no face."""
    conv_widths: tuple[int, ...] = (512,) * 7
    """Of psi_AE, the wav2vec 2.0 feature encoder that the audio and the text branch share, frozen [paper]."""
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    speech_width: int = 1024
    """Of both wav2vec 2.0 transformers [paper: 1024 for text]."""
    speech_heads: int = 16
    speech_feed: int = 4096
    position_kernel: int = 128
    position_groups: int = 16
    audio_layers: int = 24
    """psi_AD, trained."""
    text_layers: int = 24
    """psi_TD, frozen [paper]."""
    vocabulary: int = 3503
    """Characters of the text head [paper]: those of wav2vec2-large-xlsr-53-chinese-zh-cn."""
    interp_audio: str = "pre"
    """Where features are interpolated from 50 a second to the frames: before the transformer (the lineage) or after."""
    interp_text: str = "post"
    """After, since this transformer was trained on characters at 50 a second."""
    text_reading: str = "logits"
    """Form of the characters: normalised logits, probabilities, or log-probabilities clamped at -10."""
    talking_width: int = 16
    """psi_HG, Wav2Lip's layout: its first convolution has 16 channels, every other a fixed multiple of these."""
    image_convs: tuple[int, ...] = (32, 64, 128, 256, 512)
    """psi_IE: one 2-D CNN for every frame, halving the picture each time, then a transformer encoder [paper, without
    sizes]."""
    image_layers: int = 3
    image_heads: int = 8
    image_feed: int = 1024
    align_width: int = 256
    view_width: int = 256
    """Of each modality in the decoder; 3 * 256 + 64 = 832 is EmoTalk's width."""
    shared_linears: bool = False
    """The decoder reads the views through the alignment's linear layers (the paper mentions a Linear twice) instead of
    its own."""
    style_width: int = 64
    """[paper]"""
    layers: int = 1
    heads: int = 4
    feed: int = 832
    period: int = 30
    """Frames of the periodic positional encoding: one second."""
    dropout: float = 0.1
    spec_augment: float = 0.0
    """Share of features hidden from psi_AD in training."""
    normalise: str = "fixed"
    """"recording": every clip to mean 0 and deviation 1, which is impossible live; "fixed": audio divided by
    `level`."""
    level: float = 0.1
    """Root mean square of close speech."""
    position_weight: float = 1.0
    """lambda_1 to lambda_4 of equation 8 [paper]."""
    motion_weight: float = 10.0
    temporal_weight: float = 1e-4
    semantic_weight: float = 1e-5
    temporal_target: str = "softmax_identity"
    """Of equation 11: the printed one, nearly uniform; the identity, as CLIP has it; or a band of two frames around the
    diagonal."""
    reduction: str = "sum"
    """Of equation 11 over frames: a sum makes 1e-4 of it comparable to the position's error, a mean does not."""
    pivot_share: float = 0.1
    """Of training clips under the last style, the unknown speaker's (UniTalker's pivot)."""
    styles: tuple[str, ...] = ("neutral",)
    channels: tuple[str, ...] = MOUTH_32
    """[paper: 32 of Live Link Face's coefficients; which, it does not say]"""
    left: int = 96
    """Frames of left context of a block; see `speech_to_face.streaming.block_model`."""
    hop: int = 6
    right: int = 9

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: got {getattr(self, name)!r}, expected one of {', '.join(known)}")
        strange = [part for part in self.parts if part not in PARTS]
        if strange:
            raise ValueError(f"parts: got {strange[0]!r}, expected some of {', '.join(PARTS)}")
        self._check_sizes()

    def _check_sizes(self) -> None:
        if not self.image_convs or min(self.image_convs) < 1:
            raise ValueError(f"image_convs: got {list(self.image_convs)}, expected one width or more, each 1 or more")
        if not 0 < len(self.conv_widths) == len(self.conv_kernels) == len(self.conv_strides):
            raise ValueError("conv_widths, conv_kernels and conv_strides: expected as many of each, one or more")
        for heads, width, of in (
            ("heads", self.decoder_width, "decoder"),
            ("image_heads", self.image_convs[-1], "image encoder"),
            ("speech_heads", self.speech_width, "speech transformers"),
        ):
            count = getattr(self, heads)
            if count < 1 or width < 1 or width % count:
                raise ValueError(f"{heads}: {count} do not divide the {of}'s width of {width}")

    @property
    def decoder_width(self) -> int:
        """Three views and the style, side by side."""
        return 3 * (self.align_width if self.shared_linears else self.view_width) + self.style_width

    def speech(self, layers: int, spec_augment: float = 0.0) -> Sizes:
        """Of one of the two wav2vec 2.0 networks."""
        return Sizes(
            self.conv_widths,
            self.conv_kernels,
            self.conv_strides,
            self.speech_width,
            layers,
            self.speech_heads,
            self.speech_feed,
            self.position_kernel,
            self.position_groups,
            self.dropout,
            spec_augment,
        )
