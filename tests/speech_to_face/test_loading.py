import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.loading import load_model


@pytest.fixture
def copied(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copied"))


def sound() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ModelError, match=r"unknown model 'pmmtalk-life'.*pmmtalk-live"):
        load_model("pmmtalk-life")


def test_a_folder_without_a_config_says_what_belongs_there(tmp_path):
    with pytest.raises(ModelError, match=r"no config\.yaml.*model\.safetensors"):
        load_model(str(tmp_path))


@pytest.mark.parametrize("name", ["model.safetensors", "step.onnx", "config.yaml"])
def test_one_changed_byte_is_found(copied, name):
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(ModelError, match=f"{name}: damaged or changed"):
        load_model(str(copied))


@pytest.mark.parametrize("name", ["model.safetensors", "step.onnx"])
def test_a_truncated_or_missing_file_is_found(copied, name):
    whole = (copied / name).read_bytes()
    (copied / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_model(str(copied))
    (copied / name).unlink()
    with pytest.raises(ModelError, match="missing"):
        load_model(str(copied))


@pytest.mark.parametrize("name", ["model.safetensors", "config.yaml", "step.onnx"])
def test_sums_that_leave_out_a_file_that_would_be_used_do_not_pass(copied, name):
    lines = (copied / "SHA256SUMS").read_text().splitlines()
    (copied / "SHA256SUMS").write_text("\n".join(line for line in lines if name not in line))
    with pytest.raises(ModelError, match=f"no sum for {name}"):
        load_model(str(copied))


def test_a_pickle_named_safetensors_is_never_unpickled(copied, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    (copied / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    checkpoint.write_sums(copied)
    with pytest.raises(ModelError, match="not a checkpoint of this network"):
        load_model(str(copied))
    assert not (tmp_path / "sprung").exists()


def test_a_graph_that_is_none_is_one_clear_error(copied):
    (copied / "step.onnx").write_bytes(b"nothing of the kind")
    checkpoint.write_sums(copied)
    with pytest.raises(ModelError, match="not a graph"):
        load_model(str(copied), device="cpu")


NONSENSE = [("width: wide", "wrong kind"), ("speed: 3", "unknown key 'speed'"), ("- 1", "expected keys")]


@pytest.mark.parametrize(("change", "message"), NONSENSE)
def test_a_config_that_makes_no_sense_is_one_clear_error(copied, change, message):
    text = change if change.startswith("-") else (copied / "config.yaml").read_text() + change + "\n"
    (copied / "config.yaml").write_text(text)
    checkpoint.write_sums(copied)
    with pytest.raises(ModelError, match=message):
        load_model(str(copied))


def test_the_style_changes_the_face_and_an_unknown_one_names_its_neighbour(tiny_checkpoint):
    plain, broad = (
        load_model(str(tiny_checkpoint), device="cpu", style=style).animate(sound()) for style in ("neutral", "broad")
    )
    assert np.abs(plain - broad).max() > 1e-4
    with pytest.raises(ModelError, match="did you mean 'subtle'"):
        load_model(str(tiny_checkpoint), style="subtel")


def test_the_reference_face_changes_the_face(tiny_checkpoint, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (200, 160, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "me.png")
    plain = load_model(str(tiny_checkpoint), device="cpu").animate(sound())
    other = load_model(str(tiny_checkpoint), device="cpu", reference=tmp_path / "me.png").animate(sound())
    assert np.abs(plain - other).max() > 1e-4


def test_a_reference_that_is_no_picture_is_one_clear_error(tiny_checkpoint, tmp_path):
    (tmp_path / "me.png").write_text("hello")
    for path, message in ((tmp_path / "me.png", "not a readable picture"), (tmp_path / "nobody.png", "no such file")):
        with pytest.raises(ModelError, match=message):
            load_model(str(tiny_checkpoint), reference=path)


def test_the_shipped_model_is_whole_small_and_described():
    folder = checkpoint.find("pmmtalk-live")
    checkpoint.verify(folder)
    assert (folder / "model.safetensors").stat().st_size <= 16e6
    assert "Licence" in (folder / "CARD.md").read_text(encoding="utf-8")


def test_the_loader_is_offered_by_the_package_and_imported_only_when_asked_for():
    code = (
        "import sys, speech_to_face; assert 'speech_to_face.loading' not in sys.modules; "
        "from speech_to_face import load_model; load_model.__name__"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=15)
