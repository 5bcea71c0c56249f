"""A checkpoint folder to a face that moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.loading import load_model, load_voices
from speech_to_face.networks.codetalker.loading import load
from speech_to_face.styles import VoiceChoice


def speech(samples: int = 16_000) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)


def test_a_stream_in_any_chunks_gives_what_the_whole_recording_gives(folder: Path) -> None:
    model, sound = load_model(str(folder), "cpu", style="anna"), speech()
    assert isinstance(model, SpeechToFace) and model.channels == MOUTH_32
    whole, stream = model.animate(sound), model.stream()
    parts = [stream.push(part) for part in np.split(sound, [5, 800, 801, 7000])]
    streamed = np.concatenate([*parts, stream.flush()])
    assert whole.shape == (60, 32)
    np.testing.assert_allclose(streamed, whole, atol=1e-5)
    assert whole.std(0).max() > 1e-3


def test_styles_and_their_mixtures_move_differently(folder: Path) -> None:
    voices = load_voices(
        str(folder), "cpu", [VoiceChoice(style=style) for style in ("anna", "ben", "0.3:anna,0.7:ben", None)]
    )
    faces = [voice.animate(speech()) for voice in voices]
    for at, face in enumerate(faces):
        assert all(np.abs(face - other).max() > 1e-3 for other in faces[:at])


def test_an_unknown_style_is_one_line(folder: Path) -> None:
    with pytest.raises(ModelError, match="did you mean 'anna'"):
        load_model(str(folder), "cpu", style="ana")


def test_a_mesh_sized_folder_says_that_it_moves_vertices(tmp_path: Path) -> None:
    (tmp_path / checkpoint.CONFIG).write_text("system: codetalker\ncorpus: vocaset\nvertices: 5023\n")
    with pytest.raises(ModelError, match="vertices of a mesh, not blendshapes"):
        load(tmp_path, "cpu", [VoiceChoice()], False, None)


def test_weights_of_other_sizes_are_refused(folder: Path) -> None:
    config = folder / checkpoint.CONFIG
    config.write_text(config.read_text().replace("codes: 12", "codes: 13"))
    checkpoint.write_sums(folder)
    with pytest.raises(ModelError, match=r"does not fit its config.yaml: 1 tensors differ.*codebook"):
        load_model(str(folder), "cpu")
