from dataclasses import replace

import pytest
import torch
from paper_pmmtalk import clips, tiny_config, tiny_network

from speech_to_face.config_file import load_config
from speech_to_face.networks.parts import parts_of
from speech_to_face.networks.pmmtalk import losses
from speech_to_face.networks.pmmtalk.paper.config import PAPER, PARTS, Config
from speech_to_face.networks.pmmtalk.paper.decoder import PoseDecoder
from speech_to_face.networks.pmmtalk.paper.network import FROZEN, PaperPMMTalk
from speech_to_face.networks.wav2vec import interpolated

TRAINED = [part for part in PARTS if part not in FROZEN]


@torch.inference_mode()
def test_speech_a_face_and_a_style_become_as_many_frames_as_are_asked_for(network):
    sound = clips(9).samples
    style = network.styles(torch.tensor([0, 1]))
    out = network(sound, 9, style)
    assert out.shape == (2, 9, 32)
    assert not torch.equal(out, network(sound, 9, style.flip(0)))
    torch.testing.assert_close(out[1:], network(sound[1:], 9, style[1:]), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_views_are_the_branches_widths_and_each_moves_the_face(network):
    sound = clips(6, batch=1).samples
    views = network.views(sound, 6, network.face(1))
    assert {name: view.shape for name, view in views.items()} == {
        "audio": (1, 6, 32),
        "text": (1, 6, 20),
        "image": (1, 6, 16),
    }
    style = network.styles(torch.tensor([2]))
    whole = network.psi_PD(views, style, network.alignment.linears)
    torch.testing.assert_close(whole, network(sound, 6, style))
    for name in views:
        assert not torch.equal(
            whole, network.psi_PD({**views, name: views[name] + 1}, style, network.alignment.linears)
        )


@torch.inference_mode()
def test_features_are_stretched_before_or_after_the_transformer_as_the_config_says():
    features = torch.randn(1, 10, 16)
    for part in ("audio", "text"):
        for at in ("pre", "post"):
            network = tiny_network(**{f"interp_{part}": at}, text_reading="probabilities")
            branch = network.psi_AD if part == "audio" else network.psi_TD
            context = branch.context(interpolated(features, 6) if at == "pre" else features)
            if part == "text":
                context = branch.lm_head(context)
            wanted = context if at == "pre" else interpolated(context, 6)
            torch.testing.assert_close(branch(features, 6), wanted if part == "audio" else torch.softmax(wanted, -1))


def test_characters_are_read_as_normalised_logits_probabilities_or_cut_log_probabilities():
    logits = torch.tensor([[[0.0, 30.0, 0.0]]])
    read = {
        how: tiny_network(text_reading=how).psi_TD.read(logits)
        for how in ("logits", "probabilities", "log-probabilities")
    }
    torch.testing.assert_close(read["logits"], torch.tensor([[[-1.0, 2.0, -1.0]]]) / 2**0.5)
    torch.testing.assert_close(read["probabilities"], torch.tensor([[[0.0, 1.0, 0.0]]]))
    torch.testing.assert_close(read["log-probabilities"], torch.tensor([[[-10.0, 0.0, -10.0]]]))


@torch.inference_mode()
def test_the_decoder_is_causal_over_its_views_whatever_precedes_it(network):
    views = {"audio": torch.randn(1, 8, 32), "text": torch.randn(1, 8, 20), "image": torch.randn(1, 8, 16)}
    later = {name: torch.cat([view[:, :5], view[:, 5:] + 1], 1) for name, view in views.items()}
    style = torch.zeros(1, 8)
    before, after = (network.psi_PD(given, style, network.alignment.linears) for given in (views, later))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_a_fresh_decoder_rests_at_the_mean_face_it_is_given():
    torch.manual_seed(0)
    network, mean = PaperPMMTalk(tiny_config()).eval(), torch.linspace(0, 0.5, 32)
    network.rest_at(mean)
    with torch.inference_mode():
        out = network(clips(3, batch=1).samples, 3, torch.randn(1, 8))
    torch.testing.assert_close(out, mean.expand(1, 3, 32))


def test_the_decoder_may_read_through_the_alignments_linear_layers():
    config = tiny_config(shared_linears=True, align_width=12, style_width=4)
    decoder = PoseDecoder(config)
    assert not list(decoder.linears) and decoder.out.in_features == 3 * 12 + 4


@torch.inference_mode()
def test_aligned_rows_have_mean_zero_and_one_norm(network):
    views = network.views(clips(6).samples, 6, network.face(2))
    for rows in network.alignment(views).values():
        assert rows.shape == (2, 6, 16)
        torch.testing.assert_close(rows.mean(-1), torch.zeros(2, 6), atol=1e-5, rtol=0)
        torch.testing.assert_close(rows.norm(dim=-1), torch.full((2, 6), 4.0), atol=1e-2, rtol=0)


@torch.inference_mode()
def test_another_face_moves_another_mouth_and_leaves_the_networks_own_as_it_was(network):
    sound, style = clips(3, batch=1).samples, network.styles(torch.tensor([0]))
    own = network(sound, 3, style)
    other = network.with_face(torch.rand(1, 3, 96, 96))
    assert not torch.equal(other(sound, 3, style), own)
    assert torch.equal(network(sound, 3, style), own)
    assert other.psi_AD is network.psi_AD


@torch.inference_mode()
def test_new_weights_make_the_faces_features_anew():
    network, donor = tiny_network(0), tiny_network(1)
    sound, style = clips(3, batch=1).samples, torch.zeros(1, 8)
    network(sound, 3, style)
    network.load_state_dict(donor.state_dict())
    torch.testing.assert_close(network(sound, 3, style), donor(sound, 3, style))


@pytest.mark.parametrize("target", ["softmax_identity", "identity", "band"])
def test_the_terms_are_the_papers_four_with_its_weights(target):
    network, batch = tiny_network(temporal_target=target, reduction="mean"), clips()
    terms = network.terms(batch, "whole")
    with torch.no_grad():
        views = network.views(batch.samples, 6, network.psi_HG.identity(batch.reference))
        predicted = network.psi_PD(views, network.styles(batch.style), network.alignment.linears)
        aligned = network.alignment(views)
    error, jumps = predicted - batch.curves, (predicted - batch.curves).diff(dim=1)
    assert list(terms) == ["L_pos", "L_mot", "L_tem", "L_sem"]
    torch.testing.assert_close(terms["L_pos"], (error**2).mean())
    torch.testing.assert_close(terms["L_mot"], 10 * (jumps**2).mean())
    torch.testing.assert_close(terms["L_tem"], 1e-4 * losses.temporal(aligned, target, "mean"))
    torch.testing.assert_close(terms["L_sem"], 1e-5 * losses.semantic_alignment(aligned))


def test_channels_that_the_corpus_lacks_are_not_taught():
    network, batch = tiny_network(), clips()
    known = torch.ones(2, 1, 32)
    known[..., 5:] = 0
    terms = network.terms(replace(batch, known=known), "whole")
    other = network.terms(
        replace(batch, known=known, curves=torch.cat([batch.curves[..., :5], 1 - batch.curves[..., 5:]], -1)), "whole"
    )
    assert terms["L_pos"] == other["L_pos"] > 0 and terms["L_mot"] == other["L_mot"] > 0
    assert terms["L_pos"] < network.terms(batch, "whole")["L_pos"]


def test_pictures_may_be_seen_with_any_number_of_channels():
    network = tiny_network(image_convs=(12, 6), image_heads=3)
    assert network.psi_IE(torch.rand(1, 2, 3, 96, 96)).shape == (1, 2, 6)
    assert [layer[1].num_groups for layer in network.psi_IE.convs] == [4, 2]


def test_training_moves_the_trained_parts_alone_and_makes_the_loss_smaller():
    network, batch = tiny_network(dropout=0.0, pivot_share=0.0).train(), clips()
    before = {part: [p.detach().clone() for p in network.get_submodule(part).parameters()] for part in PARTS}
    buffers = {key: value.clone() for key, value in network.psi_HG.state_dict().items()}
    optimiser, found = torch.optim.Adam(network.trained("whole"), 1e-3), []
    for _ in range(12):
        loss = torch.stack(list(network.terms(batch, "whole").values())).sum()
        found.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert found[-1] < 0.8 * found[0]
    moved = {
        part
        for part, old in before.items()
        if any(not torch.equal(a, b) for a, b in zip(old, network.get_submodule(part).parameters(), strict=True))
    }
    assert moved == set(TRAINED)
    assert all(torch.equal(value, buffers[key]) for key, value in network.psi_HG.state_dict().items())
    assert not any(network.get_submodule(part).training for part in FROZEN) and network.psi_AD.training


def test_mixed_precision_gives_nearly_the_same_terms():
    network, batch = tiny_network(), clips()
    whole = network.terms(batch, "whole")
    with torch.autocast("cpu", torch.bfloat16):
        mixed = network.terms(batch, "whole")
    for name, value in mixed.items():
        torch.testing.assert_close(value.float(), whole[name], rtol=0.1, atol=1e-6)


def test_a_tenth_of_the_clips_is_learnt_as_an_unknown_speaker_and_none_outside_training():
    torch.manual_seed(0)
    network, rows = tiny_network(styles=("anna", "ben")).train(), torch.zeros(20_000, dtype=torch.int64)
    assert (network._rows(rows) == 2).float().mean() == pytest.approx(0.1, abs=0.01)
    assert set(network._rows(rows).tolist()) == {0, 2}
    assert torch.equal(network.eval()._rows(rows), rows)


def test_every_parameter_is_counted_in_exactly_one_part(network):
    counts = parts_of(network)
    assert tuple(counts) == PARTS
    assert sum(counts.values()) == sum(p.numel() for p in network.parameters())


def test_the_papers_preset_is_the_default():
    assert load_config(PAPER, Config) == Config()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"temporal_target": "diagonal"},
            "temporal_target: got 'diagonal', expected one of softmax_identity, identity, band",
        ),
        ({"reduction": "max"}, "reduction: got 'max', expected one of sum, mean"),
        ({"interp_text": "between"}, "interp_text: got 'between'"),
        ({"parts": ("psi_X",)}, "parts: got 'psi_X'"),
        ({"heads": 3}, "heads: 3 do not divide the decoder's width of 56"),
        ({"heads": 0}, "heads: 0 do not divide the decoder's width of 56"),
        ({"image_heads": 3}, "image_heads: 3 do not divide the image encoder's width of 16"),
        ({"image_convs": ()}, "image_convs: got "),
        ({"conv_widths": (16,)}, "expected as many of each"),
    ],
)
def test_a_config_names_the_value_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(**changes)
