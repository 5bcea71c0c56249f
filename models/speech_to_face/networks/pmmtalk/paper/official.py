"""Public weights of PMMTalk's frozen and pre-trained parts, renamed: Wav2Lip (psi_HG) and wav2vec 2.0 large (psi_AE
with psi_AD or psi_TD).

PMMTalk itself was never released. Public are Wav2Lip's state dict under `module.`, wav2vec2-large-xlsr-53 (with
pre-training heads that are not used here), and recognisers on top of it with an `lm_head`, such as the Chinese one with
3503 characters. Names of weight-normed convolutions differ by the version of the library that wrote them; both are
read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.paper.branches import AudioDecoder, TextDecoder
from speech_to_face.networks.pmmtalk.paper.config import Config
from speech_to_face.networks.pmmtalk.paper.talking_head import TalkingHead
from speech_to_face.networks.wav2vec import FeatureEncoder, library_name
from speech_to_face.official.mapped import Mapped

SYSTEM = Config().system
TALKING = "face_encoder_blocks.0.0.conv_block.0.weight"
CONV, NORM, BIAS = (
    f"feature_extractor.conv_layers.{at}" for at in ("0.conv.weight", "1.layer_norm.weight", "0.conv.bias")
)
POSITIONS = "encoder.pos_conv_embed.conv.parametrizations.weight.original1"
HEAD_WIDTH = 64
"""Width of one attention head in every published wav2vec 2.0 network; no tensor's shape gives it."""


def recognised(state: dict[str, Tensor]) -> bool:
    """Whether the names are those of Wav2Lip or of a wav2vec 2.0 network that is not a part of something larger."""
    return TALKING in _bare(state) or {CONV, POSITIONS} <= {library_name(key) for key in state}


def mapped(state: dict[str, Tensor]) -> Mapped:
    """The same tensors under the paper's names. Raises ModelError for one that is missing or has an impossible
    shape."""
    bare = _bare(state)
    return (
        _talking_head(bare)
        if TALKING in bare
        else _speech({library_name(key): value for key, value in state.items()}, tuple(state))
    )


def _bare(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix("module."): value for key, value in state.items()}


def _talking_head(state: dict[str, Tensor]) -> Mapped:
    width = int(state[TALKING].shape[0])
    with torch.device("meta"):
        part = TalkingHead(width)
    tensors, used = _taken(state, {"psi_HG.": part})
    return Mapped(SYSTEM, {"parts": ["psi_HG"], "talking_width": width}, tensors, _rest(state, used))


def _speech(state: dict[str, Tensor], names: tuple[str, ...]) -> Mapped:
    if NORM not in state or BIAS not in state:
        raise ModelError(
            "this wav2vec 2.0 network has group norm over time, as the base-960h one has; expected a large one of "
            "XLSR's layout, with "
            "layer norm and biases in every convolution"
        )
    sizes = _sizes(state)
    text = "lm_head.weight" in state
    config = Config(**sizes)
    with torch.device("meta"):
        encoder, decoder = FeatureEncoder(config.speech(0)), TextDecoder(config) if text else AudioDecoder(config)
    named = {_place(key): value for key, value in state.items()}
    tensors, used = _taken(named, {"psi_AE.": encoder, "psi_TD." if text else "psi_AD.": decoder})
    unused = tuple(name for name in names if _place(library_name(name)) not in used)
    kept: dict[str, Any] = {key: list(value) if isinstance(value, tuple) else value for key, value in sizes.items()}
    return Mapped(SYSTEM, {"parts": ["psi_AE", "psi_TD" if text else "psi_AD"], **kept}, tensors, unused)


def _place(key: str) -> str:
    """Place of a wav2vec 2.0 tensor in `FeatureEncoder`, `AudioDecoder` or `TextDecoder`."""
    if key.startswith("feature_extractor."):
        return key.removeprefix("feature_extractor.")
    return f"context.{key}" if key.startswith(("feature_projection.", "encoder.")) else key


def _sizes(state: dict[str, Tensor]) -> dict[str, Any]:
    """Fields of `Config` that follow from the shapes."""
    convs = [
        state[f"feature_extractor.conv_layers.{n}.conv.weight"].shape
        for n in range(_count(state, "feature_extractor.conv_layers."))
    ]
    layers, last = _count(state, "encoder.layers."), state[POSITIONS].shape
    text = "lm_head.weight" in state
    sizes: dict[str, Any] = {
        "conv_widths": tuple(int(shape[0]) for shape in convs),
        "conv_kernels": tuple(int(shape[2]) for shape in convs),
        "speech_width": int(last[0]),
        "speech_heads": max(1, int(last[0]) // HEAD_WIDTH),
        "speech_feed": int(_needed(state, "encoder.layers.0.feed_forward.intermediate_dense.weight").shape[0]),
        "position_kernel": int(last[2]),
        "position_groups": int(last[0] // last[1]),
        "text_layers" if text else "audio_layers": layers,
    }
    return {**sizes, "vocabulary": int(state["lm_head.weight"].shape[0])} if text else sizes


def _count(state: dict[str, Tensor], prefix: str) -> int:
    return len({key.removeprefix(prefix).split(".")[0] for key in state if key.startswith(prefix)})


def _needed(state: dict[str, Tensor], key: str) -> Tensor:
    if key not in state:
        raise ModelError(
            f"no tensor {key} in the file: it is no whole wav2vec 2.0 network; expected one with its transformer"
        )
    return state[key]


def _taken(state: dict[str, Tensor], parts: dict[str, nn.Module]) -> tuple[dict[str, Tensor], set[str]]:
    """Tensors for the parts, under prefix and key; and the keys that were used. Raises ModelError for the first that
    does not fit."""
    tensors: dict[str, Tensor] = {}
    used: set[str] = set()
    for prefix, part in parts.items():
        for key, wanted in part.state_dict().items():
            if key not in state:
                raise ModelError(f"no tensor for {prefix}{key} in the file; expected a whole checkpoint of this part")
            if state[key].shape != wanted.shape:
                raise ModelError(f"{prefix}{key} has shape {tuple(state[key].shape)}, expected {tuple(wanted.shape)}")
            tensors[prefix + key] = state[key].contiguous()
            used.add(key)
    return tensors, used


def _rest(state: dict[str, Tensor], used: set[str]) -> tuple[str, ...]:
    return tuple(key for key in state if key not in used)
