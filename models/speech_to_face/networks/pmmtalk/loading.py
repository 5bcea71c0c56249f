"""A PMMTalk checkpoint's folder to models that share its weights, each with its face and style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.voice import Array, Voice
from speech_to_face.streaming.stepped import SteppedModel, Steps
from speech_to_face.streaming.tongue import REACH, Tongue
from speech_to_face.styles import VoiceChoice, style_shares

if TYPE_CHECKING:
    from speech_to_face.networks.pmmtalk.network import PMMTalk

FACE_CODE, FACE_CROP, STYLES = "default.code", "default.crop", "styles.weight"
"""Tensors of a checkpoint: the reference encoder's code of the default face, that face's mouth, and the style
vectors."""


def load(
    folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None
) -> list[SpeechToFace]:
    """See `speech_to_face.loading.load_voices`."""
    config = load_config(folder / checkpoint.CONFIG)
    unheard = [phone for phone in REACH if phone not in config.phones]
    if tongue and unheard:
        missing = " and ".join(unheard)
        raise ModelError(
            f"model {folder.name!r} does not recognize {missing} among its phones, which move a tongue; "
            "leave out --tongue"
        )
    tensors = _small_tensors(folder, config)
    spoken = [_chosen(voice, tensors, folder, config) for voice in voices]
    steps = _steps(folder, config, device, tongue, block_threads)
    new_tongue = partial(Tongue, config.phones) if tongue else None
    return [SteppedModel(folder.name, config, device, partial(steps, voice), new_tongue) for voice in spoken]


def load_network(folder: Path, config: Config) -> PMMTalk:
    """The PyTorch network of a checkpoint, for training, CUDA and MPS."""
    from safetensors.torch import load_file

    from speech_to_face.networks.pmmtalk.network import PMMTalk

    network = PMMTalk(config)
    wanted = network.state_dict()
    found = {
        key: value for key, value in load_file(folder / checkpoint.WEIGHTS).items() if not key.startswith("default.")
    }
    wrong = [
        key
        for key in wanted.keys() | found.keys()
        if key not in wanted or key not in found or wanted[key].shape != found[key].shape
    ]
    if wrong:
        raise ModelError(
            f"{folder / checkpoint.WEIGHTS}: does not fit its config.yaml (first difference: {sorted(wrong)[0]})"
        )
    network.load_state_dict(found)
    return network.eval()


def _small_tensors(folder: Path, config: Config) -> dict[str, Array]:
    """The few tensors that are needed without torch. Raises ModelError for a file that is not safetensors or does not
    fit."""
    from safetensors import SafetensorError, safe_open

    squares = (config.image_size // 4) ** 2
    shapes = {
        FACE_CODE: (1, config.branch_width),
        FACE_CROP: (1, squares, 48),
        STYLES: (len(config.styles) + 1, config.branch_width),
    }
    path = folder / checkpoint.WEIGHTS
    try:
        with safe_open(path, "numpy") as stored:
            tensors = {key: np.asarray(stored.get_tensor(key), np.float32) for key in shapes}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a checkpoint of this network ({error}); install the model again") from error
    for key, shape in shapes.items():
        if tensors[key].shape != shape or not np.isfinite(tensors[key]).all():
            raise ModelError(f"{path}: {key} has shape {tensors[key].shape}, expected {shape} finite values")
    return tensors


def _chosen(voice: VoiceChoice, tensors: dict[str, Array], folder: Path, config: Config) -> Voice:
    styled = _voice(tensors, config, voice.style)
    return styled if voice.reference is None else _with_face(styled, folder, config, Path(voice.reference))


def _voice(tensors: dict[str, Array], config: Config, style: str | None) -> Voice:
    return Voice(style_shares(style, config.styles)[None] @ tensors[STYLES], tensors[FACE_CODE], tensors[FACE_CROP])


def _with_face(voice: Voice, folder: Path, config: Config, picture: Path) -> Voice:
    """The same style over another face: runs the reference encoder, once."""
    import torch

    from speech_to_face.networks.pmmtalk.branches import to_patches
    from speech_to_face.networks.pmmtalk.faces import crop_mouth, load_reference

    face = load_reference(picture, config.reference_size)
    with torch.inference_mode():
        code = load_network(folder, config).reference(face)
        crop = to_patches(crop_mouth(face, config.image_size))
    return Voice(voice.style, code.numpy(), crop.numpy())


def _steps(
    folder: Path, config: Config, device: str, phones: bool, block_threads: int | None
) -> Callable[[Voice], Steps]:
    """A factory of live voices that share the weights: the compiled graph on a CPU, PyTorch on an accelerator or
    without a graph file. phones: with the phones' log-probabilities."""
    if device == "cpu" and (folder / checkpoint.GRAPH).exists():
        from speech_to_face.networks.pmmtalk.onnx_steps import BLOCK_THREADS, Graph, OnnxSteps

        return partial(OnnxSteps, Graph(folder / checkpoint.GRAPH, phones, block_threads or BLOCK_THREADS))
    from speech_to_face.networks.pmmtalk.torch_steps import CudaGraphSteps, TorchSteps

    network = load_network(folder, config).to(device)
    if device == "cuda":
        return partial(CudaGraphSteps, network, phones=phones)
    # Two threads wait for each other at every small operator: 30 times slower beside other work.
    return partial(TorchSteps, network, phones=phones, threads=1 if device == "cpu" else None)
