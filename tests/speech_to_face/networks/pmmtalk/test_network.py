"""One call for recordings, blocks and steps; its views; what its pseudo-text branch hears."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.config import Config, load_config, save_config
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.networks.pmmtalk.posteriors import log_posteriors
from speech_to_face.streaming.features import LogMel, frame_count


def built(config: Config) -> PMMTalk:
    torch.manual_seed(0)
    network = PMMTalk(config).eval()
    with torch.no_grad():
        network.out.weight.normal_(0, 0.2)
    return network


@pytest.fixture
def config(tiny_run) -> Config:
    return load_config(tiny_run / "config.yaml")


def inputs(network: PMMTalk, batch: int = 2, steps: int = 30):
    torch.manual_seed(1)
    branch, squares = network.config.branch_width, (network.config.image_size // 4) ** 2
    return (
        torch.randn(batch, steps, 160),
        torch.randn(batch, branch),
        torch.randn(batch, branch),
        torch.rand(batch, squares, 48),
    )


@torch.no_grad()
def run(network: PMMTalk, sizes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    mel, style, code, crop = inputs(network)
    states, clock, parts = network.initial_states(2), 0, []
    for part in mel.split(sizes, 1):
        out, states, views = network(part, style, code, crop, torch.tensor(clock), states)
        parts.append((out, views.log_phones, views.images))
        clock += part.shape[1]
    return tuple(torch.cat(column, 1) for column in zip(*parts, strict=True))


@pytest.mark.parametrize("views", [("audio", "text", "image"), ("audio",), ("text", "image")], ids="+".join)
@pytest.mark.parametrize("sizes", [1, 7, (29, 1)], ids=["steps", "blocks", "block and step"])
def test_any_split_of_the_sound_gives_the_same_mouth_phones_and_pictures(config, views, sizes):
    network = built(replace(config, views=views))
    for got, wanted in zip(run(network, sizes), run(network, 30), strict=True):
        torch.testing.assert_close(got, wanted, atol=2e-6, rtol=1e-4)


def test_a_view_that_the_decoder_does_not_read_leaves_the_mouth_alone(config):
    network = built(replace(config, views=("audio",)))
    before = run(network, 30)
    with torch.no_grad():
        network.text.head.weight.normal_()
        network.head.paint.weight.normal_()
    after = run(network, 30)
    torch.testing.assert_close(after[0], before[0])
    assert not torch.equal(after[1], before[1]) and not torch.equal(after[2], before[2])
    whole = built(config)
    before = run(whole, 30)
    with torch.no_grad():
        whole.text.head.weight.normal_()
    assert not torch.equal(run(whole, 30)[0], before[0])


def test_the_branches_alone_are_those_of_the_whole_network(config):
    network = built(config)
    mel, _, code, crop = inputs(network)
    with torch.no_grad():
        log_phones, images = network.branches(mel, code, crop, slice(3, None, 4))
    _, wanted_phones, wanted_images = run(network, 30)
    torch.testing.assert_close(log_phones, wanted_phones)
    torch.testing.assert_close(images, wanted_images[:, 3::4])


def test_states_keep_the_shapes_they_begin_with(config):
    network = built(config)
    mel, style, code, crop = inputs(network)
    states = network.initial_states(2)
    assert [tuple(state.shape[1:]) for state in states] == [tuple(shape) for shape in network.state_shapes]
    _, after, views = network(mel, style, code, crop, torch.tensor(0), states)
    assert [state.shape for state in after] == [state.shape for state in states]
    assert (
        set(views.aligned) == {"audio", "text", "image"} and len({view.shape for view in views.aligned.values()}) == 1
    )


def test_an_untrained_network_is_still():
    assert not run(
        PMMTalk(Config(width=16, decoder_width=16, heads=2, phones=("a", "b"), channels=("x",), image_size=8)), 30
    )[0].any()


@pytest.mark.parametrize("samples", [1, 267, 5000, 16_000])
@pytest.mark.parametrize("delay", [1, 3])
def test_posteriors_have_a_row_for_every_frame_and_no_delay(config, samples, delay):
    network = built(replace(config, delay=delay))
    sound = (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)
    heard = log_posteriors(network, sound)
    assert heard.shape == (frame_count(samples), 30) and heard.dtype == np.float32
    np.testing.assert_allclose(np.exp(heard).sum(1), 1, atol=1e-5)
    mel = torch.from_numpy(LogMel().push(np.concatenate([sound, np.zeros(3000, np.float32)])))[None]
    code, crop = torch.zeros(1, config.branch_width), torch.zeros(1, (config.image_size // 4) ** 2, 48)
    with torch.no_grad():
        whole, _ = network.branches(mel, code, crop, slice(0, 1))
    np.testing.assert_allclose(heard, whole[0, delay : delay + len(heard)], atol=1e-5)


def test_a_config_comes_back_as_it_was_written(tmp_path, config):
    written = replace(config, views=("audio", "image"), delay=1, text_dilations=(2, 4))
    save_config(written, tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml") == written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depth: 3", "unknown key 'depth'"),
        ("views: audio", "views has the wrong kind"),
        ("width: wide", "width has the wrong kind"),
        ("[1]", "expected keys"),
        ("width: 2001-99-99", "not a readable config.yaml"),
        ("width: " + "[" * 1500, "not a readable config.yaml"),
        ("width: true", "width has the wrong kind"),
        ("views: [1]", "views has the wrong kind"),
        ("heads: 0", "heads: got 0, expected 1 or more"),
        ("heads: 5", "heads: 5 do not divide decoder_width"),
        ("delay: -1", "delay and layers: got -1"),
    ],
)
def test_a_config_that_cannot_be_right_is_one_clear_line(tmp_path, text, said):
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=said):
        load_config(tmp_path / "config.yaml")
