"""Loads checkpoints: `load_model` makes a model with one face and style, `load_voices` several that share the
weights."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from arkit_mapping.channels import FRAME_RATE
from speech_to_face import checkpoint, devices
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.streaming.to_60_fps import to_60_fps
from speech_to_face.styles import VoiceChoice

DEFAULT = "pmmtalk-live"
LOOKAHEADS = {67: DEFAULT, 33: "pmmtalk-live-33"}
"""Milliseconds of look-ahead -> the model shipped with it."""
SYSTEMS = {
    "pmmtalk": "speech_to_face.networks.pmmtalk.loading",
    "pmmtalk-paper": "speech_to_face.networks.pmmtalk.paper.loading",
    "codetalker": "speech_to_face.networks.codetalker.loading",
    "dualtalker": "speech_to_face.networks.dualtalker.loading",
    "baseline": "speech_to_face.networks.baselines.loading",
}
"""`system` of a config.yaml -> the module whose `load(folder, device, voices, tongue, block_threads)` makes models of
such a folder."""


def load_model(
    name: str = DEFAULT,
    device: str = "auto",
    reference: str | Path | None = None,
    style: str | None = None,
    tongue: bool = False,
    block_threads: int | None = None,
) -> SpeechToFace:
    """Load a model.

    Parameters
    ----------
    name
        A shipped model's name, that of one in the models' folder, or a folder with config.yaml, model.safetensors and
        SHA256SUMS.
    device
        "auto" (CUDA, then MPS, then CPU), "cpu", "cuda" or "mps".
    reference
        Picture of the face that the mouth images are drawn over; None: the checkpoint's own.
    style
        A name from the checkpoint's `styles`, or a mixture, "0.3:anna,0.7:ben"; None: no style in particular.
    tongue
        One more channel, tongueOut, from the recognized phones.
    block_threads
        Threads for whole recordings on a CPU; None is two.

    Raises
    ------
    ModelError
        One line for the user: something is not available, or a file differs from its sha256 sum.
    """
    return load_voices(name, device, [VoiceChoice(reference, style)], tongue, block_threads)[0]


def load_voices(
    name: str, device: str, voices: Sequence[VoiceChoice], tongue: bool = False, block_threads: int | None = None
) -> list[SpeechToFace]:
    """One model for each voice, all on the same weights; on a CPU, simultaneous steps of their live streams run as one.

    Each gives 60 frames a second, whatever its network's own rate. Parameters and errors as in `load_model`.
    """
    folder, chosen = checkpoint.find(name), devices.choose(device)
    checkpoint.verify(folder)
    system = checkpoint.system_of(folder)
    if system not in SYSTEMS:
        raise ModelError(f"model {name!r} is a {system!r} network, expected one of {', '.join(SYSTEMS)}")
    found: list[SpeechToFace] = import_module(SYSTEMS[system]).load(folder, chosen, voices, tongue, block_threads)
    return [to_60_fps(model) for model in found]


def with_lookahead(name: str, lookahead_ms: int | None) -> str:
    """Name of the model with this look-ahead in milliseconds; None: `name` as it is.

    The default's name stands for its family, of which the look-ahead picks one. Raises ModelError where that one is not
    shipped, or where another model's own look-ahead differs.
    """
    if lookahead_ms is None:
        return name
    if name == DEFAULT:
        if LOOKAHEADS.get(lookahead_ms) not in checkpoint.names():
            shipped = " or ".join(str(ms) for ms, model in LOOKAHEADS.items() if model in checkpoint.names())
            raise ModelError(f"no model with {lookahead_ms} ms of look-ahead is shipped yet; use --lookahead {shipped}")
        return LOOKAHEADS[lookahead_ms]
    own_ms = round(1000 * lookahead_of(checkpoint.find(name)))
    if own_ms != lookahead_ms:
        raise ModelError(
            f"model {name!r} has {own_ms} ms of look-ahead, got --lookahead {lookahead_ms}; leave out one of the two"
        )
    return name


def lookahead_of(folder: Path) -> float:
    """Look-ahead of a checkpoint in seconds, read from its config.yaml alone.

    `delay` steps of 1/60 s and the hop itself, or a block's `hop` and `right` context at 30 fps and the frame between
    two. Raises ModelError where the config has neither.
    """
    values = checkpoint.values_of(folder)
    whole = {key: value for key, value in values.items() if isinstance(value, int)}
    if {"hop", "right"} <= whole.keys():
        return (2 * (whole["hop"] + whole["right"]) + 1) / FRAME_RATE
    if "delay" in whole:
        return (whole["delay"] + 1) / FRAME_RATE
    raise ModelError(
        f"{folder / checkpoint.CONFIG}: no `delay`, and no `hop` and `right`, so its look-ahead is unknown"
    )
