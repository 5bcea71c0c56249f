"""The authors' checkpoints (github.com/Doubiiu/CodeTalker) under our names.

Stage 1 holds the motion prior alone, stage 2 everything but the prior: it leaves out each key with "autoencoder" in it.
Either file is mapped by itself, its config saying which part it is; converted together they are the whole network.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from speech_to_face.base import ModelError
from speech_to_face.networks.codetalker.mesh.config import MeshConfig, published
from speech_to_face.networks.codetalker.mesh.network import MeshCodeTalker
from speech_to_face.networks.wav2vec import library_name
from speech_to_face.official.mapped import Mapped

PRIOR = "autoencoder."
STAGE_1, STAGE_2 = "quantize.embedding.weight", "learnable_style_emb.weight"
"""Keys that tell the two files apart."""
MASK = "speech.masked_spec_embed"
"""The embedding that masks features in training; a file may lack it."""
DROPPED = re.compile(r"(^|\.)(PPE|(en|de)coder_pos_embedding)\.pe$|^audio_encoder\.lm_head\.|num_batches_tracked$")
"""Tables of positions, which are computed, and the text head of the speech network, which nothing uses."""
RENAMES = (
    (r"^autoencoder\.", "prior."),
    (r"^prior\.quantize\.embedding\.weight$", "prior.codes"),
    (r"^prior\.encoder\.vertice_mapping\.0\.", "prior.read."),
    (r"^prior\.encoder\.encoder_linear_embedding_post\.net\.", "prior.post."),
    (r"^prior\.decoder\.decoder_linear_embedding_pre\.net\.", "prior.pre."),
    (r"^prior\.decoder\.vertice_map_reverse\.", "prior.write."),
    (r"^prior\.encoder\.squasher\.0\.0\.", "prior.encoder.conv."),
    (r"^prior\.decoder\.expander\.0\.0\.", "prior.decoder.conv."),
    (r"^prior\.(en|de)coder\.\1coder_linear_embedding\.net\.", r"prior.\1coder.embed."),
    (r"^audio_feature_map\.", "hear."),
    (r"^vertice_map\.", "feed."),
    (r"^transformer_decoder\.", "decoder."),
    (r"^feat_map\.", "name."),
    (r"^learnable_style_emb\.", "styles."),
)
BLOCK = re.compile(r"^prior\.(en|de)coder\.\1coder_transformer\.net\.(\d+)\.fn\.(.+)$")
"""Attention and feed-forward layers alternate: even ones are attention."""
IN_ATTENTION = {"norm": "norm_attention", "fn.to_qkv": "attention.to_qkv", "fn.to_out": "attention.to_out"}
IN_FEED = {"norm": "norm_feed", "fn.l1": "widen", "fn.l2": "narrow"}


def recognised(state: dict[str, Tensor]) -> bool:
    """Whether the names are those of a stage 1 file, a stage 2 file, or both merged."""
    keys = _bare(state).keys()
    return "encoder.vertice_mapping.0.weight" in keys or (STAGE_2 in keys and "feat_map.weight" in keys)


def mapped(state: dict[str, Tensor]) -> Mapped:
    """The tensors under our names; `parts` of the config names what is there. ModelError for what is missing or has
    another shape."""
    found = _bare(state)
    if STAGE_1 in found:
        found = {PRIOR + key: value for key, value in found.items()}
    dropped = tuple(sorted(key for key in found if DROPPED.search(key)))
    tensors = {our_name(key): value.contiguous() for key, value in found.items() if key not in dropped}
    parts = tuple(part for part, key in (("prior", "prior.codes"), ("speech", "styles.weight")) if key in tensors)
    config = _sizes(tensors)
    wanted = {
        key: shape
        for key, shape in shapes(config).items()
        if ("prior" if key.startswith("prior.") else "speech") in parts
    }
    if MASK in wanted:
        tensors.setdefault(MASK, torch.zeros(wanted[MASK]))
    _check(tensors, wanted)
    kept = {key: value for key, value in tensors.items() if key in wanted}
    unmapped = tuple(sorted(key for key in found if key not in dropped and our_name(key) not in wanted))
    return Mapped("codetalker", _plain(config, parts), kept, dropped + unmapped)


def our_name(key: str) -> str:
    """A published key, with its prior under "autoencoder.", as `MeshCodeTalker` names it; an unknown one stays."""
    if key.startswith("audio_encoder."):
        return "speech." + library_name(key.removeprefix("audio_encoder."))
    for pattern, ours in RENAMES:
        key = re.sub(pattern, ours, key)
    if block := BLOCK.match(key):
        side, number, inner = block.groups()
        part, kind = inner.rsplit(".", 1)
        name = (IN_FEED if int(number) % 2 else IN_ATTENTION).get(part, part)
        return f"prior.{side}coder.layers.{int(number) // 2}.{name}.{kind}"
    return key


def shapes(config: MeshConfig) -> dict[str, tuple[int, ...]]:
    """What a network of these sizes holds, made without memory."""
    with torch.device("meta"):
        network = MeshCodeTalker(config)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def _bare(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix("module."): value for key, value in state.items()}


def _sizes(tensors: dict[str, Tensor]) -> MeshConfig:
    """The published configuration that the tensors are of, with as many styles as they have. ModelError for any other
    head."""
    try:
        points = tensors["prior.read.weight" if "prior.codes" in tensors else "feed.weight"].shape[1]
    except KeyError as error:
        raise _lacks(str(error.args[0])) from error
    config = published(points // 3)
    if "styles.weight" in tensors and len(tensors["styles.weight"]) != len(config.styles):
        config = replace(config, styles=tuple(f"subject-{row}" for row in range(len(tensors["styles.weight"]))))
    return config


def _check(tensors: dict[str, Tensor], wanted: dict[str, tuple[int, ...]]) -> None:
    for key, shape in wanted.items():
        if key not in tensors:
            raise _lacks(key)
        if tuple(tensors[key].shape) != shape:
            raise ModelError(f"a CodeTalker checkpoint whose {key} is {tuple(tensors[key].shape)}, expected {shape}")


def _lacks(key: str) -> ModelError:
    return ModelError(f"a CodeTalker checkpoint without {key} (in our names): it is cut short, or of another version")


def _plain(config: MeshConfig, parts: tuple[str, ...]) -> dict[str, Any]:
    """Values of config.yaml. Only the stage that has the speakers lists their names, so that the two files do not
    disagree."""
    values = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(config).items()
        if key != "system"
    }
    if "speech" not in parts:
        del values["styles"]
    return values | {"parts": list(parts)}
