"""Takes of the Live Link Face app, and of this program: `Slate_Take_Subject.csv` beside the sound as
`Slate_Take_Subject.wav`.

The app keeps its sound in the .mov; `ffmpeg -i NAME.mov NAME.wav` takes it out. The take's first row is taken to be the
start of the sound. Rows the app left out are interpolated. Of a calibrated take the `_cal` table counts, else the plain
one, else `_raw`; `_neutral` and the app's other tables are passed over. A `.txt` of the same name is what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from arkit_mapping.channels import ARKIT_52
from arkit_mapping.takes.csv import TakeError, read_take
from arkit_mapping.takes.names import no_sound, plain_stem, sound_beside, takes_at
from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures import UNKNOWN_LANGUAGE, Capture
from speech_to_face_lab.corpus.captures.curves import fit
from speech_to_face_lab.corpus.captures.sound import read_sound, text_beside

RIG = "livelink"
LICENCE = "the recording person's own"


def captures(folder: Path) -> Iterator[Capture]:
    """One capture per take, wherever below `folder`."""
    takes = _takes(folder)
    if not takes:
        raise ModelError(f"captures {folder}: got no take, expected CSV files that begin with Timecode,BlendShapeCount")
    for name, path in takes:
        yield _capture(folder, name, path)


def _takes(folder: Path) -> list[tuple[Path, Path]]:
    """(path without the version's ending, table that counts) of each take, sorted. A neutral face alone is none."""
    try:
        tables = takes_at(folder)
    except TakeError:
        return []
    named = [(table.with_name(plain_stem(table.stem)), table) for table in tables]
    return sorted((name, table) for name, table in named if not table.stem.lower().endswith("_neutral"))


def _capture(folder: Path, name: Path, path: Path) -> Capture:
    try:
        take = read_take(path)
    except TakeError as error:
        raise ModelError(str(error)) from None
    sound = sound_beside(path)
    if sound is None:
        raise ModelError(f"take {path}: {no_sound(path)}")
    times_s = take.times_s - take.times_s[0]
    samples, curves, live = fit(
        path, read_sound(sound), take.values[:, : len(ARKIT_52)], np.asarray(times_s), ARKIT_52, RIG
    )
    return Capture(
        name=str(name.relative_to(folder)),
        speaker=_subject(name.name),
        language=UNKNOWN_LANGUAGE,
        samples=samples,
        curves=curves,
        live=live,
        words=(),
        transcript=text_beside(sound),
        rig=RIG,
        held_out=False,
        licence=LICENCE,
    )


def _subject(name: str) -> str:
    """`MySlate_3_iPhone` -> `iPhone`; a name that is not of that form is its own subject."""
    match = re.fullmatch(r".+?_\d+_(.+)", name)
    return match[1] if match else name
