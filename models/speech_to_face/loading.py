"""`load_model`: a checkpoint's folder to a model that speaks with the chosen face and style; `load_voices`: to several
that share it."""

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
"""Milliseconds of look-ahead -> the model that is shipped for it."""
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
    """A shipped model by name, or a folder with config.yaml, model.safetensors and SHA256SUMS.

    device: "auto" (CUDA, then MPS, then CPU), "cpu", "cuda" or "mps". reference: picture of the face the mouth images
    are drawn over;
    style: a name from the checkpoint's `styles`; tongue: one more channel, tongueOut, from the phones that it hears;
    block_threads: of whole recordings on a CPU, None is two. Raises ModelError with one line for the user when any of
    these is not to be had, or when a file differs from its sha256 sum.
    """
    return load_voices(name, device, [VoiceChoice(reference, style)], tongue, block_threads)[0]


def load_voices(
    name: str, device: str, voices: Sequence[VoiceChoice], tongue: bool = False, block_threads: int | None = None
) -> list[SpeechToFace]:
    """One model for each voice, all on the same weights; on a CPU, steps that their live streams want at the same
    moment run as one.

    Each gives 60 frames a second, whatever its network's own rate. Everything else as in `load_model`.
    """
    folder, chosen = checkpoint.find(name), devices.choose(device)
    checkpoint.verify(folder)
    system = checkpoint.system_of(folder)
    if system not in SYSTEMS:
        raise ModelError(f"model {name!r} is a {system!r} network, expected one of {', '.join(SYSTEMS)}")
    found: list[SpeechToFace] = import_module(SYSTEMS[system]).load(folder, chosen, voices, tongue, block_threads)
    return [to_60_fps(model) for model in found]


def with_lookahead(name: str, lookahead_ms: int | None) -> str:
    """The model to load where `name` and a look-ahead in milliseconds are asked for; None is whatever the model has.

    The default's name stands for its whole family, of which the look-ahead picks one. Raises ModelError where that one
    is not shipped, or where another model has a look-ahead of its own that is not the one asked for.
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
    """Seconds of sound after a frame's own time that a checkpoint's frames wait for, read from its config.yaml alone:
    `delay` steps of 1/60 s and the hop itself, or a block's `hop` and `right` context at 30 fps and the frame between
    two. Raises ModelError."""
    values = checkpoint.values_of(folder)
    whole = {key: value for key, value in values.items() if isinstance(value, int)}
    if {"hop", "right"} <= whole.keys():
        return (2 * (whole["hop"] + whole["right"]) + 1) / FRAME_RATE
    if "delay" in whole:
        return (whole["delay"] + 1) / FRAME_RATE
    raise ModelError(
        f"{folder / checkpoint.CONFIG}: no `delay`, and no `hop` and `right`, so nothing says how far ahead it listens"
    )
