"""Fetching from the hub: one commit by its hash, weights only, nothing while offline but what is cached."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.official import convert as converting
from speech_to_face.official import worker
from speech_to_face.official.hub import SOURCES, download, source_of
from speech_to_face.official.mapped import Mapped

HASH = "0123456789abcdef0123456789abcdef01234567"
TOY = SimpleNamespace(recognised=lambda state: "w" in state, mapped=lambda state: Mapped("toy", {}, {"w": state["w"]}))


class Hub:
    """A made hub: what it holds by file name, and what was asked of it."""

    def __init__(self, folder: Path, files: dict[str, Any], error: type[Exception] = EntryNotFoundError) -> None:
        self.folder, self.files, self.asked, self.error = folder, files, [], error

    def fetch(self, repository: str, name: str, *, revision: str) -> str:
        self.asked.append((repository, name, revision))
        if name not in self.files:
            raise self.error(f"404: no {name}")
        blob = self.folder / f"blob-{len(self.asked)}"
        save_file(self.files[name], blob) if name.endswith(".safetensors") else torch.save(self.files[name], blob)
        link = self.folder / name
        link.symlink_to(blob)
        return str(link)


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def to(files: dict[str, Any], error: type[Exception] = EntryNotFoundError) -> Hub:
        (tmp_path / "cache").mkdir()
        hub = Hub(tmp_path / "cache", files, error)
        monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub.fetch)
        monkeypatch.setattr(converting, "_worker", lambda folder, files: worker.work(folder, files, [TOY]))
        return hub

    return to


def test_safetensors_of_the_pinned_commit_are_taken_and_nothing_else_is_asked_for(connect: Any, tmp_path: Path) -> None:
    hub = connect({"model.safetensors": {"w": torch.ones(3)}})
    made = download("xlsr-53-chinese", tmp_path / "models")
    pinned = SOURCES["xlsr-53-chinese"]
    assert hub.asked == [(pinned.repository, "model.safetensors", pinned.revision)]
    assert made.folder == tmp_path / "models" / "xlsr-53-chinese"
    checkpoint.verify(made.folder)
    card = (made.folder / checkpoint.CARD).read_text()
    assert str(pinned.revision) in card and "Apache-2.0" in card


def test_without_safetensors_the_pickle_is_converted_and_the_cache_is_left_alone(connect: Any, tmp_path: Path) -> None:
    hub = connect({"pytorch_model.bin": {"w": torch.ones(3)}})
    made = download("some/weights", tmp_path / "models", HASH)
    assert [name for _, name, _ in hub.asked] == ["model.safetensors", "pytorch_model.bin"]
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "CARD.md",
        "SHA256SUMS",
        "config.yaml",
        "model.safetensors",
    ]
    assert (made.folder.name, (tmp_path / "cache" / "pytorch_model.bin").exists()) == ("weights", True)


def test_a_commit_without_weights_says_which_files_were_looked_for(connect: Any, tmp_path: Path) -> None:
    connect({})
    with pytest.raises(ModelError, match=r"no model\.safetensors and no pytorch_model\.bin to be had"):
        download("xlsr-53-chinese", tmp_path / "models")


def test_offline_what_is_not_cached_is_one_clear_line(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect({}, LocalEntryNotFoundError)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set and the hub's cache on this machine does not hold it"):
        download("xlsr-53-chinese", tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_hub_that_cannot_be_reached_is_one_clear_line(connect: Any, tmp_path: Path) -> None:
    connect({}, ConnectionError)
    with pytest.raises(ModelError, match="at 99ccb.*: ConnectionError: 404"):
        download("xlsr-53-chinese", tmp_path / "models")


def test_a_second_download_is_refused_before_anything_is_asked_and_forced_on_demand(
    connect: Any, tmp_path: Path
) -> None:
    hub = connect({"model.safetensors": {"w": torch.ones(3)}})
    (tmp_path / "models" / "xlsr-53-chinese").mkdir(parents=True)
    with pytest.raises(ModelError, match="downloaded before, or overwrite it with --force"):
        download("xlsr-53-chinese", tmp_path / "models")
    assert hub.asked == []
    checkpoint.verify(download("xlsr-53-chinese", tmp_path / "models", force=True).folder)


def test_without_the_package_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", ModuleType("huggingface_hub"))
    with pytest.raises(ModelError, match="pip install huggingface_hub"):
        download("xlsr-53-chinese", tmp_path / "models")


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        (
            "xlsr-53",
            None,
            "no revision of facebook/wav2vec2-large-xlsr-53 is pinned here: choose a commit at https://.*--revision "
            "HASH",
        ),
        ("some/weights", None, "no revision of some/weights is pinned"),
        ("some/weights", "main", "expected a commit's whole hash, 40 of 0-9 and a-f"),
        ("xlsr", None, "nothing called 'xlsr' to download, expected one of xlsr-53,"),
        ("../../etc", None, "nothing called '../../etc'"),
        ("pmmtalk", None, "no weights of 'pmmtalk' that drive a face are public; .* download xlsr-53"),
        ("pmmtalk-live", None, "is shipped with the program"),
    ],
)
def test_a_name_or_revision_that_cannot_be_is_said_with_what_can(name: str, revision: str | None, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        source_of(name, revision)


def test_a_revision_that_is_named_goes_before_the_pinned_one() -> None:
    assert source_of("xlsr-53-chinese", HASH).revision == HASH
    assert source_of("xlsr-53", HASH).repository == "facebook/wav2vec2-large-xlsr-53"


def test_every_pinned_revision_is_a_whole_hash() -> None:
    for name, source in SOURCES.items():
        if source.revision is not None:
            assert source_of(name) == source
