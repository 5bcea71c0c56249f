"""A run's folder: protocol, config, plan and log are kept, and a finished run holds a checkpoint that plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face.loading import load_model
from speech_to_face.phones import Phone
from speech_to_face_lab.corpus.engines import Utterance
from speech_to_face_lab.corpus.store import write_voice
from speech_to_face_lab.protocols.splits import read_split, split
from speech_to_face_lab.tracks import read_tracks
from speech_to_face_lab.training.data.recordings import read_clips, window_batches, with_faces
from speech_to_face_lab.training.export import load_run
from speech_to_face_lab.training.loop.logs import read_log
from speech_to_face_lab.training.orders import TrainOptions, plan_of
from speech_to_face_lab.training.prepared import FEATURES, _watched
from speech_to_face_lab.training.run import CHECKPOINT, learn, network_of_run, train_run

torch.set_num_threads(1)
TINY = (
    "width=16",
    "decoder_width=16",
    "dilations=[1]",
    "motion_width=16",
    "motion_dilations=[1]",
    "heads=2",
    "window=12",
    "reader_window=12",
)
Buzz = Callable[[], NDArray[np.float32]]


@pytest.fixture(scope="module")
def speakers(tmp_path_factory: pytest.TempPathFactory, buzz: Buzz, papa_phones: Sequence[Phone]) -> Path:
    """Four speakers of the corpus's own names, each of which says papa."""
    folder = tmp_path_factory.mktemp("speakers")
    for name in ("flite-awb", "flite-rms", "flite-slt", "festival-dita"):
        write_voice(folder, name, {}, [Utterance("papa", buzz(), tuple(papa_phones))] * 2)
    return folder


def order(speakers: Path, **other: object) -> TrainOptions:
    return TrainOptions(**({"model": "dualtalker", "data": str(speakers), "changes": TINY} | other))  # type: ignore[arg-type]


def run(speakers: Path, folder: Path, steps: int = 4, **other: object) -> None:
    train_run(
        order(speakers, **other),
        plan_of("dualtalker", steps=steps, batch=2, seconds=0.5),
        folder,
        "cpu",
        say=lambda line: None,
    )


def test_a_finished_run_is_a_model_that_plays(speakers: Path, tmp_path: Path, buzz: Buzz) -> None:
    run(speakers, tmp_path)
    model = load_model(str(tmp_path / CHECKPOINT), device="cpu")
    assert model.animate(buzz()).shape == (180, 32)
    assert "2 subjects learnt from, 1 and 1 kept out" in (tmp_path / CHECKPOINT / "CARD.md").read_text("utf-8")


def test_the_styles_are_the_training_subjects_and_nobody_else(speakers: Path, tmp_path: Path) -> None:
    run(speakers, tmp_path)
    made = read_split(tmp_path)
    assert tuple(yaml.safe_load((tmp_path / "config.yaml").read_text())["styles"]) == made.train
    assert {path.stem for path in (tmp_path / FEATURES).glob("*.json")} == set(made.train)


def test_cross_gender_learns_from_men_alone(speakers: Path, tmp_path: Path) -> None:
    run(speakers, tmp_path, protocol="cross-gender")
    assert set(read_split(tmp_path).train) == {"awb", "rms"}


def test_a_finished_run_stays_as_it_is_whatever_steps_are_asked_for_later(speakers: Path, tmp_path: Path) -> None:
    run(speakers, tmp_path)
    before = (tmp_path / CHECKPOINT / "model.safetensors").read_bytes()
    run(speakers, tmp_path, steps=9)
    assert (tmp_path / CHECKPOINT / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"protocol": "cross-gender"}, "began with cross-subject"),
        ({"seed": 3}, "began with cross-subject, seed 0"),
        ({"changes": (*TINY, "delay=4")}, "was begun with other changes"),
    ],
)
def test_a_run_does_not_go_on_as_another_one(
    speakers: Path, tmp_path: Path, other: dict[str, object], said: str
) -> None:
    run(speakers, tmp_path)
    with pytest.raises(ModelError, match=said):
        run(speakers, tmp_path, **other)


def test_a_folder_without_recordings_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no files of .* there|is not there"):
        run(tmp_path, tmp_path / "run")


def test_what_cannot_be_built_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--set heads=0: expected 1 or more"):
        train_run(
            TrainOptions("dualtalker", str(tmp_path), changes=("heads=0",)),
            plan_of("dualtalker"),
            tmp_path / "run",
            "cpu",
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", [None, "biwi"])
def test_meshes_are_refused_before_one_is_read(tmp_path: Path, kind: str | None) -> None:
    (tmp_path / "vertices_npy").mkdir()
    (tmp_path / "vertices_npy" / "F2_e01.npy").write_bytes(b"no array: reading it would fail")
    with pytest.raises(ModelError, match="biwi is a corpus of meshes, but this network gives blendshapes"):
        read_clips(tmp_path, kind)


def test_who_speaks_less_than_a_window_is_named_and_not_counted(speakers: Path, tmp_path: Path, buzz: Buzz) -> None:
    folder, said = tmp_path / "corpus", list[str]()
    folder.mkdir()
    for name in ("flite-awb", "flite-rms", "flite-slt"):
        write_voice(folder, name, {}, [Utterance("papa", buzz(), (Phone("AA", 0.0, 0.1),))])
    write_voice(folder, "festival-dita", {}, [Utterance("pa", buzz()[:20_000], (Phone("AA", 0.0, 0.1),))])
    by = order(folder, protocol="cross-subject", seed=seed_that_trains("dita"))
    train_run(by, plan_of("dualtalker", steps=2, batch=1, seconds=1.5), tmp_path / "run", "cpu", say=said.append)
    assert "not used, since they have less speech than a window of 1.5 s: dita" in said
    card = (tmp_path / "run" / CHECKPOINT / "CARD.md").read_text("utf-8")
    assert (
        "1 subjects learnt from, 1 and 1 kept out. Too short to learn from, so that their styles are random: dita."
        in card
    )


def seed_that_trains(subject: str) -> int:
    everybody = dict.fromkeys(("awb", "rms", "slt", "dita"), "")
    return next(seed for seed in range(100) if subject in split("cross-subject", everybody, seed).train)


def test_the_parts_that_do_not_train_validate_and_judge(speakers: Path, tmp_path: Path) -> None:
    said = list[str]()
    train_run(
        order(speakers),
        plan_of("dualtalker", steps=4, batch=2, seconds=0.5, save_every=2),
        tmp_path,
        "cpu",
        say=said.append,
    )
    rows = [row for row in read_log(tmp_path) if any(name.startswith("validation_") for name in row)]
    assert [row["step"] for row in rows] == [2, 4, 4]
    assert said[-1].startswith("on 1 test subjects, ") and "ALE" in said[-1] and "R2" in said[-1]


def test_a_watched_run_learns_what_an_unwatched_one_does(speakers: Path, tmp_path: Path) -> None:
    plan = plan_of("dualtalker", steps=4, batch=2, seconds=0.5, save_every=1)
    train_run(order(speakers), plan, tmp_path / "watched", "cpu", say=lambda line: None)
    made, tracks = read_split(tmp_path / "watched"), read_tracks(tmp_path / "watched" / FEATURES, held=False)
    (tmp_path / "alone").mkdir()
    learn(order(speakers), plan, made, window_batches(tracks, made, plan), tmp_path / "alone", "cpu")
    assert (tmp_path / "alone" / CHECKPOINT / "model.safetensors").read_bytes() == (
        tmp_path / "watched" / CHECKPOINT / "model.safetensors"
    ).read_bytes()


def test_validation_subjects_who_say_too_little_are_told_and_do_not_stop_the_run(tmp_path: Path) -> None:
    def nobody(seed: int) -> Iterator[object]:
        raise ModelError("no subject speaks so long")

    said = list[str]()
    assert _watched(nobody, plan_of("voca"), said.append) == {}
    assert said == ["no validation while it learns: no subject speaks so long"]


def test_the_network_of_a_run_is_built_by_the_runs_own_config(speakers: Path, tmp_path: Path) -> None:
    run(speakers, tmp_path)
    assert network_of_run("dualtalker", tmp_path).config.width == 16


def test_a_run_that_never_began_has_no_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not the state of a run"):
        load_run(torch.nn.Linear(1, 1), tmp_path)


def test_a_plan_takes_what_the_network_is_used_to() -> None:
    assert plan_of("pmmtalk").batch == 1 and plan_of("pmmtalk", batch=2).batch == 2
    with pytest.raises(ModelError, match="expected auto, no, bf16 or fp16"):
        plan_of("voca", mixed_precision="int8")


def test_drawn_faces_differ_by_clip_and_by_seed() -> None:
    from speech_to_face_lab.protocols.windows import SpeechBatch

    two = SpeechBatch(
        torch.zeros(2, 1600), torch.zeros(2, 3, 32), torch.ones(2, 1, 32), torch.zeros(2, dtype=torch.long)
    )
    assert torch.equal(with_faces(two, 1).known, two.known)
    first, again, other = (with_faces(two, seed).reference for seed in (1, 1, 2))
    assert first.shape == (2, 3, 96, 96) and torch.equal(first, again)
    assert not torch.equal(first[0], first[1]) and not torch.equal(first, other)
