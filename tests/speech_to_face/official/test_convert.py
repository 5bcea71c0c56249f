"""Public files to checkpoint folders: what is read, what is refused, and that nothing in a file ever runs."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.official import convert as converting
from speech_to_face.official import worker
from speech_to_face.official.convert import convert
from speech_to_face.official.mapped import Mapped
from speech_to_face.official.reading import check_finite, read_state

OWN_PROCESS = pytest.mark.timeout(240)
"""Starts a process that imports torch and transformers, which on a busy machine takes its time."""


class Trap:
    """Unpickled without care it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def rename(state: dict[str, torch.Tensor]) -> Mapped:
    return Mapped(
        "toy",
        {"width": state["w"].shape[0]},
        {"ours.weight": state["w"].t()},
        tuple(key for key in state if key != "w"),
    )


TOY = SimpleNamespace(recognised=lambda state: "w" in state, mapped=rename)


def saved(path: Path, held: Any, zipped: bool = True) -> Path:
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("host", ["/opt/UE_5.6/UnrealEditor", r"C:\Autodesk\maya.exe", "", None])
def test_inside_another_program_no_second_one_of_it_is_started(
    host: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting.sys, "executable", host)
    monkeypatch.setattr(converting.subprocess, "run", lambda *_, **__: pytest.fail("started"))
    with pytest.raises(ModelError, match="convert it on a command line: livelink-bridge models convert .*w.pth"):
        convert([tmp_path / "w.pth"], tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["python", "python3", "python3.13t", "pythonw.exe", "mayapy.exe", "pypy3.11"])
def test_an_interpreter_by_any_of_its_names_is_one_unless_the_program_is_frozen(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting.sys, "executable", f"/usr/bin/{name}")
    assert converting._interpreter(Path("w.pth")) == f"/usr/bin/{name}"
    monkeypatch.setattr(converting.sys, "frozen", True, raising=False)
    with pytest.raises(ModelError, match="inside /usr/bin/"):
        converting._interpreter(Path("w.pth"))


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_come_out_of_training_checkpoints_of_both_file_kinds(tmp_path: Path, zipped: bool) -> None:
    held = {
        "state_dict": {"w": torch.arange(6.0).reshape(2, 3)},
        "epoch": 3,
        "best": np.float64(0.5),
        "optimizer": {"lr": 0.1},
    }
    tensors, rest = read_state(saved(tmp_path / "a.pth.tar", held, zipped))
    assert tensors["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert list(tensors) == ["w"] and sorted(rest) == ["best", "epoch", "optimizer"]


def test_a_bare_state_dict_and_safetensors_are_read_too(tmp_path: Path) -> None:
    save_file({"w": torch.ones(2)}, tmp_path / "a.safetensors")
    for path in (saved(tmp_path / "a.pt", {"w": torch.ones(2), "note": "hello"}), tmp_path / "a.safetensors"):
        tensors, rest = read_state(path)
        assert tensors["w"].tolist() == [1, 1] and rest in ((), ("note",))


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_named_and_never_runs(tmp_path: Path, zipped: bool) -> None:
    mark = tmp_path / "sprung"
    path = saved(tmp_path / "evil.pth", {"w": torch.ones(1), "trap": Trap(mark)}, zipped)
    with pytest.raises(ModelError, match=r"not loaded, since it holds more than numbers \(it calls \w+\.system\)"):
        read_state(path)
    assert not mark.exists()


@OWN_PROCESS
def test_converting_a_file_with_code_in_it_writes_nothing_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "sprung"
    path = saved(tmp_path / "evil.pth", {"w": torch.ones(1), "trap": Trap(mark)})
    with pytest.raises(ModelError, match="holds more than numbers"):
        convert([path], tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["evil.pth"]


def test_a_plain_pickle_with_code_in_it_runs_nothing_either(tmp_path: Path) -> None:
    mark = tmp_path / "sprung"
    (tmp_path / "evil.bin").write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(ModelError, match="evil.bin"):
        read_state(tmp_path / "evil.bin")
    assert not mark.exists()
    pickle.loads((tmp_path / "evil.bin").read_bytes())  # the sample does what it should, were it let
    assert mark.exists()


BROKEN = [
    (b"", "not a readable PyTorch file"),
    (b"PK\x03\x04 and no more", "not a readable PyTorch file"),
    (b"hello, no checkpoint", "not "),
]


@pytest.mark.parametrize(("content", "message"), BROKEN)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(ModelError, match=message) as raised:
        read_state(tmp_path / "a.pth")
    assert "\n" not in str(raised.value)


def test_files_that_hold_no_tensors_or_are_absent_or_are_some_other_archive_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_state(tmp_path / "a.pth")
    with pytest.raises(ModelError, match="no tensors by name in it, only epoch"):
        read_state(saved(tmp_path / "b.pth", {"epoch": 1}))
    with pytest.raises(ModelError, match="holds list"):
        read_state(saved(tmp_path / "c.pth", [torch.ones(1)]))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "hello")
    (tmp_path / "d.zip").write_bytes(packed.getvalue())
    with pytest.raises(ModelError, match="not a readable PyTorch file"):
        read_state(tmp_path / "d.zip")


def test_numbers_that_are_not_finite_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="b has numbers that are not finite"):
        check_finite(
            {"a": torch.ones(1), "b": torch.tensor([1.0, float("nan")]), "n": torch.tensor([1])}, tmp_path / "a.pth"
        )


def test_a_mapped_file_becomes_a_checkpoint_folder_that_says_where_it_comes_from(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", {"w": torch.arange(6.0).reshape(2, 3), "extra": torch.ones(1), "epoch": 2})
    said = worker.work(tmp_path, [path], [TOY])
    assert said == {"system": "toy", "tensors": 1, "parameters": 6, "unmapped": ["extra", "epoch"]}
    checkpoint.verify(tmp_path)
    assert yaml.safe_load((tmp_path / checkpoint.CONFIG).read_text()) == {"system": "toy", "width": 2}
    assert load_file(tmp_path / checkpoint.WEIGHTS)["ours.weight"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert checkpoint.digest(path) in (tmp_path / checkpoint.CARD).read_text()


def test_a_layout_that_nobody_knows_says_what_the_names_are(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no layout that is known here; its 2 tensors begin with a\.b, c"):
        worker.work(tmp_path, [saved(tmp_path / "a.pth", {"c": torch.ones(1), "a.b": torch.ones(1)})], [TOY])


def test_what_a_mapping_stumbles_over_is_one_line_about_the_file(tmp_path: Path) -> None:
    clumsy = SimpleNamespace(recognised=lambda state: True, mapped=lambda state: state["absent"])
    with pytest.raises(ModelError, match="a.pth: not laid out as expected"):
        worker.read_mapped(saved(tmp_path / "a.pth", {"w": torch.ones(1)}), [clumsy])


def test_files_of_one_model_are_joined_and_a_later_one_goes_over_an_earlier() -> None:
    one, two = torch.zeros(1), torch.ones(1)
    first = Mapped("s", {"width": 4, "parts": ["p"]}, {"a": one, "b": one}, ("x",))
    second = Mapped("s", {"width": 4, "parts": ["q", "p"], "more": 1}, {"b": two, "c": two}, ("y",))
    both = worker.joined([first, second])
    assert both.config == {"width": 4, "parts": ["p", "q"], "more": 1}
    assert {key: value.item() for key, value in both.tensors.items()} == {"a": 0, "b": 1, "c": 1}
    assert both.unmapped == ("x", "y")


def test_files_of_different_models_or_sizes_are_not_joined() -> None:
    first = Mapped("s", {"width": 4}, {})
    with pytest.raises(ModelError, match="different systems, s and t"):
        worker.joined([first, Mapped("t", {}, {})])
    with pytest.raises(ModelError, match="width is 4 in one and 5 in another"):
        worker.joined([first, Mapped("s", {"width": 5}, {})])


def wav2lip() -> dict[str, torch.Tensor]:
    """Made weights under the official names, at the smallest width."""
    from speech_to_face.networks.pmmtalk.paper.talking_head import TalkingHead

    return {f"module.{key}": torch.full_like(value, 0.5) for key, value in TalkingHead(2).state_dict().items()}


@OWN_PROCESS
def test_the_whole_way_in_its_own_process_writes_a_folder_and_says_what_did_not_map(tmp_path: Path) -> None:
    path = saved(tmp_path / "wav2lip.pth", {"state_dict": {**wav2lip(), "module.odd": torch.ones(1)}, "optimizer": {}})
    made = convert([path], tmp_path / "deep" / "head")
    assert (made.folder, made.system) == (tmp_path / "deep" / "head", "pmmtalk-paper")
    assert sorted(made.unmapped) == ["odd", "optimizer"]
    checkpoint.verify(made.folder)
    assert made.tensors == len(load_file(made.folder / checkpoint.WEIGHTS))
    assert [one.name for one in made.folder.parent.iterdir()] == ["head"]


def test_a_folder_that_exists_is_kept_unless_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = saved(tmp_path / "a.pth", {"w": torch.ones(2, 3)}), tmp_path / "out"
    monkeypatch.setattr(converting, "_worker", lambda folder, files: worker.work(folder, files, [TOY]))
    out.mkdir()
    (out / "mine.txt").write_text("hello")
    with pytest.raises(ModelError, match="out exists; choose another folder, or overwrite it with --force"):
        convert([path], out)
    assert (out / "mine.txt").exists()
    convert([path], out, force=True)
    checkpoint.verify(out)
    assert not (out / "mine.txt").exists()


def test_a_file_that_is_refused_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_worker", lambda folder, files: worker.work(folder, files, [TOY]))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("hello")
    with pytest.raises(ModelError, match="no such file"):
        convert([tmp_path / "absent.pth"], tmp_path / "out", force=True)
    assert [one.name for one in tmp_path.rglob("*")] == ["out", "mine.txt"]


def test_a_reading_process_that_dies_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_interpreter", lambda file: "/bin/false")
    with pytest.raises(ModelError, match="could not be read .the reading process ended with 1: it said nothing"):
        convert([tmp_path / "a.pth"], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
