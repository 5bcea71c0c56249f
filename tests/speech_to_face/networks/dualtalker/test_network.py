"""One call for recordings, blocks and steps; a folder of it drives a face; what each loss teaches which part."""

import numpy as np
import pytest
import torch

from speech_to_face.base import ModelError
from speech_to_face.loading import load_model
from speech_to_face.networks.batch import IGNORED, Batch
from speech_to_face.networks.dualtalker.config import Config
from speech_to_face.networks.dualtalker.network import DualTalker
from speech_to_face.networks.pmmtalk.losses import motion, position


def batch_of(frames: int = 20) -> Batch:
    torch.manual_seed(1)
    labels = torch.randint(0, 30, (3, frames))
    labels[:, 5:7] = IGNORED
    known = torch.ones(3, 1, 32)
    known[0, 0, 4] = 0
    sealed, rows = torch.zeros(3, frames), torch.tensor([0, 1, 2])
    return Batch(torch.randn(3, frames, 160), torch.rand(3, frames, 32) * known, known, labels, sealed, rows)


@torch.no_grad()
def run(network, mel, sizes):
    states, parts = network.initial_states(len(mel)), []
    style = network.styles(torch.arange(len(mel)))
    for part in mel.split(sizes, 1):
        out, states = network(part, style, states)
        parts.append(out)
    return torch.cat(parts, 1)


@pytest.mark.parametrize("sizes", [1, 7, (29, 1)], ids=["steps", "blocks", "block and step"])
def test_any_split_of_the_sound_gives_the_same_face(tiny, sizes):
    network, mel = tiny(), torch.randn(2, 30, 160)
    torch.testing.assert_close(run(network, mel, sizes), run(network, mel, 30), atol=2e-6, rtol=1e-4)


def test_no_step_hears_the_future(tiny):
    network, mel = tiny(), torch.randn(1, 30, 160)
    later = mel.clone()
    later[:, 17:] = torch.randn(1, 13, 160)
    before, after = run(network, mel, 30), run(network, later, 30)
    torch.testing.assert_close(after[:, :17], before[:, :17])
    assert not torch.allclose(after[:, 17:], before[:, 17:])


def test_states_keep_the_shapes_they_begin_with_and_the_first_counts_steps(tiny):
    network = tiny()
    states = network.initial_states(2)
    _, after = network(torch.randn(2, 5, 160), torch.zeros(2, 4), states)
    assert [state.shape for state in after] == [state.shape for state in states]
    assert (int(states[0]), int(after[0])) == (0, 5)


def test_the_face_passes_through_the_motion_encoder_that_reads_lips_too(tiny):
    network, mel = tiny(), torch.randn(1, 12, 160)
    before = run(network, mel, 12)
    with torch.no_grad():
        network.motion.stem.weight.normal_()
    assert not torch.allclose(run(network, mel, 12), before)
    with torch.no_grad():
        before = run(network, mel, 12)
        network.reader.phones.weight.normal_()
    assert torch.equal(run(network, mel, 12), before)


def test_an_untrained_network_is_still(tiny):
    assert not run(DualTalker(tiny().config), torch.randn(2, 8, 160), 8).any()


@pytest.mark.parametrize("delay", [0, 3])
def test_the_delay_is_taken_out_before_the_face_is_compared(tiny, delay):
    network, batch = tiny(delay=delay), batch_of()
    terms = network.terms(batch, "whole")
    face, _ = network(batch.mel, network.styles(batch.style), network.initial_states(3))
    face, truth = face[:, delay:], batch.curves[:, : 20 - delay]
    assert terms["primary"].item() == pytest.approx(
        (position(face, truth, batch.known) + 10 * motion(face, truth, batch.known)).item()
    )
    assert set(terms) == {"primary", "draft", "dual", "cycle", "consistency"}
    assert all(bool(torch.isfinite(term)) for term in terms.values())


def moved_by(network, term: str) -> set[str]:
    """First names of the parameters that a term moves."""
    network.zero_grad()
    network.terms(batch_of(), "whole")[term].backward()
    return {
        name.split(".")[0]
        for name, value in network.named_parameters()
        if value.grad is not None and bool(value.grad.any())
    }


@pytest.mark.parametrize(
    ("term", "moves", "leaves"),
    [
        ("primary", {"audio", "motion", "draft", "fuse", "out", "styles"}, {"reader", "share_audio"}),
        ("dual", {"motion", "reader"}, {"audio", "draft", "out"}),
        ("cycle", {"audio", "draft", "out", "styles"}, {"reader"}),
        ("consistency", {"audio", "motion", "share_audio", "share_motion"}, {"reader", "out", "draft"}),
    ],
)
def test_each_term_teaches_its_own_parts(tiny, term, moves, leaves):
    moved = moved_by(tiny(), term)
    assert moves <= moved and not leaves & moved


def test_channels_that_nobody_captured_teach_nothing(tiny):
    network, batch = tiny(), batch_of()
    before = network.terms(batch, "whole")
    batch.curves[0, :, 4] = 9.0
    after = network.terms(batch, "whole")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_one_stage_trains_everything(tiny):
    network = tiny()
    assert network.stages == ("whole",) and len(list(network.trained("whole"))) == len(list(network.parameters()))


def test_a_few_steps_of_training_lower_what_they_minimise(tiny):
    network, batch = tiny().train(), batch_of()
    optimiser = torch.optim.Adam(network.trained("whole"), lr=1e-2)
    totals = []
    for _ in range(25):
        total = torch.stack(list(network.terms(batch, "whole").values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    assert totals[-1] < 0.6 * totals[0]


def test_a_folder_speaks_live_as_it_does_a_whole_recording(tiny_dualtalker):
    model = load_model(str(tiny_dualtalker), "cpu", style="0.3:anna,0.7:ben")
    sound = (0.1 * np.random.default_rng(0).standard_normal(9001)).astype(np.float32)
    whole, stream = model.animate(sound), model.stream()
    parts = [stream.push(part) for part in np.split(sound, [1, 700, 701, 4000])]
    np.testing.assert_allclose(np.concatenate([*parts, stream.flush()]), whole, atol=1e-5)
    assert whole.shape == (34, 32) and model.lookahead_s == pytest.approx(4 / 60) and whole.std() > 0
    assert not np.allclose(whole, load_model(str(tiny_dualtalker), "cpu", style="anna").animate(sound))


@pytest.mark.parametrize(
    ("asked", "said"), [({"tongue": True}, "--tongue"), ({"reference": "face.png"}, "--reference-face")]
)
def test_what_it_does_not_have_is_refused(tiny_dualtalker, asked, said):
    with pytest.raises(ModelError, match=said):
        load_model(str(tiny_dualtalker), "cpu", **asked)


@pytest.mark.parametrize(
    ("sizes", "said"), [({"heads": 3}, "not a multiple of heads"), ({"delay": -1}, "expected 0 or more")]
)
def test_sizes_that_do_not_go_together_are_refused(sizes, said):
    with pytest.raises(ValueError, match=said):
        Config(**sizes)


def test_the_size_of_the_tables_fits_ten_megabytes():
    with torch.device("meta"):
        network = DualTalker(Config())
    assert 1.5e6 < sum(value.numel() for value in network.parameters()) < 2.5e6
