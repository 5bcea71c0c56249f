"""What is exported is what was trained."""

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face.loading import load_model
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.networks.pmmtalk.torch_steps import TorchSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.onnx_sessions import open_session
from speech_to_face_lab.training.export import export_run, make_checkpoint
from speech_to_face_lab.training.graph import difference


def test_the_exported_model_is_the_trained_one_and_its_graph_agrees(tiny_run, tiny_checkpoint, tmp_path):
    assert difference(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml")) <= 1e-5
    export_run(tiny_run, tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        tiny_checkpoint / "model.safetensors"
    ).read_bytes()
    assert load_model(str(tiny_checkpoint)).name == "tiny"


def test_the_graph_leaves_the_number_of_voices_free_and_that_of_their_steps(tiny_checkpoint):
    session = open_session(tiny_checkpoint / "step.onnx", {})
    shapes = {node.name: node.shape for node in session.get_inputs() + session.get_outputs()}
    assert shapes["mel"] == ["batch", "steps", 160] and shapes["clock"] == ["batch"]
    assert shapes["out"][:2] == ["batch", "steps"]
    assert {shape[0] for shape in shapes.values()} == {"batch"}


def test_an_amplified_channel_moves_so_much_further_and_the_others_as_before(tiny_run, tmp_path):
    plain, wide = tmp_path / "plain", tmp_path / "wide"
    make_checkpoint(tiny_run, plain)
    make_checkpoint(tiny_run, wide, {"jawOpen": 1.5})
    config, mel = (
        load_config(plain / "config.yaml"),
        np.random.default_rng(0).standard_normal((40, 160)).astype(np.float32),
    )
    voice = Voice(*(np.zeros(shape, np.float32) for shape in ((1, 16), (1, 16), (1, 16, 48))))
    before, after = (TorchSteps(load_network(folder, config), voice).run(mel) for folder in (plain, wide))
    jaw = MOUTH_32.index("jawOpen")
    np.testing.assert_allclose(after[:, jaw], 1.5 * before[:, jaw], rtol=1e-5)
    np.testing.assert_allclose(np.delete(after, jaw, 1), np.delete(before, jaw, 1), atol=1e-6)


def test_a_gain_for_a_channel_that_is_not_there_is_refused(tiny_run, tmp_path):
    with pytest.raises(ValueError, match="jawopen"):
        make_checkpoint(tiny_run, tmp_path, {"jawopen": 1.5})
