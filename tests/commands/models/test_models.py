"""`models`: what is here, whether it still is what it was, what it consists of; fetching and converting from the
command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from livelink_bridge.cli import run
from livelink_bridge.errors import BridgeError
from livelink_bridge.session import build
from livelink_bridge.settings.table import Settings
from livelink_bridge.testing.stand_ins import LoudnessModel
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.config import Config, save_config
from speech_to_face.official.convert import Converted
from speech_to_face.streaming import block_model


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one checkpoint, `small`, whose weights nobody will load."""
    folder = tmp_path / "shipped" / "small"
    folder.mkdir(parents=True)
    save_config(Config(delay=1, styles=("calm", "loud")), folder / checkpoint.CONFIG)
    (folder / checkpoint.WEIGHTS).write_bytes(bytes(2_000_000))
    checkpoint.write_sums(folder)
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("LIVELINK_BRIDGE_MODELS_DIR", str(tmp_path / "kept"))
    return folder


def keep(folder: Path, **values: object) -> Path:
    """A folder of the models' folder, of whatever system, with one small part."""
    folder.mkdir(parents=True)
    (folder / checkpoint.CONFIG).write_text(yaml.safe_dump(values))
    tensors = {"encoder.a": torch.zeros(4, 3), "encoder.b": torch.zeros(3), "styles.weight": torch.zeros(2, 8)}
    save_file(tensors, folder / checkpoint.WEIGHTS)
    checkpoint.write_sums(folder)
    return folder


@pytest.mark.usefixtures("shelf")
def test_a_whole_model_is_listed_with_lookahead_size_and_styles(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    assert capsys.readouterr().out == "small: look-ahead 33 ms, 2.0 MB, sha256 as shipped, styles calm, loud\n"


def test_a_changed_model_is_named_and_the_exit_code_is_1(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (shelf / checkpoint.WEIGHTS).open("ab") as weights:
        weights.write(b"!")
    assert run(["models"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("small: cannot be used: ") and "sha256" in out


def test_models_of_the_models_folder_follow_and_one_that_is_only_a_part_says_so(
    shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path / "kept" / "codetalker", system="codetalker", delay=3, styles=["anna", "ben"])
    keep(tmp_path / "kept" / "paper", system="pmmtalk-paper", left=60, hop=6, right=6)
    keep(tmp_path / "kept" / "wav2lip", system="pmmtalk-paper", parts=["psi_HG"])
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["small", "codetalker", "paper", "wav2lip"]
    assert "look-ahead 67 ms" in lines[1] and lines[1].endswith("sha256 as written, styles anna, ben")
    assert "look-ahead 417 ms" in lines[2] and lines[2].endswith("styles none by name")
    assert "drives no face by itself" in lines[3]


def test_a_flag_names_another_models_folder(shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path / "else" / "mine", system="baseline", delay=1)
    assert run(["models", "--models-dir", str(tmp_path / "else")]) == 0
    assert "mine: look-ahead 33 ms" in capsys.readouterr().out
    assert run(["models", "info", "mine", "--models-dir", str(tmp_path / "else")]) == 0
    assert "15" in capsys.readouterr().out


def test_info_says_how_many_numbers_each_part_has(
    shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = keep(tmp_path / "kept" / "mine", system="baseline", delay=1)
    assert run(["models", "info", "mine"]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert first == f"mine, baseline, in {folder}"
    assert [row.split() for row in rows] == [["encoder", "15"], ["styles", "16"], ["total", "31"]]


def test_info_with_new_weights_counts_a_network_of_its_default_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "info", "voca", "--random-init"]) == 0
    counts = {part: int(count.replace(",", "")) for part, count in map(str.split, capsys.readouterr().out.splitlines())}
    total = counts.pop("total")
    assert total == sum(counts.values()) > 10_000
    assert run(["models", "info", "vica", "--random-init"]) == 1
    assert "no network 'vica' to build, expected one of voca," in capsys.readouterr().err


ABSENT = [
    ("pmmtalk", "download xlsr-53"),
    ("codetalker", "codetalker-mini"),
    ("dualtalker", "train --model dualtalker"),
]


@pytest.mark.parametrize(("name", "hint"), ABSENT)
def test_a_known_system_that_is_absent_says_which_files_to_put_where(
    shelf: Path, tmp_path: Path, name: str, hint: str
) -> None:
    with pytest.raises(ModelError, match="is not here") as raised:
        checkpoint.find(name)
    text = str(raised.value)
    assert (
        hint in text
        and str(tmp_path / "kept" / name) in text
        and "config.yaml, model.safetensors and SHA256SUMS" in text
    )
    assert "\n" not in text


def test_a_model_is_looked_for_among_the_shipped_then_in_the_models_folder_then_as_a_path(
    shelf: Path, tmp_path: Path
) -> None:
    other = keep(tmp_path / "kept" / "small", delay=1)
    mine = keep(tmp_path / "kept" / "mine", delay=1)
    assert checkpoint.find("small") == shelf != other
    assert checkpoint.find("mine") == mine
    assert checkpoint.find("mine", tmp_path / "kept") == checkpoint.find(str(mine)) == mine
    with pytest.raises(ModelError, match="unknown model 'nobody': expected one of small, mine, or a folder"):
        checkpoint.find("nobody")
    with pytest.raises(ModelError, match="unknown model"):
        checkpoint.find("../shipped/small", tmp_path / "kept")


def test_the_setting_decides_where_a_session_looks(shelf: Path, tmp_path: Path) -> None:
    mine = keep(tmp_path / "else" / "mine", system="baseline", delay=1)
    assert build.model_name(Settings(model="mine", models_dir=tmp_path / "else")) == str(mine)
    assert build.model_name(Settings(model="small", models_dir=tmp_path / "else")) == "small"
    with pytest.raises(ModelError, match="unknown model 'mine'"):
        checkpoint.find(build.model_name(Settings(model="mine")))


def test_the_models_folder_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_MODELS_DIR", "~/big")
    assert checkpoint.default_models_dir() == Path.home() / "big"


def test_convert_and_download_say_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Converted(tmp_path / "out", "codetalker", 2, 1234, tuple(f"odd.{n}" for n in range(9)))
    asked: list[object] = []
    monkeypatch.setattr("speech_to_face.official.convert.convert", lambda *given: asked.append(given) or made)
    assert run(["models", "convert", "one.pth", "two.pth", "-o", "out"]) == 0
    assert asked == [([Path("one.pth"), Path("two.pth")], Path("out"), False)]
    said = capsys.readouterr().out
    assert "codetalker, 1,234 numbers in 2 tensors\n9 entries did not map: odd.0, " in said and said.endswith(
        "odd.7, ...\n"
    )
    monkeypatch.setattr("speech_to_face.official.hub.download", lambda *given: asked.append(given) or made)
    assert run(["models", "download", "xlsr-53-chinese", "--models-dir", str(tmp_path)]) == 0
    assert asked[-1] == ("xlsr-53-chinese", tmp_path, None, False)
    assert "licence Apache-2.0" in capsys.readouterr().out
    assert run(["models", "download", "xlsr-53"]) == 1
    assert "--revision HASH" in capsys.readouterr().err


def test_converting_what_is_not_there_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    assert run(["models", "convert", "absent.pth", "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


class LargeModel(LoudnessModel):
    in_blocks = True


def test_a_large_model_says_how_fast_it_is_and_does_not_start_where_it_cannot_keep_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "model_of", lambda settings: LargeModel())
    monkeypatch.setattr(block_model, "real_time_factor", lambda model: 0.42)
    assert isinstance(build.live_model_of(Settings(), print), LargeModel)
    assert "takes 0.42 s of computing for each second of sound; its face comes" in capsys.readouterr().out
    monkeypatch.setattr(block_model, "real_time_factor", lambda model: 7.3)
    with pytest.raises(BridgeError, match="takes 7.30 s of computing .* so the face would stutter: use a CUDA machine"):
        build.live_model_of(Settings(), print)


def test_a_small_model_is_not_timed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(build, "model_of", lambda settings: LoudnessModel())
    monkeypatch.setattr(block_model, "real_time_factor", lambda model: pytest.fail("timed"))
    assert isinstance(build.live_model_of(Settings(), print), LoudnessModel)
    assert capsys.readouterr().out == ""
