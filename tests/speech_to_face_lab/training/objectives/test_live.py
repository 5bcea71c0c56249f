"""The shipped recipe: two stages, what is frozen, resuming, and the figures of the loop that trained what ships."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from speech_to_face.base import ModelError
from speech_to_face.networks.batch import IGNORED, Batch
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face_lab.training.data.examples import ALL_STYLES, Windows
from speech_to_face_lab.training.loop.accelerated import on_device
from speech_to_face_lab.training.loop.engine import PROCESSES, train
from speech_to_face_lab.training.loop.logs import read_log
from speech_to_face_lab.training.loop.plan import Plan
from speech_to_face_lab.training.loop.state import FILE, Average, Progress, put_moments, restore, save
from speech_to_face_lab.training.loop.step import rate_of_run
from speech_to_face_lab.training.objectives.aligned import DRAW_EVERY, FROZEN, branches, in_step, predict
from speech_to_face_lab.training.objectives.live import LivePMMTalk, begin, build, scores
from speech_to_face_lab.training.orders import plan_of

torch.set_num_threads(1)
BRANCHES = ("audio.", "text.blocks", "text.head", "head.", "reference.")
"""What hears and draws: all that a stage without a decoder can teach."""
TERMS = {"position", "motion", "phones", "aperture", "spread", "image", "temporal", "semantic"}
FROZEN_NAMES = tuple(f"{part}." for part in FROZEN)
Batches = Callable[[int], Iterator[Batch]]


@pytest.fixture
def config(tiny_run: Path) -> Config:
    return replace(load_config(tiny_run / "config.yaml"), styles=ALL_STYLES)


@pytest.fixture
def batches(papa: Any) -> Batches:
    """One row of windows: who asks at step n, which is in the seed, goes on with the n-th."""

    def asked(seed: int) -> Iterator[Batch]:
        return islice(Windows(papa, None, batch=2, seconds=2.0, seed=0), seed // PROCESSES, None)

    return asked


@pytest.fixture
def source(batches: Batches) -> Iterator[Batch]:
    return batches(0)


def live(config: Config) -> LivePMMTalk:
    torch.manual_seed(0)
    network = LivePMMTalk(config)
    network.learn_from(torch.full((32,), 0.1))
    return network


def planned(steps: int = 200, pretrain: int = 0, **other: Any) -> Plan:
    return plan_of("pmmtalk-live", pretrain, **{"steps": steps, "rate": 3e-3, "log_every": 1, **other})


def weights(network: LivePMMTalk) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in network.named_parameters()}


def moved(before: dict[str, Tensor], network: LivePMMTalk) -> set[str]:
    return {name for name, p in network.named_parameters() if not torch.equal(before[name], p)}


def rows(run: Path) -> list[dict[str, Any]]:
    """Losses of every step."""
    return [{name: row[name] for name in TERMS if name in row} for row in read_log(run)]


# Losses of 8 steps, and the sums of all weights after them, by `python -m speech_to_face_lab.training` of 0.1, whose
# loop trained the models that ship: the same batches, faces and first weights, 2 steps of them for the branches.
OLD_LOOP = (
    {"phones": 3.487401, "image": 0.070159},
    {"phones": 3.444517, "image": 0.096709},
    {"position": 0.903081, "motion": 0.457573, "phones": 1.390857, "aperture": 6.325885, "spread": 0.062561}
    | {"temporal": 0.028996, "semantic": 0.009267, "image": 0.129858},
    {"position": 0.93731, "motion": 0.378953, "phones": 1.366914, "aperture": 6.191033, "spread": 0.043321}
    | {"temporal": 0.028959, "semantic": 0.009004, "image": 0.093563},
    {"position": 0.954345, "motion": 0.383286, "phones": 1.380364, "aperture": 6.489461, "spread": 0.044059}
    | {"temporal": 0.028748, "semantic": 0.008507, "image": 0.107157},
    {"position": 0.896607, "motion": 0.40378, "phones": 1.349317, "aperture": 5.528321, "spread": 0.049104}
    | {"temporal": 0.029093, "semantic": 0.009575, "image": 0.088963},
    {"position": 0.750335, "motion": 0.430963, "phones": 1.35714, "aperture": 5.223962, "spread": 0.054139}
    | {"temporal": 0.029119, "semantic": 0.009585, "image": 0.073106},
    {"position": 0.97848, "motion": 0.604295, "phones": 1.330627, "aperture": 6.628002, "spread": 0.075364}
    | {"temporal": 0.029341, "semantic": 0.010199, "image": 0.100008},
)
OLD_AVERAGE, OLD_WEIGHTS = 5321.022806690267, 5321.028700007624
OLD_WHOLE = {
    "position": 0.974108,
    "motion": 0.601672,
    "phones": 1.308942,
    "aperture": 6.529004,
    "spread": 0.074335,
    "temporal": 0.029369,
    "semantic": 0.01025,
    "image": 0.09987,
}
"""The eighth step's losses of a run without pre-training."""


@pytest.fixture
def faces_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th batch sees faces of seed n."""
    real, count = faces.random_look, iter(range(1, 100))
    monkeypatch.setattr(faces, "random_look", lambda n, _: real(n, torch.Generator().manual_seed(next(count))))


@pytest.mark.usefixtures("faces_in_order")
def test_every_step_is_the_one_of_the_loop_that_trained_what_ships(
    config: Config, batches: Batches, tmp_path: Path
) -> None:
    network = live(config)
    train(network, batches, planned(8, 2, save_every=100), tmp_path)
    found = rows(tmp_path)
    assert len(found) == len(OLD_LOOP)
    for row, wanted in zip(found, OLD_LOOP, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4, abs=2e-6)
    average = Average(network)
    restore(tmp_path / FILE, network, average)
    assert sum(float(w.double().abs().sum()) for w in average.weights.values()) == pytest.approx(OLD_AVERAGE, rel=1e-7)
    total = sum(float(p.detach().double().abs().sum()) for p in network.parameters())
    assert total == pytest.approx(OLD_WEIGHTS, rel=1e-7)


@pytest.mark.usefixtures("faces_in_order")
def test_a_run_without_pretraining_is_the_old_loops_too(config: Config, batches: Batches, tmp_path: Path) -> None:
    train(live(config), batches, planned(8, 0), tmp_path)
    assert rows(tmp_path)[-1] == pytest.approx(OLD_WHOLE, rel=1e-4, abs=2e-6)


def test_a_few_steps_learn_to_follow_the_voice(config: Config, batches: Batches, tmp_path: Path) -> None:
    train(live(config), batches, planned(), tmp_path, limit=30)
    terms = rows(tmp_path)
    first, last = (sum(sum(t.values()) for t in part) / 6 for part in (terms[:6], terms[-6:]))
    assert last < 0.8 * first and set(terms[0]) == TERMS


def test_pretraining_teaches_the_branches_alone(config: Config, batches: Batches, tmp_path: Path) -> None:
    network = live(config)
    before = weights(network)
    train(network, batches, planned(pretrain=3), tmp_path, limit=3)
    assert all(set(t) == {"phones", "image"} for t in rows(tmp_path))
    assert moved(before, network) == {name for name in before if name.startswith(BRANCHES)}


def test_after_pretraining_text_and_image_are_frozen_and_the_rest_learns(
    config: Config, batches: Batches, tmp_path: Path
) -> None:
    network = live(config)
    train(network, batches, planned(pretrain=2), tmp_path, limit=2)
    before = weights(network)
    train(network, batches, planned(pretrain=2), tmp_path, limit=3)
    frozen = {name for name in before if name.startswith(FROZEN_NAMES)}
    assert len(frozen) > 10 and not moved(before, network) & frozen
    assert {name.split(".")[0] for name in moved(before, network)} >= {
        "audio",
        "fuse",
        "layers",
        "out",
        "image",
        "align",
        "styles",
    }
    assert set(rows(tmp_path)[-1]) == TERMS, "the frozen branches' losses still teach the audio encoder"


def test_frozen_branches_still_pass_gradients_to_the_audio_encoder(
    config: Config, batches: Batches, tmp_path: Path
) -> None:
    network = live(config)
    drop = ("position", "motion", "aperture", "spread", "temporal", "semantic")
    plan = planned(pretrain=1, drop=drop)
    train(network, batches, plan, tmp_path, limit=1)
    before = weights(network)
    train(network, batches, plan, tmp_path, limit=1)
    assert any(name.startswith("audio.") for name in moved(before, network))


def test_without_pretraining_nothing_is_frozen(config: Config, batches: Batches, tmp_path: Path) -> None:
    network = live(config)
    train(network, batches, planned(), tmp_path, limit=1)
    assert all(p.requires_grad for p in network.parameters())


def test_dropped_terms_are_neither_logged_nor_learnt(config: Config, batches: Batches, tmp_path: Path) -> None:
    network = live(config)
    before = weights(network)
    train(network, batches, planned(drop=("temporal", "semantic", "phones")), tmp_path, limit=1)
    assert not {"temporal", "semantic", "phones"} & set(rows(tmp_path)[0]) and "position" in rows(tmp_path)[0]
    assert not any(name.startswith("align.") for name in moved(before, network)), "only alignment teaches these heads"


@pytest.mark.parametrize("views", [("audio",), ("audio", "text"), ("audio", "image")])
def test_a_decoder_of_fewer_views_trains(
    config: Config, batches: Batches, tmp_path: Path, views: tuple[str, ...]
) -> None:
    network = live(replace(config, views=views))
    assert network.fuse.in_features < live(config).fuse.in_features
    assert train(network, batches, planned(), tmp_path, limit=2).step == 2  # losses that are not finite are refused


@pytest.mark.parametrize("pretrain", [0, 8, 2], ids=["one stage", "before the freeze", "after it"])
def test_a_run_resumes_with_the_weights_and_moments_it_stopped_with(
    config: Config, batches: Batches, tmp_path: Path, pretrain: int
) -> None:
    plan = planned(pretrain=pretrain)
    train(live(config), batches, plan, tmp_path, limit=4)
    before = load_file(tmp_path / FILE)
    again = LivePMMTalk(config)
    assert train(again, batches, plan, tmp_path, limit=0).step == 4
    after = load_file(tmp_path / FILE)
    assert before.keys() == after.keys() and {"exp_avg.audio.stem.weight", "steps.audio.stem.weight"} <= before.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_run_that_resumes_after_the_freeze_stays_frozen(config: Config, batches: Batches, tmp_path: Path) -> None:
    train(live(config), batches, planned(pretrain=2), tmp_path, limit=4)
    again = live(config)
    train(again, batches, planned(pretrain=2), tmp_path, limit=0)
    before = weights(again)
    train(again, batches, planned(pretrain=2), tmp_path, limit=1)
    assert not {name for name in moved(before, again) if name.startswith(FROZEN_NAMES)}
    assert any(name.startswith("layers.") for name in moved(before, again))


def test_the_freeze_stops_the_count_of_a_frozen_parameters_steps(
    config: Config, batches: Batches, tmp_path: Path
) -> None:
    train(live(config), batches, planned(pretrain=2), tmp_path, limit=5)
    stored = load_file(tmp_path / FILE)
    counted = [float(stored[f"steps.{name}"]) for name in ("audio.stem.weight", "head.audio.weight", "out.weight")
               if f"steps.{name}" in stored]  # fmt: skip
    assert counted[0] == 5 and counted[-1] == 3


def test_the_state_of_the_old_loop_is_refused_in_one_line(config: Config, batches: Batches, tmp_path: Path) -> None:
    train(live(config), batches, planned(), tmp_path, limit=1)
    save_file(load_file(tmp_path / FILE), tmp_path / FILE, {"step": "1"})
    with pytest.raises(ModelError, match="a run by an earlier version, which this one does not resume.*--begin"):
        train(live(config), batches, planned(), tmp_path)
    begin(live(config), [tmp_path])


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [rate_of_run(1e-3, step, step / 1000) for step in range(1001)]
    assert rates[0] < 2e-5 and rates[-1] == pytest.approx(1e-6)
    assert 0.9e-3 < max(rates) <= 1.001e-3 and 50 < rates.index(max(rates)) < 150


def test_the_delay_is_taken_out_of_the_audio_not_of_the_targets(config: Config, source: Iterator[Batch]) -> None:
    network, batch, late = live(config), next(source), config.delay
    now = in_step(batch, late)
    torch.testing.assert_close(now.curves, batch.curves[:, :-late])
    look = torch.rand(2, 3, 96, 96)
    predicted, views = predict(network, batch, look, look[:, :, :16, :16])
    states, crop = network.initial_states(2), to_patches(look[:, :, :16, :16])
    style, code = network.styles(batch.style), network.reference(look)
    whole, _, whole_views = network(batch.mel, style, code, crop, torch.tensor(0), states)
    torch.testing.assert_close(predicted, whole[:, late:])
    torch.testing.assert_close(views.log_phones, whole_views.log_phones[:, late:])
    assert predicted.shape == now.curves.shape and views.log_phones.shape[:2] == now.labels.shape


def test_both_stages_draw_the_same_frames(config: Config, source: Iterator[Batch]) -> None:
    network, batch, reference = live(config), next(source), torch.rand(2, 3, 96, 96)
    crop = reference[:, :, :16, :16]
    log_phones, images = branches(network, batch, reference, crop)
    _, views = predict(network, batch, reference, crop)
    torch.testing.assert_close(log_phones, views.log_phones)
    torch.testing.assert_close(images, views.images[:, ::DRAW_EVERY])


def test_held_out_groups_are_measured_once_the_decoder_learns(
    config: Config, batches: Batches, source: Iterator[Batch], tmp_path: Path
) -> None:
    watched = {"recorded": [next(source), next(source)]}
    train(live(config), batches, planned(4, 2, save_every=2), tmp_path, validation=watched)
    measured = [row for row in read_log(tmp_path) if "validation_recorded_phones" in row]
    names = ("phones", "r", "jaw_r", "closed", "false_closed")
    assert {row["step"] for row in measured} == {4}
    assert {f"validation_recorded_{name}" for name in names} <= set(measured[0])
    assert 0 <= measured[0]["validation_recorded_phones"] <= 1


def test_a_perfect_mouth_scores_perfectly_and_unknown_labels_do_not_count(source: Iterator[Batch]) -> None:
    batch = next(source)
    log_phones = torch.nn.functional.one_hot(batch.labels, 30).float()
    labels = batch.labels.clone()
    labels[:, ::3] = IGNORED
    found = scores(batch.curves, log_phones, replace(batch, labels=labels))
    assert found["phones"] == 1 and found["r"] == pytest.approx(1, abs=1e-4)
    assert found["jaw_r"] == pytest.approx(1, abs=1e-4)
    assert found["closed"] == 1 and found["false_closed"] == 0
    nothing = torch.zeros_like(batch.curves) + 1e-3 * torch.rand_like(batch.curves)
    assert scores(nothing, log_phones, batch)["false_closed"] == 1


def test_a_run_that_starts_from_another_has_its_averaged_weights(tiny_run: Path) -> None:
    network = LivePMMTalk(load_config(tiny_run / "config.yaml"))
    assert begin(network, [tiny_run]) == ""
    with safe_open(tiny_run / FILE, "pt") as stored:
        for name, p in network.named_parameters():
            torch.testing.assert_close(p.detach(), stored.get_tensor(f"average.{name}"))


def test_a_run_can_start_from_a_model(tiny_checkpoint: Path) -> None:
    network = LivePMMTalk(load_config(tiny_checkpoint / "config.yaml"))
    begin(network, [tiny_checkpoint])
    stored = load_file(tiny_checkpoint / "model.safetensors")
    assert all(torch.equal(p, stored[name]) for name, p in network.named_parameters())


def test_a_run_cannot_start_from_one_of_another_size_or_from_two(tiny_run: Path) -> None:
    network = LivePMMTalk(replace(load_config(tiny_run / "config.yaml"), branch_width=8))
    with pytest.raises(ModelError, match="expected one of the same sizes"):
        begin(network, [tiny_run])
    with pytest.raises(ModelError, match="got 2 folders"):
        begin(network, [tiny_run, tiny_run])


def test_a_network_without_look_ahead_is_refused_by_the_recipe_though_it_could_learn(
    config: Config, source: Iterator[Batch]
) -> None:
    with pytest.raises(ModelError, match="without look-ahead lips close too late"):
        build(replace(config, delay=0))
    batch = next(source)
    assert torch.equal(in_step(batch, 0).curves, batch.curves)
    assert set(live(replace(config, delay=0)).terms(batch, "face")) == TERMS


@pytest.mark.parametrize("stage", ["branches", "face", "whole"])
def test_a_network_on_another_device_draws_its_faces_there(config: Config, source: Iterator[Batch], stage: str) -> None:
    """`meta` computes nothing and, as CUDA does, refuses what lies on two devices."""
    network = live(config).to("meta")
    terms = network.terms(on_device(next(source), torch.device("meta")), stage)
    assert {term.device.type for term in terms.values()} == {"meta"}


def test_a_run_that_resumes_has_its_moments_beside_its_weights(config: Config, tmp_path: Path) -> None:
    network = live(config)
    optimiser = torch.optim.AdamW(network.parameters())
    network.terms(Batch(torch.zeros(1, 12, 160), torch.zeros(1, 12, 32), torch.ones(1, 1, 32),
                        torch.zeros(1, 12, dtype=torch.long), torch.zeros(1, 12), torch.zeros(1, dtype=torch.long)),
                  "face")["position"].backward()  # fmt: skip
    optimiser.step()
    save(tmp_path / FILE, network, Average(network), optimiser, Progress(step=1))
    _, moments = restore(tmp_path / FILE, network, Average(network))
    away = live(config).to("meta")
    other = torch.optim.AdamW(away.parameters())
    put_moments(other, away, moments, 1)
    places = {state[moment].device.type for state in other.state.values() for moment in ("exp_avg", "exp_avg_sq")}
    assert places == {"meta"}
