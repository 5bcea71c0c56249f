"""Key mapping against state dicts made with the public checkpoints' names, and their shapes at small widths."""

import pytest
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2ForPreTraining

from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.paper.official import mapped, recognised
from speech_to_face.networks.pmmtalk.paper.talking_head import TalkingHead
from speech_to_face.networks.wav2vec import Sizes, library_config

TINY = Sizes((16,) * 7, width=64, layers=2, heads=1, feed=48, position_kernel=16, position_groups=4)
OLD = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}


def wav2lip() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {f"module.{key}": value for key, value in TalkingHead(2).state_dict().items()}


def aged(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for new, old in OLD.items():
        state = {key.replace(new, old): value for key, value in state.items()}
    return state


def pretrained(old: bool) -> dict[str, torch.Tensor]:
    """As wav2vec2-large-xlsr-53: everything under wav2vec2., and the heads of pre-training."""
    config = library_config(TINY)
    config.num_codevector_groups, config.codevector_dim, config.proj_codevector_dim = 2, 8, 8
    state = Wav2Vec2ForPreTraining(config).state_dict()
    return aged(state) if old else dict(state)


def recogniser() -> dict[str, torch.Tensor]:
    """As wav2vec2-large-xlsr-53-chinese-zh-cn: old names, and a head."""
    config = library_config(TINY)
    config.vocab_size = 37
    return aged(Wav2Vec2ForCTC(config).state_dict())


def test_wav2lip_is_the_talking_head_under_another_prefix():
    state = wav2lip()
    found = mapped(state)
    assert recognised(state) and found.system == "pmmtalk-paper" and found.unmapped == ()
    assert found.config == {"parts": ["psi_HG"], "talking_width": 2}
    assert torch.equal(
        found.tensors["psi_HG.face_decoder_blocks.6.0.conv_block.0.weight"],
        state["module.face_decoder_blocks.6.0.conv_block.0.weight"],
    )
    assert found.tensors["psi_HG.audio_encoder.3.conv_block.1.running_var"].shape == (8,)
    assert len(found.tensors) == len(state)


@pytest.mark.parametrize("old", [True, False])
def test_a_pretrained_wav2vec_is_the_shared_encoder_and_the_audio_decoder_in_both_namings(old):
    state = pretrained(old)
    found = mapped(state)
    assert recognised(state)
    assert found.config == {
        "parts": ["psi_AE", "psi_AD"],
        "conv_widths": [16] * 7,
        "conv_kernels": [10, 3, 3, 3, 3, 2, 2],
        "speech_width": 64,
        "speech_heads": 1,
        "speech_feed": 48,
        "position_kernel": 16,
        "position_groups": 4,
        "audio_layers": 2,
    }
    norm = "weight_g" if old else "parametrizations.weight.original0"
    assert torch.equal(
        found.tensors["psi_AD.context.encoder.pos_conv_embed.conv.parametrizations.weight.original0"],
        state[f"wav2vec2.encoder.pos_conv_embed.conv.{norm}"],
    )
    assert torch.equal(
        found.tensors["psi_AE.conv_layers.3.conv.weight"], state["wav2vec2.feature_extractor.conv_layers.3.conv.weight"]
    )
    assert {"wav2vec2.masked_spec_embed", "quantizer.codevectors", "project_q.weight"} <= set(found.unmapped)
    assert len(found.tensors) + len(found.unmapped) == len(state)


def test_a_recogniser_is_the_shared_encoder_and_the_text_decoder_with_its_head():
    state = recogniser()
    found = mapped(state)
    assert found.config["parts"] == ["psi_AE", "psi_TD"]
    assert (found.config["vocabulary"], found.config["text_layers"]) == (37, 2)
    assert torch.equal(found.tensors["psi_TD.lm_head.weight"], state["lm_head.weight"])
    assert torch.equal(
        found.tensors["psi_TD.context.feature_projection.projection.weight"],
        state["wav2vec2.feature_projection.projection.weight"],
    )
    assert found.unmapped == ("wav2vec2.masked_spec_embed",)


def test_others_checkpoints_are_not_taken_for_these():
    assert not recognised({})
    assert not recognised(
        {
            "audio_encoder.feature_extractor.conv_layers.0.conv.weight": torch.zeros(1),
            "vertice_map.weight": torch.zeros(1),
        }
    )
    assert not recognised({"autoencoder.quantize.embedding.weight": torch.zeros(2, 2)})


def test_a_missing_tensor_and_a_wrong_shape_are_named():
    state = wav2lip()
    del state["module.output_block.1.bias"]
    with pytest.raises(ModelError, match="no tensor for psi_HG.output_block.1.bias in the file"):
        mapped(state)
    state = recogniser()
    state["lm_head.bias"] = torch.zeros(36)
    with pytest.raises(ModelError, match=r"psi_TD.lm_head.bias has shape \(36,\), expected \(37,\)"):
        mapped(state)
    state = pretrained(old=True)
    del state["wav2vec2.encoder.layers.0.feed_forward.intermediate_dense.weight"]
    with pytest.raises(ModelError, match="it is no whole wav2vec 2.0 network"):
        mapped(state)


def test_a_network_with_group_norm_is_refused_in_one_line():
    config = library_config(TINY)
    config.feat_extract_norm, config.conv_bias, config.do_stable_layer_norm = "group", False, False
    with pytest.raises(ModelError, match="group norm over time, as the base-960h one has"):
        mapped(Wav2Vec2ForCTC(config).state_dict())
