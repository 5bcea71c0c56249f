"""A run: two stages, what is frozen, and going on where it stopped."""

import argparse
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face_lab.training import __main__ as training
from speech_to_face_lab.training.examples import ALL_STYLES, IGNORED, Batch, Windows
from speech_to_face_lab.training.loop import FROZEN, Loop, Plan, scores
from speech_to_face_lab.training.objective import DRAW_EVERY, channel_weights
from speech_to_face_lab.training.state import save
from speech_to_face_lab.training.tracks import About

BRANCHES = ("audio.", "text.blocks", "text.head", "head.", "reference.")
"""What hears and draws: all that a stage without a decoder can teach."""


@pytest.fixture
def config(tiny_run) -> Config:
    return replace(load_config(tiny_run / "config.yaml"), styles=ALL_STYLES)


@pytest.fixture
def source(papa):
    return iter(Windows(papa, None, batch=2, seconds=2.0, seed=0))


def loop(config: Config, run, **plan) -> Loop:
    run.mkdir(exist_ok=True)
    torch.manual_seed(0)
    return Loop(config, channel_weights(torch.full((32,), 0.1)), Plan(run, **{"steps": 200, "rate": 3e-3} | plan))


def weights(run: Loop) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in run.model.named_parameters()}


def moved(before: dict[str, torch.Tensor], run: Loop) -> set[str]:
    return {name for name, p in run.model.named_parameters() if not torch.equal(before[name], p)}


def test_a_few_steps_learn_to_follow_the_voice(config, source, tmp_path):
    run = loop(config, tmp_path / "run")
    terms = [run.train_step(next(source)) for _ in range(30)]
    first, last = (sum(sum(t.values()) for t in part) / 6 for part in (terms[:6], terms[-6:]))
    assert last < 0.8 * first
    assert set(terms[0]) == {"position", "motion", "phones", "aperture", "spread", "image", "temporal", "semantic"}


def test_pretraining_teaches_the_branches_alone(config, source, tmp_path):
    run = loop(config, tmp_path / "run", pretrain=3)
    before = weights(run)
    terms = [run.train_step(next(source)) for _ in range(3)]
    assert all(set(t) == {"phones", "image"} for t in terms)
    assert moved(before, run) == {name for name in before if name.startswith(BRANCHES)}


def test_after_pretraining_text_and_image_are_frozen_and_the_rest_learns(config, source, tmp_path):
    run = loop(config, tmp_path / "run", pretrain=2)
    for _ in range(2):
        run.train_step(next(source))
    assert not run.pretraining
    before = weights(run)
    terms = [run.train_step(next(source)) for _ in range(3)]
    frozen = {name for name in before if name.startswith(tuple(f"{part}." for part in FROZEN))}
    assert len(frozen) > 10 and not moved(before, run) & frozen
    assert {name.split(".")[0] for name in moved(before, run)} >= {
        "audio",
        "fuse",
        "layers",
        "out",
        "image",
        "align",
        "styles",
    }
    assert {"phones", "image", "position"} <= set(terms[0]), "the frozen branches' losses still teach the audio encoder"


def test_frozen_branches_still_pass_gradients_to_the_audio_encoder(config, source, tmp_path):
    run = loop(
        config,
        tmp_path / "run",
        pretrain=1,
        dropped=("position", "motion", "aperture", "spread", "temporal", "semantic"),
    )
    run.train_step(next(source))
    before = weights(run)
    run.train_step(next(source))
    assert any(name.startswith("audio.") for name in moved(before, run))


def test_without_pretraining_nothing_is_frozen(config, source, tmp_path):
    run = loop(config, tmp_path / "run")
    run.train_step(next(source))
    assert all(p.requires_grad for p in run.model.parameters())


def test_dropped_terms_are_neither_told_nor_learnt(config, source, tmp_path):
    run = loop(config, tmp_path / "run", dropped=("temporal", "semantic", "phones"))
    before = weights(run)
    terms = run.train_step(next(source))
    assert not {"temporal", "semantic", "phones"} & set(terms) and "position" in terms
    assert not any(name.startswith("align.") for name in moved(before, run)), (
        "only the alignment terms teach the alignment heads"
    )


@pytest.mark.parametrize("views", [("audio",), ("audio", "text"), ("audio", "image")])
def test_a_decoder_of_fewer_views_trains(config, source, tmp_path, views):
    run = loop(replace(config, views=views), tmp_path / "run")
    assert run.model.fuse.in_features < loop(config, tmp_path / "all").model.fuse.in_features
    for _ in range(2):
        terms = run.train_step(next(source))
    assert all(torch.isfinite(torch.tensor(value)) for value in terms.values())


@pytest.mark.parametrize("pretrain", [0, 8], ids=["one stage", "before the freeze"])
def test_a_run_resumes_with_the_weights_and_moments_it_stopped_with(config, source, tmp_path, pretrain):
    run = loop(config, tmp_path / "run", pretrain=pretrain)
    for _ in range(4):
        run.train_step(next(source))
    save(run.state_file, run.model, run.average, run.optimiser, run.step)
    again = loop(config, tmp_path / "run", pretrain=pretrain)
    assert again.step == 4 and again.pretraining == run.pretraining
    again.looks.set_state(run.looks.get_state())
    batch = next(source)
    run.train_step(batch), again.train_step(batch)
    for (name, a), b in zip(run.model.named_parameters(), again.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, msg=name)
        torch.testing.assert_close(run.average.weights[name], again.average.weights[name], msg=name)


def test_a_run_that_resumes_after_the_freeze_keeps_its_weights_and_stays_frozen(config, source, tmp_path):
    run = loop(config, tmp_path / "run", pretrain=2)
    for _ in range(4):
        run.train_step(next(source))
    save(run.state_file, run.model, run.average, run.optimiser, run.step)
    again = loop(config, tmp_path / "run", pretrain=2)
    assert again.step == 4 and not moved(weights(run), again)
    before = weights(again)
    again.train_step(next(source))
    assert not {name for name in moved(before, again) if name.startswith(tuple(f"{part}." for part in FROZEN))}
    assert any(name.startswith("layers.") for name in moved(before, again))


def test_the_rate_rises_then_falls_to_nothing(config, tmp_path):
    run = loop(config, tmp_path / "run", steps=1000, rate=1e-3)
    rates = []
    for run.step in range(1001):
        rates.append(run._rate())
    assert rates[0] < 2e-5 and rates[-1] == pytest.approx(1e-6)
    assert 0.9e-3 < max(rates) <= 1.001e-3 and 50 < rates.index(max(rates)) < 150


def test_the_delay_is_taken_out_of_the_sound_not_of_the_targets(config, source, tmp_path):
    run, batch = loop(config, tmp_path / "run"), next(source)
    late = config.delay
    now = run.in_step(batch)
    torch.testing.assert_close(now.curves, batch.curves[:, :-late])
    look = torch.rand(2, 3, 96, 96)
    predicted, views = run.predict(batch, look, look[:, :, :16, :16])
    states = run.model.initial_states(2)
    crop = to_patches(look[:, :, :16, :16])
    whole, _, whole_views = run.model(
        batch.mel, run.model.styles(batch.style), run.model.reference(look), crop, torch.tensor(0), states
    )
    torch.testing.assert_close(predicted, whole[:, late:])
    torch.testing.assert_close(views.log_phones, whole_views.log_phones[:, late:])
    assert predicted.shape == now.curves.shape and views.log_phones.shape[:2] == now.labels.shape


def test_both_stages_draw_the_same_frames(config, source, tmp_path):
    run, batch = loop(config, tmp_path / "run"), next(source)
    reference = torch.rand(2, 3, 96, 96)
    crop = reference[:, :, :16, :16]
    log_phones, images = run._branches(batch, reference, crop)
    _, views = run.predict(batch, reference, crop)
    torch.testing.assert_close(log_phones, views.log_phones)
    torch.testing.assert_close(images, views.images[:, ::DRAW_EVERY])


def test_validation_measures_what_the_targets_say(config, source, tmp_path):
    run = loop(config, tmp_path / "run")
    measured = run.validate([next(source), next(source)])
    assert set(measured) == {"phones", "r", "jaw_r", "closed", "false_closed"}
    assert 0 <= measured["phones"] <= 1


def test_a_perfect_mouth_scores_perfectly_and_unknown_labels_do_not_count(source):
    batch = next(source)
    log_phones = torch.nn.functional.one_hot(batch.labels, 30).float()
    labels = batch.labels.clone()
    labels[:, ::3] = IGNORED
    found = scores(
        batch.curves, log_phones, Batch(batch.mel, batch.curves, batch.known, labels, batch.sealed, batch.style)
    )
    assert (
        found["phones"] == 1
        and found["r"] == pytest.approx(1, abs=1e-4)
        and found["jaw_r"] == pytest.approx(1, abs=1e-4)
    )
    assert found["closed"] == 1 and found["false_closed"] == 0
    assert (
        scores(torch.zeros_like(batch.curves) + 1e-3 * torch.rand_like(batch.curves), log_phones, batch)["false_closed"]
        == 1
    )


def test_the_command_trains_logs_validates_and_goes_on(make_tracks, make_piece, noises, tmp_path, monkeypatch, capsys):
    make_tracks(("papa-0", About("recorded"), [make_piece()] * 2))
    make_tracks(("papa-held", About("recorded", held=True), [make_piece()]), held=True)
    np.save(tmp_path / "noise.npy", noises.noise), np.save(tmp_path / "babble.npy", noises.babble)
    for name, value in (("LOG_EVERY", 1), ("VALIDATE_EVERY", 2), ("SAVE_EVERY", 2)):
        monkeypatch.setattr(training, name, value)
    monkeypatch.setattr(training, "Config", small)
    monkeypatch.setattr(training, "DataLoader", lambda source, **_: source)
    monkeypatch.setattr(training.torch, "set_flush_denormal", lambda _: True)

    def trained(steps: int) -> list[str]:
        run = str(tmp_path / "run")
        more = ["--batch", "2", "--seconds", "1.5", "--pretrain", "1"]
        monkeypatch.setattr(
            "sys.argv", ["training", "--tracks", str(tmp_path), "--run", run, "--steps", str(steps), *more]
        )
        training.main()
        return capsys.readouterr().out.splitlines()

    lines = trained(2)
    assert lines[0].endswith("from step 0") and any("validation recorded" in line for line in lines)
    assert trained(3)[0].endswith("from step 2")
    steps = [
        line
        for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()
        if '"position"' in line or '"phones"' in line
    ]
    assert len(steps) >= 3 and (tmp_path / "run" / "config.yaml").exists()


def small(**given) -> Config:
    sizes = {"width": 16, "decoder_width": 16, "branch_width": 8, "image_size": 16, "window": 12, "heads": 2}
    return Config(**sizes, dilations=(1,), text_dilations=(1,), **given)


def test_a_run_that_starts_from_another_has_its_averaged_weights_and_its_own_count(tiny_run, tmp_path):
    config = load_config(tiny_run / "config.yaml")
    (tmp_path / "new").mkdir()
    begun = Loop(config, torch.ones(32), Plan(tmp_path / "new", steps=10, start=tiny_run))
    with safe_open(tiny_run / "state.safetensors", "pt") as stored:
        for name, p in begun.model.named_parameters():
            torch.testing.assert_close(p.detach(), stored.get_tensor(f"average.{name}"))
            torch.testing.assert_close(begun.average.weights[name], p.detach())
    assert begun.step == 0


def test_a_run_cannot_start_from_one_of_another_size(tiny_run, tmp_path):
    config = replace(load_config(tiny_run / "config.yaml"), branch_width=8)
    with pytest.raises(ValueError, match="expected"):
        Loop(config, torch.ones(32), Plan(tmp_path, steps=10, start=tiny_run))


def test_a_run_does_not_go_on_under_another_config(tiny_run, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("state.safetensors", "config.yaml"):
        (run / name).write_bytes((tiny_run / name).read_bytes())
    config = load_config(run / "config.yaml")
    training.keep_config(config, run)
    with pytest.raises(ValueError, match="delay"):
        training.keep_config(replace(config, delay=1), run)
    assert load_config(run / "config.yaml") == config, "the run's own config is left"


def test_leaving_out_what_is_not_there_is_refused(papa, tmp_path):
    with pytest.raises(ValueError, match="flyte"):
        training.check_names(argparse.Namespace(tracks=tmp_path, without=["flyte"]))
    training.check_names(argparse.Namespace(tracks=tmp_path, without=["papa"]))


def test_a_folder_without_tracks_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["training", "--tracks", str(tmp_path / "nowhere"), "--run", str(tmp_path / "run")]
    )
    with pytest.raises(SystemExit, match="no tracks there"):
        training.main()


def test_a_loop_without_delay_learns_from_all_frames(config, source, tmp_path):
    run, batch = loop(replace(config, delay=0), tmp_path / "run"), next(source)
    assert torch.equal(run.in_step(batch).curves, batch.curves)


@pytest.mark.parametrize("pretrain", [0, 2])
def test_a_loop_on_another_device_draws_its_faces_there(config, source, tmp_path, pretrain):
    """`meta` computes nothing and, as CUDA does, refuses what lies on two devices."""
    run = loop(config, tmp_path / "run", pretrain=pretrain, device="meta")
    terms = run._terms(training.to_device(next(source), run.device))
    assert {term.device.type for term in terms.values()} == {"meta"}


def test_a_run_that_goes_on_has_its_moments_beside_its_weights(config, source, tmp_path):
    begun = loop(config, tmp_path / "run")
    begun.train_step(next(source))
    save(begun.state_file, begun.model, begun.average, begun.optimiser, begun.step)
    going_on = loop(config, tmp_path / "run", device="meta")
    places = {
        state[moment].device.type for state in going_on.optimiser.state.values() for moment in ("exp_avg", "exp_avg_sq")
    }
    assert places == {"meta"}
