"""One small run: examples fit their sound, a run resumes where it stopped, and what is exported is what was trained."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from arkit_mapping.channels import MOUTH_32
from models.corpus.engines import SAMPLE_RATE, Utterance
from models.corpus.phones import INDEX, Phone
from models.corpus.store import write_voice
from models.loading import load_model
from models.pmmtalk.config import Config, load_config
from models.training import __main__ as training
from models.training.examples import Windows, load
from models.training.export import difference, export_run
from models.training.objective import Weights, aperture, channel_weights, objective


def buzz(name: str, seconds: float) -> np.ndarray:
    """A stand-in voice: vowels buzz, p is silence."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (np.sign(np.sin(2 * np.pi * 120 * time)) * (0.3 if name == "AA" else 0.0)).astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    names = ["AA", "PB"] * 10
    phones = tuple(Phone(n, i * 0.15, (i + 1) * 0.15) for i, n in enumerate(names))
    sound = np.concatenate([buzz(n, 0.15) for n in names])
    write_voice(folder, "buzz", {}, [Utterance("papa", sound, phones)] * 4)
    return folder


@pytest.fixture
def config(tiny_run: Path) -> Config:
    return load_config(tiny_run / "config.yaml")


def options(run: Path, steps: int) -> argparse.Namespace:
    return argparse.Namespace(run=run, steps=steps, rate=3e-3, seed=0, device="cpu")


def loop(config: Config, run: Path, steps: int = 200) -> training.Loop:
    run.mkdir(exist_ok=True)
    torch.manual_seed(0)
    return training.Loop(config, channel_weights(torch.full((32,), 0.1)), options(run, steps))


def batches(corpus: Path):
    return iter(Windows(load(corpus, held_out=False), batch=2, seconds=2.0, seed=0))


def test_targets_and_sound_of_an_example_belong_together(corpus):
    batch = next(batches(corpus))
    assert batch.mel.shape == (2, 120, 160) and batch.curves.shape == (2, 120, 32)
    loud = batch.mel.mean(-1)
    vowel, closed = loud[batch.labels == INDEX["AA"]].mean(), loud[batch.labels == INDEX["PB"]].mean()
    assert vowel > closed + 0.1, "a vowel buzzes, a p is silent"


def test_the_same_seed_gives_the_same_examples(corpus):
    one, two = next(batches(corpus)), next(batches(corpus))
    torch.testing.assert_close(one.mel, two.mel)


def test_held_out_clips_are_never_trained_on(corpus):
    assert len(load(corpus, held_out=True)) == 1 and len(load(corpus, held_out=False)) == 3
    assert load(corpus, held_out=False, without=("bu",)) == []


def test_a_few_steps_learn_to_follow_the_voice(corpus, config, tmp_path):
    run, source = loop(config, tmp_path / "run"), batches(corpus)
    terms = [run.train_step(next(source)) for _ in range(24)]
    first, last = (sum(sum(t.values()) for t in part) / 6 for part in (terms[:6], terms[-6:]))
    assert last < 0.8 * first


def test_a_run_resumes_with_the_weights_and_moments_it_stopped_with(corpus, config, tmp_path):
    run, source = loop(config, tmp_path / "run"), batches(corpus)
    for _ in range(3):
        run.train_step(next(source))
    training.save(run.state_file, run.model, run.average, run.optimiser, run.step)
    again = loop(config, tmp_path / "run")
    assert again.step == 3
    batch = next(source)
    looks = run.looks.get_state()
    again.looks.set_state(looks)
    run.train_step(batch), again.train_step(batch)
    for (name, a), b in zip(run.model.named_parameters(), again.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, msg=name)


def test_an_open_mouth_on_a_sealed_frame_costs_more_than_on_another(corpus):
    batch = next(batches(corpus))
    run_views = training.Views(torch.zeros(2, 120, 30).log_softmax(-1), torch.zeros(0), {n: torch.randn(2, 120, 4) for n in "abc"})

    def cost(sealed: float) -> float:
        terms = objective(batch.curves + 0.1, run_views, replace(batch, sealed=torch.full((2, 120), sealed)), torch.ones(32), Weights())
        return float(terms["position"] + terms["aperture"])

    assert cost(1.0) > 1.2 * cost(0.0)


def test_aperture_is_what_is_left_between_the_lips():
    mouth = torch.zeros(32)
    mouth[MOUTH_32.index("jawOpen")] = 0.4
    assert aperture(mouth) == pytest.approx(0.4)
    mouth[MOUTH_32.index("mouthClose")] = 0.4
    assert aperture(mouth) == pytest.approx(0)


def test_the_exported_model_is_the_trained_one_and_its_graph_agrees(tiny_run, tiny_checkpoint, tmp_path):
    assert difference(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml")) <= 1e-5
    export_run(tiny_run, tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (tiny_checkpoint / "model.safetensors").read_bytes()
    assert load_model(str(tiny_checkpoint)).name == "tiny"
