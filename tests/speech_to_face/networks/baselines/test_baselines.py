"""Each baseline runs live as it runs whole, learns, and keeps what its paper is known for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.config_file import save_config
from speech_to_face.loading import load_model
from speech_to_face.networks.baselines.config import KINDS, Config, preset
from speech_to_face.networks.baselines.layer import LineageLayer
from speech_to_face.networks.baselines.loading import build
from speech_to_face.networks.baselines.voca import WINDOW
from speech_to_face.networks.batch import Batch

torch.set_num_threads(1)
SIZES = dict(
    width=12, dilations=(1, 2), emotion_width=6, emotion_dilations=(1, 4), decoder_width=8, heads=2, window=9, period=10
)


def tiny(kind, **changes):
    torch.manual_seed(0)
    network = build(Config(kind=kind, styles=("anna", "ben"), **(SIZES | changes))).eval()
    with torch.no_grad():
        network.out.weight.normal_(0, 0.2)
        network.out.bias.fill_(0.3)
    return network


def batch_of(frames=20):
    torch.manual_seed(1)
    known = torch.ones(3, 1, 32)
    known[0, 0, 4] = 0
    mel, curves, rows = torch.randn(3, frames, 160), torch.rand(3, frames, 32) * known, torch.tensor([0, 1, 2])
    return Batch(mel, curves, known, torch.zeros(3, frames, dtype=torch.long), torch.zeros(3, frames), rows)


@torch.no_grad()
def run(network, mel, sizes):
    states, parts = network.initial_states(len(mel)), []
    style = network.styles(torch.arange(len(mel)))
    for part in mel.split(sizes, 1):
        out, states = network(part, style, states)
        parts.append(out)
    return torch.cat(parts, 1)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("sizes", [1, 7, (29, 1)], ids=["steps", "blocks", "block and step"])
def test_any_split_of_the_sound_gives_the_same_face(kind, sizes):
    network, mel = tiny(kind), torch.randn(2, 30, 160)
    torch.testing.assert_close(run(network, mel, sizes), run(network, mel, 30), atol=1e-5, rtol=1e-4)


def test_no_step_hears_the_future(kind):
    network, mel = tiny(kind), torch.randn(1, 30, 160)
    later = mel.clone()
    later[:, 17:] = torch.randn(1, 13, 160)
    before, after = run(network, mel, 30), run(network, later, 30)
    torch.testing.assert_close(after[:, :17], before[:, :17])
    assert not torch.allclose(after[:, 17:], before[:, 17:])


def test_states_keep_the_shapes_they_begin_with_and_the_first_counts_steps(kind):
    network = tiny(kind)
    states = network.initial_states(2)
    _, after = network(torch.randn(2, 5, 160), network.styles.weight[:2], states)
    assert [state.shape for state in after] == [state.shape for state in states]
    assert (int(states[0]), int(after[0])) == (0, 5)


def test_the_style_moves_the_face_and_an_untrained_network_is_still(kind):
    network, mel = tiny(kind), torch.randn(1, 12, 160).expand(2, -1, -1)
    anna, ben = run(network, mel, 12)
    assert not torch.allclose(anna, ben)
    assert not run(build(network.config), mel, 12).any()


def test_the_delay_is_taken_out_and_channels_that_nobody_captured_teach_nothing(kind):
    network, batch = tiny(kind, delay=4, motion=10.0), batch_of()
    face = torch.zeros(3, 20, 32)
    face[:, 4:] = batch.curves[:, :16]
    assert all(float(term) == 0 for term in network.errors(face, batch).values())
    face[0, :, 4] = 7.0
    assert all(float(term) == 0 for term in network.errors(face, batch).values())
    face[1, 5, 0] += 1.0
    found = network.errors(face, batch)
    assert float(found["position"]) == pytest.approx(1 / (3 * 16 * 32))
    assert float(found["motion"]) == pytest.approx(10 * 2 / (3 * 15 * 32))


def test_a_few_steps_of_training_lower_what_they_minimise(kind):
    network, batch = tiny(kind).train(), batch_of()
    optimiser = torch.optim.Adam(network.trained("whole"), lr=1e-2)
    totals = []
    for _ in range(25):
        total = torch.stack(list(network.terms(batch, "whole").values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    assert totals[-1] < 0.7 * totals[0]


def written(network, folder: Path) -> Path:
    folder.mkdir()
    save_file(network.state_dict(), folder / checkpoint.WEIGHTS)
    save_config(network.config, folder / checkpoint.CONFIG)
    checkpoint.write_sums(folder)
    return folder


def test_a_folder_speaks_live_as_it_does_a_whole_recording(kind, tmp_path):
    model = load_model(str(written(tiny(kind), tmp_path / "tiny")), "cpu", style="0.3:anna,0.7:ben")
    sound = (0.1 * np.random.default_rng(0).standard_normal(9001)).astype(np.float32)
    whole, stream = model.animate(sound), model.stream()
    parts = [stream.push(part) for part in np.split(sound, [1, 700, 701, 4000])]
    np.testing.assert_allclose(np.concatenate([*parts, stream.flush()]), whole, atol=1e-5)
    assert whole.shape == (34, 32) and whole.std() > 0


def test_the_sizes_of_the_tables_are_equal_to_a_twentieth(kind):
    with torch.device("meta"):
        network = build(preset(kind, ("a", "b")))
    assert sum(value.numel() for value in network.parameters()) == pytest.approx(1.76e6, rel=0.05)


def test_a_kind_that_does_not_exist_is_one_clear_line(tmp_path):
    folder = written(tiny("voca"), tmp_path / "odd")
    (folder / checkpoint.CONFIG).write_text("system: baseline\nkind: meshtalk\n", encoding="utf-8")
    checkpoint.write_sums(folder)
    with pytest.raises(ModelError, match="kind has the wrong kind of value: 'meshtalk'"):
        load_model(str(folder), "cpu")


@pytest.mark.parametrize(("sizes", "said"), [({"heads": 3}, "not a multiple"), ({"passes": 0}, "passes 0")])
def test_sizes_that_do_not_go_together_are_refused(sizes, said):
    with pytest.raises(ValueError, match=said):
        Config(**sizes)


def test_voca_hears_sixteen_steps_of_features_and_knows_the_speaker_as_a_one_hot():
    network = tiny("voca")
    torch.testing.assert_close(network.styles.weight, torch.eye(3))
    assert all(value is not network.styles.weight for value in network.trained("whole"))
    audio = torch.randn(1, 30, 12, requires_grad=True)
    network.audio.forward = lambda mel, states: (audio, states)
    face, _ = network(torch.zeros(1, 30, 160), network.styles.weight[:1], network.initial_states())
    face[0, 25].sum().backward()
    heard = torch.where(audio.grad[0].abs().sum(-1) > 0)[0].tolist()
    assert heard == list(range(26 - WINDOW, 26))


def test_faceformer_unrolled_in_passes_nears_its_own_step_by_step_output_from_the_front():
    network, mel = tiny("faceformer"), torch.randn(2, 12, 160)
    style = network.styles.weight[:2]
    with torch.no_grad():
        alone, _ = network(mel, style, network.initial_states(2))
        passes = network.rolled(mel, style, 12)
    for n, face in enumerate(passes, 1):
        torch.testing.assert_close(face[:, :n], alone[:, :n], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(passes[0], alone, atol=1e-3)


def test_faceformer_feeds_back_its_own_frames():
    network, mel = tiny("faceformer"), torch.randn(1, 6, 160)
    states = network.initial_states()
    nudged = [*states[:-1], states[-1] + 0.5]
    style = network.styles.weight[:1]
    assert not torch.allclose(network(mel, style, states)[0], network(mel, style, nudged)[0])


def test_faceformer_learns_from_the_mean_of_its_passes_and_squared_error_alone():
    network, batch = tiny("faceformer", passes=2, motion=0.0), batch_of()
    each = [
        network.errors(face, batch)["position"] for face in network.rolled(batch.mel, network.styles(batch.style), 2)
    ]
    terms = network.terms(batch, "whole")
    assert list(terms) == ["position"]
    torch.testing.assert_close(terms["position"], (each[0] + each[1]) / 2)


def test_cross_attention_to_the_own_frame_alone_is_the_value_and_the_projection():
    torch.manual_seed(0)
    layer, torchs = (
        LineageLayer(8, 2, 12, 6, 8).eval(),
        torch.nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True).eval(),
    )
    with torch.no_grad():
        torchs.v_proj_weight.copy_(layer.value.weight)
        torchs.in_proj_bias[16:].copy_(layer.value.bias)
        torchs.out_proj.load_state_dict(layer.project.state_dict())
    x, memory = torch.randn(1, 5, 8), torch.randn(1, 5, 6)
    wanted, _ = torchs(x, memory, memory, attn_mask=~torch.eye(5, dtype=torch.bool))
    torch.testing.assert_close(layer.project(layer.value(memory)), wanted)


def test_emotalk_names_the_style_of_windows_that_have_one():
    network, batch = tiny("emotalk", manner=1.0), batch_of()
    with torch.no_grad():
        network.classify.weight.zero_()
        network.classify.bias.copy_(torch.tensor([0.0, 1.0]))
    log_shares = torch.log_softmax(torch.tensor([0.0, 1.0]), 0)
    assert network.terms(batch, "whole")["manner"].item() == pytest.approx(-float(log_shares.mean()), rel=1e-5)
    nobody = replace(batch, style=torch.full((3,), 2))
    assert network.terms(nobody, "whole")["manner"].item() == 0
