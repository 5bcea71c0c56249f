"""The authors' checkpoints, made up with their names and shapes, under our names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.networks.codetalker import official
from speech_to_face.networks.codetalker.mesh.config import BIWI, VOCASET, MeshConfig
from speech_to_face.networks.codetalker.mesh.loading import load_mesh, style_of
from speech_to_face.networks.codetalker.mesh.network import speech_encoder

from .mesh.conftest import VOCA, built

Shapes = dict[str, tuple[int, ...]]


def linear(name: str, out: int, into: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (out, into)} | ({f"{name}.bias": (out,)} if bias else {})


def trunk(side: str, row: str, config: MeshConfig) -> Shapes:
    """The shared half of the published encoder and decoder."""
    d, feed = config.hidden, config.prior_feed
    found: Shapes = {
        f"{side}.{row}.0.0.weight": (d, d, 5),
        f"{side}.{row}.0.0.bias": (d,),
        f"{side}.{side}_pos_embedding.pe": (5000, 1, d),
    }
    found |= linear(f"{side}.{side}_linear_embedding.net", d, d)
    for block in range(2 * config.prior_layers):
        at = f"{side}.{side}_transformer.net.{block}.fn"
        found |= {f"{at}.norm.weight": (d,), f"{at}.norm.bias": (d,)}
        if block % 2 == 0:
            found |= linear(f"{at}.fn.to_qkv", 3 * d, d, bias=False) | linear(f"{at}.fn.to_out", d, d)
        else:
            found |= linear(f"{at}.fn.l1", feed, d) | linear(f"{at}.fn.l2", d, feed)
    return found


def stage_1(config: MeshConfig) -> Shapes:
    d, biwi = config.hidden, config.around_codes
    found = linear("encoder.vertice_mapping.0", d, config.points) | trunk("encoder", "squasher", config)
    found |= trunk("decoder", "expander", config) | linear(
        "decoder.vertice_map_reverse", config.points, d, bias=not biwi
    )
    if biwi:
        found |= linear("encoder.encoder_linear_embedding_post.net", config.latent, d)
        found |= linear("decoder.decoder_linear_embedding_pre.net", d, config.latent)
    return found | {"quantize.embedding.weight": (config.codes, config.code_width)}


def stage_2(config: MeshConfig, old_weight_norm: bool = True) -> Shapes:
    w = config.width
    found = linear("audio_feature_map", w, config.speech_width) | linear("vertice_map", w, config.points)
    found |= {
        "PPE.pe": (1, 20 * config.period + config.period, w),
        "learnable_style_emb.weight": (len(config.styles), w),
    }
    found |= linear("feat_map", config.latent, w, bias=False)
    for layer in range(config.layers):
        at = f"transformer_decoder.layers.{layer}"
        for attention in ("self_attn", "multihead_attn"):
            found |= {f"{at}.{attention}.in_proj_weight": (3 * w, w), f"{at}.{attention}.in_proj_bias": (3 * w,)}
            found |= linear(f"{at}.{attention}.out_proj", w, w)
        found |= linear(f"{at}.linear1", 2 * w, w) | linear(f"{at}.linear2", w, 2 * w)
        found |= {f"{at}.norm{n}.{kind}": (w,) for n in (1, 2, 3) for kind in ("weight", "bias")}
    return found | {f"audio_encoder.{key}": shape for key, shape in wav2vec(config, old_weight_norm).items()}


def wav2vec(config: MeshConfig, old: bool) -> Shapes:
    """As transformers saved it when the checkpoints were made, with the weight norm's old names."""
    with torch.device("meta"):
        found = {key: tuple(value.shape) for key, value in speech_encoder(config).state_dict().items()}
    if old:
        for ours, theirs in (
            ("parametrizations.weight.original0", "weight_g"),
            ("parametrizations.weight.original1", "weight_v"),
        ):
            found[f"encoder.pos_conv_embed.conv.{theirs}"] = found.pop(f"encoder.pos_conv_embed.conv.{ours}")
    return found


def made(shapes: Shapes, device: str = "cpu", prefix: str = "") -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {prefix + key: torch.randn(shape, device=device) * 0.2 for key, shape in shapes.items()}


@pytest.mark.parametrize("config", [VOCASET, BIWI], ids=["vocaset", "biwi"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_both_files_at_full_size_fill_the_whole_network(config: MeshConfig, prefix: str) -> None:
    found: dict[str, Tensor] = {}
    for shapes, part in ((stage_1(config), "prior"), (stage_2(config), "speech")):
        state = made(shapes, "meta", prefix)
        assert official.recognised(state)
        mapped = official.mapped(state)
        assert mapped.system == "codetalker" and mapped.config["parts"] == [part]
        assert mapped.config["vertices"] == config.vertices and mapped.config["code_width"] == config.code_width
        assert all(key.endswith(".pe") for key in mapped.unmapped)
        found |= mapped.tensors
    assert {key: tuple(value.shape) for key, value in found.items()} == official.shapes(config)
    assert mapped.config["styles"] == list(config.styles)


def test_stage_two_laid_out_with_its_prior_inside_is_the_whole_network_too() -> None:
    inside = {f"autoencoder.{key}": value for key, value in made(stage_1(VOCASET), "meta").items()}
    mapped = official.mapped(inside | made(stage_2(VOCASET), "meta"))
    assert mapped.config["parts"] == ["prior", "speech"] and mapped.tensors.keys() == official.shapes(VOCASET).keys()


def test_other_networks_are_not_recognised() -> None:
    assert not official.recognised({"audio_encoder.x": torch.zeros(1), "vertice_map.weight": torch.zeros(1)})


MISSING = [("encoder.squasher.0.0.weight", "prior.encoder.conv.weight"), ("feat_map.weight", "name.weight")]


@pytest.mark.parametrize(("key", "ours"), MISSING)
def test_a_missing_tensor_and_another_shape_are_said(key: str, ours: str) -> None:
    state = made(stage_1(VOCASET) if key in stage_1(VOCASET) else stage_2(VOCASET), "meta")
    with pytest.raises(ModelError, match=rf"whose {ours} is \(3,\)"):
        official.mapped({**state, key: torch.zeros(3)})
    del state[key]
    with pytest.raises(ModelError, match=f"without {ours}"):
        official.mapped(state)


def test_a_head_that_nobody_published_is_refused() -> None:
    with pytest.raises(ModelError, match="of 4 vertices"):
        official.mapped(made(stage_1(VOCA)))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> MeshConfig:
    """A tiny head among the published ones."""
    monkeypatch.setattr(official, "published", lambda vertices: VOCA)
    return VOCA


def test_numbers_arrive_where_they_belong(tiny: MeshConfig) -> None:
    """By name: every tensor of the two files, found again in the network's own places."""
    state = made(stage_1(tiny)) | made(stage_2(tiny))
    whole = official.mapped(made(stage_1(tiny))).tensors | official.mapped(made(stage_2(tiny))).tensors
    network = built(tiny)
    network.load_state_dict(whole)
    first, last = network.prior.encoder.layers[0], network.prior.decoder.layers[1]
    positions = network.speech.encoder.pos_conv_embed.conv
    for ours, theirs in (
        (network.prior.read.weight, "encoder.vertice_mapping.0.weight"),
        (network.prior.decoder.conv.bias, "decoder.expander.0.0.bias"),
        (first.attention.to_qkv.weight, "encoder.encoder_transformer.net.0.fn.fn.to_qkv.weight"),
        (first.norm_feed.weight, "encoder.encoder_transformer.net.1.fn.norm.weight"),
        (last.norm_attention.bias, "decoder.decoder_transformer.net.2.fn.norm.bias"),
        (last.narrow.weight, "decoder.decoder_transformer.net.3.fn.fn.l2.weight"),
        (network.prior.codes, "quantize.embedding.weight"),
        (
            network.decoder.layers[1].multihead_attn.in_proj_weight,
            "transformer_decoder.layers.1.multihead_attn.in_proj_weight",
        ),
        (positions.parametrizations.weight.original1, "audio_encoder.encoder.pos_conv_embed.conv.weight_v"),
    ):
        same = made(stage_1(tiny)) if theirs in stage_1(tiny) else made(stage_2(tiny))
        assert torch.equal(ours, same[theirs]), theirs
        assert theirs in state


@pytest.mark.parametrize("parts", [("prior",), ("speech",), ("prior", "speech")], ids="+".join)
def test_a_folder_needs_both_stages(tiny: MeshConfig, parts: tuple[str, ...], tmp_path: Path) -> None:
    stages = {"prior": official.mapped(made(stage_1(tiny))), "speech": official.mapped(made(stage_2(tiny)))}
    tensors: dict[str, Tensor] = {}
    for part in parts:
        tensors |= stages[part].tensors
    config = stages[parts[-1]].config | {"system": "codetalker", "parts": list(parts)}
    (tmp_path / checkpoint.CONFIG).write_text(yaml.safe_dump(config))
    save_file(tensors, tmp_path / checkpoint.WEIGHTS)
    checkpoint.write_sums(tmp_path)
    if len(parts) == 1:
        with pytest.raises(ModelError, match="convert the files of both stages together"):
            load_mesh(tmp_path)
        return
    network = load_mesh(tmp_path)
    mixed = style_of(network, "0.25:a,0.75:c")
    torch.testing.assert_close(mixed, 0.25 * network.styles.weight[0] + 0.75 * network.styles.weight[2])
    with pytest.raises(ModelError, match="unknown style"):
        style_of(network, "d")
