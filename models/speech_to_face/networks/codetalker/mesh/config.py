"""Sizes of a mesh-sized CodeTalker, as the authors' configuration files for VOCASET and BIWI have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from speech_to_face.base import ModelError


@dataclass(frozen=True, slots=True)
class MeshConfig:
    """The defaults are VOCASET's."""

    system: str = "codetalker"
    corpus: Literal["vocaset", "biwi"] = "vocaset"
    """How audio and frames are aligned: "vocaset" interpolates speech features to 30 a second, "biwi" takes two of them
    for each of 25."""
    vertices: int = 5023
    hidden: int = 1024
    """Width of the prior's and of the speech decoder's layers."""
    prior_layers: int = 6
    prior_heads: int = 8
    prior_feed: int = 1536
    codes: int = 256
    code_width: int = 64
    slots: int = 16
    """Codes a frame is made of."""
    around_codes: bool = False
    """Whether linear layers stand between the prior's transformers and the codes, and the last layer has no bias
    (BIWI's)."""
    width: int = 1024
    """Of the speech decoder; its feed-forward layers are twice as wide."""
    layers: int = 6
    heads: int = 4
    period: int = 30
    """Frames of the periodic positions and of one step of the attention's bias: a second."""
    speech_width: int = 768
    speech_layers: int = 12
    speech_heads: int = 12
    speech_feed: int = 3072
    conv_width: int = 512
    """Of wav2vec2-base-960h's feature encoder."""
    styles: tuple[str, ...] = ()
    """Training subjects, in the order of the authors' configuration."""
    parts: tuple[str, ...] = ("prior", "speech")
    """Which parts the weights hold: of the published files, stage 1 is one and stage 2 the other."""

    def __post_init__(self) -> None:
        if not self.around_codes and self.slots * self.code_width != self.hidden:
            got = f"{self.slots} codes of width {self.code_width}"
            raise ValueError(f"{got} do not make up hidden {self.hidden}: set around_codes, or other sizes")

    @property
    def frame_rate(self) -> int:
        """Frames per second of the mesh."""
        return 30 if self.corpus == "vocaset" else 25

    @property
    def points(self) -> int:
        """Coordinates of a frame."""
        return 3 * self.vertices

    @property
    def latent(self) -> int:
        """Width of a frame's latent: its slots times the width of a code."""
        return self.slots * self.code_width


VOCASET = MeshConfig(
    styles=(
        "FaceTalk_170728_03272_TA",
        "FaceTalk_170904_00128_TA",
        "FaceTalk_170725_00137_TA",
        "FaceTalk_170915_00223_TA",
        "FaceTalk_170811_03274_TA",
        "FaceTalk_170913_03279_TA",
        "FaceTalk_170904_03276_TA",
        "FaceTalk_170912_03278_TA",
    )
)
BIWI = MeshConfig(
    corpus="biwi",
    vertices=23370,
    code_width=128,
    slots=8,
    around_codes=True,
    layers=12,
    period=25,
    styles=("F2", "F3", "F4", "M3", "M4", "M5"),
)


def published(vertices: int) -> MeshConfig:
    """The configuration of a head with so many vertices. Raises ModelError for one that the authors did not train."""
    for config in (VOCASET, BIWI):
        if config.vertices == vertices:
            return config
    raise ModelError(f"a CodeTalker checkpoint of {vertices} vertices: expected 5023 (VOCASET) or 23370 (BIWI)")
