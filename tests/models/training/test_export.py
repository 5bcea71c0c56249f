"""What is exported is what was trained."""

from models.loading import load_model
from models.pmmtalk.config import load_config
from models.training.export import difference, export_run


def test_the_exported_model_is_the_trained_one_and_its_graph_agrees(tiny_run, tiny_checkpoint, tmp_path):
    assert difference(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml")) <= 1e-5
    export_run(tiny_run, tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (tiny_checkpoint / "model.safetensors").read_bytes()
    assert load_model(str(tiny_checkpoint)).name == "tiny"
