"""`train --model pmmtalk`: public weights, the mean face, unknown channels, and the warning of frozen random parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from paper_pmmtalk import tiny_network, write
from safetensors.torch import load_file

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.loading import load_model
from speech_to_face.networks.pmmtalk.paper.config import TINY
from speech_to_face.phones import Phone
from speech_to_face_lab.corpus.engines import Utterance
from speech_to_face_lab.corpus.store import write_voice
from speech_to_face_lab.protocols.clips import SubjectClip
from speech_to_face_lab.training.data.recordings import mean_curves
from speech_to_face_lab.training.loop.state import FILE
from speech_to_face_lab.training.orders import TrainOptions, plan_of
from speech_to_face_lab.training.run import CHECKPOINT, train_run

torch.set_num_threads(1)
TINIEST = yaml.safe_load(TINY.read_text("utf-8"))
SIZES = tuple(
    f"{key}={value}" for key, value in TINIEST.items() if key not in ("parts", "system", "styles", "channels")
)
Buzz = Callable[[], NDArray[np.float32]]


@pytest.fixture(scope="module")
def speakers(tmp_path_factory: pytest.TempPathFactory, buzz: Buzz, papa_phones: Sequence[Phone]) -> Path:
    folder = tmp_path_factory.mktemp("speakers")
    for name in ("flite-awb", "flite-rms", "flite-slt"):
        write_voice(folder, name, {}, [Utterance("papa", buzz(), tuple(papa_phones))])
    return folder


@pytest.fixture(scope="module")
def donor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights of every part."""
    place = tmp_path_factory.mktemp("donor")
    write(tiny_network(5), place)
    return place


def train(speakers: Path, run: Path, begin: Sequence[Path], steps: int = 1) -> list[str]:
    """What was said."""
    said = list[str]()
    order = TrainOptions("pmmtalk", str(speakers), changes=SIZES, begin=tuple(map(str, begin)))
    train_run(order, plan_of("pmmtalk", steps=steps, seconds=0.5), run, "cpu", say=said.append)
    return said


def test_a_new_run_begins_from_public_weights_which_stay_where_they_are_frozen(
    speakers: Path, donor: Path, tmp_path: Path
) -> None:
    said = train(speakers, tmp_path, [donor], steps=2)
    assert not [line for line in said if "warning" in line]
    learnt, given = load_file(tmp_path / CHECKPOINT / "model.safetensors"), load_file(donor / "model.safetensors")
    frozen = [name for name in given if name.startswith(("psi_AE.", "psi_TD.", "psi_HG."))]
    assert frozen and all(torch.equal(learnt[name], given[name]) for name in frozen)
    assert load_model(str(tmp_path / CHECKPOINT), device="cpu").animate(np.zeros(8000, np.float32)).shape == (30, 32)


def test_without_them_it_warns_in_one_line_how_to_get_them(speakers: Path, tmp_path: Path) -> None:
    (warning,) = [line for line in train(speakers, tmp_path, []) if line.startswith("warning")]
    assert "frozen and random, and not trained: psi_AE, psi_TD, psi_HG" in warning
    assert (
        "models download xlsr-53-chinese" in warning
        and "models convert" in warning
        and "--begin" in warning
        and "\n" not in warning
    )
    assert "80 epochs, as in the paper, would be 80 steps of one of the 1 training clips" in train(
        speakers, tmp_path, []
    )


def test_a_run_does_not_go_on_from_other_weights_than_it_began_from(
    speakers: Path, donor: Path, tmp_path: Path
) -> None:
    train(speakers, tmp_path, [])
    with pytest.raises(ModelError, match="was begun with other begin"):
        train(speakers, tmp_path, [donor])


def test_it_begins_at_the_mean_face_of_the_training_clips(
    speakers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = torch.linspace(0.1, 0.6, 32)
    monkeypatch.setattr("speech_to_face_lab.training.prepared.mean_curves", lambda clips: face)
    train(speakers, tmp_path, [])
    bias = load_file(tmp_path / FILE)["model.psi_PD.out.bias"]
    assert float((bias - face).abs().max()) <= 1.01e-4, "one step of Adam from there"


def test_the_mean_face_counts_frames_and_leaves_out_what_is_not_known() -> None:
    def clip(level: float, frames: int) -> SubjectClip:
        curves = np.full((frames, len(MOUTH_32)), level, np.float32)
        curves[:, 1] = np.nan
        return SubjectClip(f"{level}", "anna", "", np.zeros(16_000, np.float32), 30, curves)

    first, second = clip(0.2, 30), clip(0.8, 10)
    assert second.curves is not None
    second.curves[:, 2] = np.nan
    found = mean_curves([first, second])
    assert found[:3].tolist() == pytest.approx([0.35, 0.0, 0.2]) and found.dtype == torch.float32
