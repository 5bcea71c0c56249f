"""`load_model`: a checkpoint's folder to a model that speaks with the chosen face and style; `load_voices`: to several that share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models import checkpoint, devices
from models.base import ModelError, SpeechToFace
from models.features import FRAME_RATE
from models.pmmtalk.config import Config, load_config
from models.pmmtalk.runtime import Array, PMMTalkModel, Steps, Voice
from models.pmmtalk.tongue import REACH

if TYPE_CHECKING:
    from models.pmmtalk.network import PMMTalk

DEFAULT = "pmmtalk-live"
LOOKAHEADS = {67: DEFAULT, 33: "pmmtalk-live-33"}
"""Milliseconds of look-ahead -> the model that is shipped for it."""
FACE_CODE, FACE_CROP, STYLES = "default.code", "default.crop", "styles.weight"
"""Tensors of a checkpoint: what the reference encoder made of the default face, that face's mouth, and the style vectors."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """What one voice of a model speaks with."""

    reference: str | Path | None = None
    """Picture of the face the mouth images are drawn over; None: the checkpoint's own."""
    style: str | None = None
    """A name from the checkpoint's `styles`; None: no style in particular."""


def load_model(
    name: str = DEFAULT, device: str = "auto", reference: str | Path | None = None, style: str | None = None, tongue: bool = False,
    block_threads: int | None = None,
) -> SpeechToFace:
    """A shipped model by name, or a folder with config.yaml, model.safetensors and SHA256SUMS.

    device: "auto" (CUDA, then MPS, then CPU), "cpu", "cuda" or "mps". reference: picture of the face the mouth images are drawn over;
    style: a name from the checkpoint's `styles`; tongue: one more channel, tongueOut, from the phones that it hears;
    block_threads: of whole recordings on a CPU, None is two. Raises ModelError with one line for the user when any of these is not to be
    had, or when a file differs from its sha256 sum.
    """
    return load_voices(name, device, [VoiceChoice(reference, style)], tongue, block_threads)[0]


def load_voices(name: str, device: str, voices: Sequence[VoiceChoice], tongue: bool = False,
                block_threads: int | None = None) -> list[SpeechToFace]:  # fmt: skip
    """One model for each voice, all on the same weights; on a CPU, steps that their live streams want at the same moment run as one.

    Everything else as in `load_model`.
    """
    folder, chosen = checkpoint.find(name), devices.choose(device)
    checkpoint.verify(folder)
    config = load_config(folder / checkpoint.CONFIG)
    if config.system != "pmmtalk":
        raise ModelError(f"model {name!r} is a {config.system!r} network, expected 'pmmtalk'")
    unheard = [phone for phone in REACH if phone not in config.phones]
    if tongue and unheard:
        raise ModelError(f"model {name!r} does not hear {' and '.join(unheard)} among its phones, which move a tongue; leave out --tongue")
    tensors = _small_tensors(folder, config)
    spoken = [_chosen(voice, tensors, folder, config) for voice in voices]
    steps = _steps(folder, config, chosen, tongue, block_threads)
    return [PMMTalkModel(folder.name, config, chosen, partial(steps, voice), tongue) for voice in spoken]


def with_lookahead(name: str, lookahead_ms: int | None) -> str:
    """The model to load where `name` and a look-ahead in milliseconds are asked for; None is whatever the model has.

    The default's name stands for its whole family, of which the look-ahead picks one. Raises ModelError where that one is not
    shipped, or where another model has a look-ahead of its own that is not the one asked for.
    """
    if lookahead_ms is None:
        return name
    if name == DEFAULT:
        if LOOKAHEADS.get(lookahead_ms) not in checkpoint.names():
            shipped = " or ".join(str(ms) for ms, model in LOOKAHEADS.items() if model in checkpoint.names())
            raise ModelError(f"no model with {lookahead_ms} ms of look-ahead is shipped yet; use --lookahead {shipped}")
        return LOOKAHEADS[lookahead_ms]
    own_ms = round(1000 * (load_config(checkpoint.find(name) / checkpoint.CONFIG).delay + 1) / FRAME_RATE)
    if own_ms != lookahead_ms:
        raise ModelError(f"model {name!r} has {own_ms} ms of look-ahead, got --lookahead {lookahead_ms}; leave out one of the two")
    return name


def load_network(folder: Path, config: Config) -> PMMTalk:
    """The PyTorch network of a checkpoint, for training, CUDA and MPS."""
    from safetensors.torch import load_file

    from models.pmmtalk.network import PMMTalk

    network = PMMTalk(config)
    wanted = network.state_dict()
    found = {key: value for key, value in load_file(folder / checkpoint.WEIGHTS).items() if not key.startswith("default.")}
    wrong = [key for key in wanted.keys() | found.keys() if key not in wanted or key not in found or wanted[key].shape != found[key].shape]
    if wrong:
        raise ModelError(f"{folder / checkpoint.WEIGHTS}: does not fit its config.yaml (first difference: {sorted(wrong)[0]})")
    network.load_state_dict(found)
    return network.eval()


def _small_tensors(folder: Path, config: Config) -> dict[str, Array]:
    """The few tensors that are needed without torch. Raises ModelError for a file that is not safetensors or does not fit."""
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
    row = len(config.styles)
    if style is not None:
        if style not in config.styles:
            near = get_close_matches(style, config.styles, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(config.styles)}"
            raise ModelError(f"unknown style {style!r}: {hint}")
        row = config.styles.index(style)
    return Voice(tensors[STYLES][row : row + 1], tensors[FACE_CODE], tensors[FACE_CROP])


def _with_face(voice: Voice, folder: Path, config: Config, picture: Path) -> Voice:
    """The same style over another face: runs the reference encoder, once."""
    import torch

    from models.pmmtalk.branches import to_patches
    from models.pmmtalk.faces import crop_mouth, load_reference

    face = load_reference(picture, config.reference_size)
    with torch.inference_mode():
        code = load_network(folder, config).reference(face)
        crop = to_patches(crop_mouth(face, config.image_size))
    return Voice(voice.style, code.numpy(), crop.numpy())


def _steps(folder: Path, config: Config, device: str, phones: bool, block_threads: int | None) -> Callable[[Voice], Steps]:
    """What makes live voices, all on the same weights: the compiled graph on a CPU, PyTorch on an accelerator or where no graph lies.
    `phones`: they also tell the phones."""
    if device == "cpu" and (folder / checkpoint.GRAPH).exists():
        from models.pmmtalk.onnx_steps import BLOCK_THREADS, Graph, OnnxSteps

        return partial(OnnxSteps, Graph(folder / checkpoint.GRAPH, phones, block_threads or BLOCK_THREADS))
    import torch

    from models.pmmtalk.torch_steps import CudaGraphSteps, TorchSteps

    if device == "cpu":
        torch.set_num_threads(1)  # two threads wait for each other at every small operator: 30 times slower beside other work
    network = load_network(folder, config).to(device)
    return partial(CudaGraphSteps if device == "cuda" else TorchSteps, network, phones=phones)
