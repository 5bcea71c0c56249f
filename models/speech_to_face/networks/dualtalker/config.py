"""Sizes of a DualTalker network and the shares of its losses; what `config.yaml` of a checkpoint holds. All of them are
ours."""

from __future__ import annotations

from dataclasses import dataclass

from arkit_mapping.channels import MOUTH_32
from speech_to_face.phones import CLASSES


@dataclass(frozen=True, slots=True)
class Config:
    """Everything needed to build the network, to train it and to run it live. Raises ValueError for sizes that do not
    fit each other."""

    system: str = "dualtalker"
    width: int = 224
    """Of the audio encoder and its features A."""
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 8)
    """One audio block each; together they cover 0.6 s of the past."""
    motion_width: int = 128
    """Of the motion encoder and its features M."""
    motion_dilations: tuple[int, ...] = (1, 2, 4, 8)
    """One motion block each; together they cover half a second of the past."""
    decoder_width: int = 192
    style_width: int = 64
    shared_width: int = 64
    """Of the space in which both kinds of features are compared."""
    heads: int = 4
    layers: int = 1
    """Of the face decoder; the lip reader has one."""
    period: int = 60
    """Frames of the periodic positional encoding: one second."""
    window: int = 120
    """Frames the face decoder attends to: two seconds."""
    reader_window: int = 60
    """Frames the lip reader attends to."""
    delay: int = 3
    """Steps a frame is held back: look-ahead is (delay + 1) / 60 s, the hop included."""
    read_delay: int = 6
    """Frames the lip reader sees after the one it labels: the lips of a phone move before and after its audio."""
    floor: float = 0.02
    """Coefficients up to here are neutral."""
    position: float = 1.0
    motion: float = 10.0
    """Shares of L_prim's two terms: VOCA's and PMMTalk's 1 and 10."""
    draft: float = 0.5
    """Share of the same two terms for the draft, before the decoder corrects it."""
    dual: float = 0.01
    cycle: float = 0.001
    consistency: float = 0.001
    """Shares of L_dual, L_cyc and L_cons: a cross-entropy is a thousand times a squared error of coefficients."""
    phones: tuple[str, ...] = CLASSES
    """Classes of the lip reader."""
    styles: tuple[str, ...] = ("neutral",)
    """Ways of speaking, by name; one more row, the last, stands for an unknown one."""
    channels: tuple[str, ...] = MOUTH_32
    """ARKit names of the output."""

    def __post_init__(self) -> None:
        for name in ("motion_width", "decoder_width"):
            if getattr(self, name) % self.heads:
                raise ValueError(f"{name} {getattr(self, name)} is not a multiple of heads {self.heads}")
        if min(self.delay, self.read_delay) < 0:
            raise ValueError(f"delay {self.delay} and read_delay {self.read_delay}: expected 0 or more")
