"""Large networks that take a whole segment of audio at once, run live in blocks: left context, hop, right context.

A network of a paper's size (a transformer over wav2vec features) is not causal, so it cannot step. It runs on
overlapping segments, and of each only the hop in the middle is kept. The grid of the blocks starts at sample 0 and
every block has the same number of samples, whatever the chunks in which the audio arrives; a whole recording runs
through the same blocks. So a live face and a converted one agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.base import Coefficients, ModelError, Samples, SpeechToFace, check_samples
from speech_to_face.streaming.causal_model import load_weights, refuse_what_is_not_there
from speech_to_face.styles import VoiceChoice, style_shares
from speech_to_face.torch_threads import torch_threads

SAMPLE_RATE = 16_000
PAPER_FRAME_RATE = 30
"""Frames per second of the networks at their papers' size; `to_60_fps` makes the program's rate of them."""
GRID_FRAMES, GRID_SAMPLES = 3, 1600
"""30 fps and 16 kHz meet every 0.1 s: block edges lie there, so each falls on a whole sample and all blocks are equally
long."""

Face = Callable[[Tensor, int, Tensor], Tensor]
"""(samples (batch, n), frames, style (batch, width)) -> coefficients (batch, frames, channels): a network, or one with
a face bound."""


class BlockConfig(Protocol):
    """Values that the config of such a network has besides its sizes."""

    @property
    def channels(self) -> tuple[str, ...]:
        """ARKit names, camelCase, of the output's columns."""
        ...

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the rows of the style table but the last, which stands for an unknown speaker."""
        ...

    @property
    def left(self) -> int:
        """Frames of context before those that a block gives; a multiple of 3, as the next two. Silence before sample
        0."""
        ...

    @property
    def hop(self) -> int:
        """Frames that a block gives."""
        ...

    @property
    def right(self) -> int:
        """Frames of context after them."""
        ...


class BlockNetwork(Protocol):
    """An nn.Module of this kind."""

    config: Any
    """See `BlockConfig`."""
    frame_rate: int
    """30"""
    styles: nn.Embedding
    """(len(config.styles) + 1, style width)"""

    def __call__(self, samples: Tensor, frames: int, style: Tensor) -> Tensor:
        """samples (batch, n) float32, mono, 16 kHz, in [-1, 1]; style (batch, style width) -> (batch, frames,
        channels), not clamped.

        n is frames * 1600 / 3 for the blocks of this module. Frame k belongs to time k / 30 of the segment.
        """
        ...


class Blocks:
    """One voice's blocks: runs one, and knows its length."""

    def __init__(self, face: Face, config: BlockConfig, style: Tensor, threads: int | None = None) -> None:
        """style: (1, style width), on the network's device; threads: of one operator, None leaves PyTorch's number.

        Raises ModelError for sizes that do not lie on the grid.
        """
        for name, least in (("left", 0), ("hop", 1), ("right", 0)):
            frames = getattr(config, name)
            if frames < least or frames % GRID_FRAMES:
                raise ModelError(
                    f"config {name}: got {frames} frames, expected a multiple of {GRID_FRAMES}, at least {least}"
                )
        self._face, self._style, self._threads = face, style, threads
        self.left, self.hop, self.right = config.left, config.hop, config.right
        self.channels = config.channels

    @property
    def samples(self) -> int:
        """Samples of one block, contexts included."""
        return samples_of(self.left + self.hop + self.right)

    @torch.inference_mode()
    def run(self, samples: Samples) -> Coefficients:
        """float32 (samples,) -> (hop, channels) in [0, 1]"""
        heard = torch.from_numpy(np.ascontiguousarray(samples)).to(self._style.device)[None]
        with torch_threads(self._threads):
            found = self._face(heard, self.left + self.hop + self.right, self._style)[
                0, self.left : self.left + self.hop
            ]
        return np.asarray(found.float().clamp(0, 1).cpu().numpy())


def samples_of(frames: int) -> int:
    """Samples of `frames` frames, a multiple of 3."""
    return frames // GRID_FRAMES * GRID_SAMPLES


def frames_of(samples: int) -> int:
    """Frames of a recording: ceil(samples * 30 / 16000)."""
    return -(-samples * PAPER_FRAME_RATE // SAMPLE_RATE)


class BlockStream:
    """One live voice: block b gives frames [b * hop, (b + 1) * hop) once the audio up to frame (b + 1) * hop + right
    has arrived."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self.reset()

    def reset(self) -> None:
        """Forget all audio: the next sample is sample 0 of frame 0."""
        self._waiting = np.zeros(samples_of(self._blocks.left), np.float32)
        """From the start of the next block's left context on."""
        self._received = self._given = 0
        self._flushed = False

    def push(self, samples: Samples) -> Coefficients:
        """Frames that became ready. Raises ValueError for anything but a one-dimensional array of finite numbers."""
        samples = check_samples(samples, self._flushed)
        self._received += len(samples)
        return self._advance(samples)

    def flush(self) -> Coefficients:
        """The frames not given yet, as if silence followed: ceil(n * 30 / 16000) in all for n samples pushed."""
        missing = 0 if self._flushed else frames_of(self._received) - self._given
        self._flushed = True
        blocks = -(-missing // self._blocks.hop)
        size = self._blocks.samples + samples_of(self._blocks.hop) * (blocks - 1) if blocks else len(self._waiting)
        return self._advance(np.zeros(max(0, size - len(self._waiting)), np.float32))[:missing]

    def _advance(self, samples: Samples) -> Coefficients:
        heard, frames = (
            np.concatenate([self._waiting, samples]),
            [np.empty((0, len(self._blocks.channels)), np.float32)],
        )
        size, step = self._blocks.samples, samples_of(self._blocks.hop)
        at = 0
        while at + size <= len(heard):
            frames.append(self._blocks.run(heard[at : at + size]))
            at += step
        self._waiting = heard[at:]
        face = np.concatenate(frames)
        self._given += len(face)
        return face


class BlockModel:
    """A loaded large network with its voice chosen; see `speech_to_face.base.SpeechToFace`."""

    sample_rate, frame_rate = SAMPLE_RATE, PAPER_FRAME_RATE
    in_blocks = True
    """Live use needs a machine that keeps up, which is measured first; see `real_time_factor`."""

    def __init__(self, name: str, device: str, blocks: Blocks) -> None:
        self.name, self.device, self._blocks = name, device, blocks

    @property
    def lookahead_s(self) -> float:
        """The first frame of a block waits for the whole hop and the right context."""
        return (self._blocks.hop + self._blocks.right) / PAPER_FRAME_RATE

    @property
    def channels(self) -> tuple[str, ...]:
        """ARKit names, camelCase, of the columns."""
        return self._blocks.channels

    def stream(self) -> BlockStream:
        """A new live voice; streams share the weights."""
        return BlockStream(self._blocks)

    def animate(self, samples: Samples) -> Coefficients:
        """float32 (n,) -> (ceil(n * 30 / 16000), channels) in [0, 1]; frame k belongs to time k / 30."""
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.flush()])


def load_blocks(
    folder: Path,
    network: nn.Module,
    device: str,
    voices: Sequence[VoiceChoice],
    tongue: bool,
    face_of: Callable[[VoiceChoice], Face] | None = None,
    threads: int | None = None,
) -> list[SpeechToFace]:
    """Models of one built network, with its weights read from the folder.

    Parameters
    ----------
    face_of
        Of a network that draws on a reference face: called for each voice once the weights are on the device, returns
        what is called instead of the network. Without it a reference face is refused.
    threads
        Of one operator; None leaves PyTorch's number.

    Raises
    ------
    ModelError
        Weights that do not fit, or a style, face or tongue that the network does not have.
    """
    config: Any = network.config
    if face_of is None or tongue:
        refuse_what_is_not_there(folder.name, voices, tongue)
    shares = [style_shares(voice.style, config.styles) for voice in voices]
    load_weights(folder / checkpoint.WEIGHTS, network)
    network.to(device)
    with torch.inference_mode():
        faces: list[Face] = [network if face_of is None else face_of(voice) for voice in voices]
        table = network.get_parameter("styles.weight")
        styles = [torch.from_numpy(share[None]).to(table) @ table for share in shares]
    return [
        BlockModel(folder.name, device, Blocks(face, config, style, threads))
        for face, style in zip(faces, styles, strict=True)
    ]


def real_time_factor(model: SpeechToFace, segments: int = 2) -> float:
    """Seconds of computing per second of live audio, on this machine under its present load: above 1 it cannot keep up.

    Runs silence through a stream: one segment of look-ahead to warm up, then `segments` segments that are timed.
    """
    length = round(model.lookahead_s * model.sample_rate)
    stream = model.stream()
    stream.push(np.zeros(length, np.float32))
    began = time.perf_counter()
    stream.push(np.zeros(segments * length, np.float32))
    return (time.perf_counter() - began) * model.sample_rate / (segments * length)
