"""Plots of curves over their audio, a picture a clip. Needs matplotlib."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.lips import Array
from speech_to_face.base import ModelError, Samples
from speech_to_face.streaming.features import SAMPLE_RATE
from speech_to_face_lab.evaluation.data import Clip, captured, frames_of, read_samples
from speech_to_face_lab.evaluation.loudness import loudness_face
from speech_to_face_lab.evaluation.scores import Speaker, faces_of
from speech_to_face_lab.metrics import SIGNALS

A_GROUP = 3
"""Pictures of each group."""
SECONDS = 10.0
_COLOURS = {"captured": "black", "loudness": "tab:orange"}
_OURS = "tab:blue"


def draw_clips(clips: list[Clip], speaker: Speaker, name: str, folder: Path) -> list[Path]:
    """Draw the first few clips of each group into `folder` and return the files. ModelError where matplotlib or the
    folder is missing."""
    figures = _matplotlib()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"--plots {folder} cannot be made: {error.strerror}") from None
    groups = dict.fromkeys(clip.group for clip in clips)
    chosen = [clip for group in groups for clip in [other for other in clips if other.group == group][:A_GROUP]]
    return [_draw(figures, clip, speaker, name, folder) for clip in chosen]


def check() -> None:
    """Raises ModelError where matplotlib is missing, before minutes of work."""
    _matplotlib()


def _matplotlib() -> Any:
    """Its figures without its global state: they draw into files and open no window."""
    try:
        return import_module("matplotlib.figure")
    except ImportError:
        raise ModelError(
            "--plots needs matplotlib, which is not installed; run pip install matplotlib, or leave --plots out"
        ) from None


def _draw(figures: Any, clip: Clip, speaker: Speaker, name: str, folder: Path) -> Path:
    samples = read_samples(clip.sound, allow_cut=clip.allow_cut)
    tracks = {name: faces_of(speaker, samples), "loudness": loudness_face(samples)}
    if clip.curves:
        tracks = {"captured": captured(clip, frames_of(samples)), **tracks}
    figure = figures.Figure(figsize=(14, 2.6 * (len(SIGNALS) + 1)), layout="constrained")
    axes = figure.subplots(len(SIGNALS) + 1, 1, sharex=True)
    figure.suptitle(f"{clip.group}: {clip.name}, each curve about its mean, over its own spread")
    _draw_sound(axes[0], samples, clip)
    for axis, (signal, of) in zip(axes[1:], SIGNALS.items(), strict=True):
        _draw_signal(axis, signal, {who: of(track) for who, track in tracks.items()})
    axes[-1].set_xlim(0, min(SECONDS, len(samples) / SAMPLE_RATE))
    axes[-1].set_xlabel("s")
    path = folder / f"{clip.group}_{clip.name}.png"
    figure.savefig(path, dpi=80)
    return path


def _draw_sound(axis: Any, samples: Samples, clip: Clip) -> None:
    shown = samples[: int(SECONDS * SAMPLE_RATE)]
    faint = 1e-6 * np.random.default_rng(0).standard_normal(len(shown))  # digital silence has no decibels to colour
    axis.specgram(shown + faint, NFFT=400, Fs=SAMPLE_RATE, noverlap=240, cmap="magma", vmin=-120)
    axis.set_ylabel("Hz")
    for word in clip.words:
        if word.start_s < SECONDS:
            axis.axvline(word.start_s, color="white", linewidth=0.5)
            axis.text(word.start_s, 7000, f" {word.text}", color="white", fontsize=9, clip_on=True)


def _draw_signal(axis: Any, signal: str, curves: dict[str, Array]) -> None:
    """Each curve about its mean over its own standard deviation, so that rigs of different size lie on one another."""
    for who, curve in curves.items():
        spread = float(curve.std()) or 1.0
        axis.plot(
            np.arange(len(curve)) / FRAME_RATE,
            (curve - curve.mean()) / spread,
            color=_COLOURS.get(who, _OURS),
            label=who,
            linewidth=1.1,
        )
    axis.set_ylabel(signal)
    axis.legend(loc="upper right", fontsize=8)
