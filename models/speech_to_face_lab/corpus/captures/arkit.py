"""ARKit coefficients of any maker: a sound file with an .npz or .json of the same stem.

npz: see `npz`. JSON, one of
    {"fps": 60, "names": ["jawOpen", ...], "frames": [[0.1, ...], ...]}
    {"fps": 60, "blendShapes": [{"jawOpen": 0.1, ...}, ...]}      one object per frame; a channel that it leaves out is
    0
and `lag_s`, `language`, `speaker`, `transcript`, `licence` where the maker knows them. Names may be camelCase,
PascalCase or end in _L and _R. A channel that a file does not name is not live. The speaker is the folder unless the
file says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures import UNKNOWN_LANGUAGE, Capture
from speech_to_face_lab.corpus.captures.curves import even_times, fit
from speech_to_face_lab.corpus.captures.npz import Table, read_npz
from speech_to_face_lab.corpus.captures.sound import read_sound, sound_beside, text_beside

RIG = "arkit"
FPS = 60.0
"""Of a JSON that does not tell."""


def captures(folder: Path) -> Iterator[Capture]:
    """One capture per .npz or .json with a sound beside it, wherever below `folder`."""
    tables = sorted(path for path in folder.rglob("*") if path.suffix in (".npz", ".json") and sound_beside(path))
    if not tables:
        raise ModelError(
            f"captures {folder}: got no .npz or .json with an audio file of the same name, expected at least one"
        )
    for path in tables:
        yield _capture(folder, path)


def _capture(folder: Path, path: Path) -> Capture:
    sound = sound_beside(path)
    assert sound is not None, "captures() took only tables with an audio file"
    about = _read_json(path) if path.suffix == ".json" else {}
    values, times_s, names = json_table(path, about) if path.suffix == ".json" else read_npz(path)
    samples, curves, live = fit(path, read_sound(sound), values, times_s, names, RIG)
    return Capture(
        name=str(path.relative_to(folder).with_suffix("")),
        speaker=str(about.get("speaker") or path.absolute().parent.name),
        language=str(about.get("language", UNKNOWN_LANGUAGE)),
        samples=samples,
        curves=curves,
        live=live,
        words=(),
        transcript=str(about.get("transcript") or text_beside(sound)),
        rig=RIG,
        held_out=False,
        licence=str(about.get("licence", "")),
    )


def json_table(path: Path, about: dict[str, Any]) -> Table:
    """Values, times and names of a JSON's object. ModelError when it is of neither kind."""
    try:
        names, rows = _named_rows(about)
        values = np.array(rows, np.float32)
        fps, lag_s = float(about.get("fps", FPS)), float(about.get("lag_s", 0.0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"curves {path}: got {type(error).__name__} {error}, expected fps with names and frames, or blendShapes"
        ) from None
    if not fps > 0:
        raise ModelError(f"curves {path}: got {fps:g} frames a second, expected more than 0")
    return values, even_times(len(values), fps, lag_s), names


def _named_rows(about: dict[str, Any]) -> tuple[tuple[str, ...], list[list[float]]]:
    if "blendShapes" not in about:
        return tuple(str(name) for name in about["names"]), about["frames"]
    frames: list[dict[str, float]] = about["blendShapes"]
    names = tuple(dict.fromkeys(name for frame in frames for name in frame))
    return names, [[float(frame.get(name, 0.0)) for name in names] for frame in frames]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"curves {path} cannot be read, expected JSON: {error}") from None
    if not isinstance(about, dict):
        raise ModelError(
            f"curves {path}: got {type(about).__name__}, expected an object of fps, names and frames, or blendShapes"
        )
    return about
