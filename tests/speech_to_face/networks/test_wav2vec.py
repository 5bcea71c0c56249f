import pytest
import torch
from transformers import Wav2Vec2Model

from speech_to_face.networks.wav2vec import (
    ContextNetwork,
    FeatureEncoder,
    Sizes,
    interpolated,
    library_config,
    library_name,
    normalised,
)

TINY = Sizes((16,) * 7, width=32, layers=2, heads=4, feed=64, position_kernel=16, position_groups=4)


def test_the_two_halves_are_the_whole_network_of_the_library():
    torch.manual_seed(0)
    whole = Wav2Vec2Model(library_config(TINY)).eval()
    encoder, context = FeatureEncoder(TINY).eval(), ContextNetwork(TINY).eval()
    state = whole.state_dict()
    encoder.load_state_dict(
        {key.removeprefix("feature_extractor."): state[key] for key in state if key.startswith("feature_extractor.")}
    )
    context.load_state_dict({key: state[key] for key in state if key.startswith(("feature_projection.", "encoder."))})
    samples = torch.randn(2, 8000)
    with torch.inference_mode():
        torch.testing.assert_close(context(encoder(samples)), whole(samples).last_hidden_state)


def test_a_second_is_49_features_and_the_shortest_sound_is_one():
    encoder = FeatureEncoder(TINY)
    assert encoder(torch.randn(1, 16_000)).shape == (1, 49, 16)
    assert encoder(torch.randn(1, 48_000)).shape == (1, 149, 16)
    assert TINY.shortest == 400
    assert encoder(torch.randn(1, 719)).shape[1] == 1
    assert encoder(torch.randn(1, 720)).shape[1] == 2


def test_sound_shorter_than_one_feature_is_continued_with_silence():
    encoder, short = FeatureEncoder(TINY), torch.randn(1, 150)
    assert torch.equal(encoder(short), encoder(torch.cat([short, torch.zeros(1, 250)], 1)))


def test_features_are_stretched_linearly_first_on_first_and_last_on_last():
    features = torch.tensor([[[0.0], [10.0], [40.0]]])
    assert interpolated(features, 5)[0, :, 0].tolist() == [0, 5, 10, 25, 40]
    assert interpolated(features, 1)[0, :, 0].tolist() == [0]


def test_sound_is_heard_over_a_constant_or_over_its_own_deviation():
    samples = torch.tensor([[0.1, 0.3, 0.1, 0.3]])
    torch.testing.assert_close(
        normalised(samples, per_recording=False, level=0.1), torch.tensor([[1.0, 3.0, 1.0, 3.0]])
    )
    torch.testing.assert_close(
        normalised(samples, per_recording=True, level=0.1), torch.tensor([[-1.0, 1.0, -1.0, 1.0]]), atol=1e-4, rtol=0
    )
    assert torch.equal(normalised(torch.zeros(1, 8), per_recording=True, level=0.1), torch.zeros(1, 8))


def test_training_hides_about_the_share_of_features_that_was_asked_for_in_whole_spans():
    torch.manual_seed(0)
    network = ContextNetwork(
        Sizes((16,) * 7, width=32, layers=0, heads=4, feed=64, position_kernel=16, position_groups=4, spec_augment=0.1)
    )
    hidden = network._hidden(torch.zeros(8, 2000, 32))
    assert 0.07 < hidden.float().mean() < 0.12
    edges = torch.nn.functional.pad(hidden.int(), (1, 1)).diff(dim=1)
    starts, ends = ((edges == sign).nonzero() for sign in (1, -1))
    lengths = (ends - starts)[:, 1]
    assert lengths[ends[:, 1] < 2000].min() >= 10


def test_nothing_is_hidden_outside_training():
    torch.manual_seed(0)
    network = ContextNetwork(
        Sizes((16,) * 7, width=32, layers=1, heads=4, feed=64, position_kernel=16, position_groups=4, spec_augment=0.5)
    )
    features = torch.randn(1, 40, 16)
    network.eval()
    assert torch.equal(network(features), network(features))
    network.train()
    assert not torch.equal(network(features), network(features))


@pytest.mark.parametrize(
    ("published", "today"),
    [
        (
            "wav2vec2.encoder.pos_conv_embed.conv.weight_g",
            "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
        ),
        (
            "module.wav2vec2.encoder.pos_conv_embed.conv.weight_v",
            "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
        ),
        (
            "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
            "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
        ),
        ("wav2vec2.feature_extractor.conv_layers.0.conv.bias", "feature_extractor.conv_layers.0.conv.bias"),
        ("lm_head.weight", "lm_head.weight"),
    ],
)
def test_names_of_published_files_are_read_in_old_and_new_forms(published, today):
    assert library_name(published) == today
