"""The sound of a take that was made from a sound file, put beside it under the name by which readers of takes and
Unreal find it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from arkit_mapping.takes.names import sound_beside
from arkit_mapping.whole_file import second_name, whole_file
from livelink_bridge.errors import SinkError
from livelink_bridge.takes.wave_file import copy_wave, is_plain_wave


def place_sound(sound: Path, csv: Path, ours: str | None = None) -> Path | None:
    """Put a sound beside the take that is made of it: the .wav, or None where the sound lies there already.

    A .wav of 16 or 24 bits gets a second name (a hard link), or is copied where that cannot be; any other sound becomes
    such a .wav, since Unreal imports not every kind in every version. `ours` is the sha256 of a .wav that was put there
    before and may be replaced.

    Raises SinkError for a .wav that is there and is another sound, and for what cannot be written; SourceError for an
    unreadable sound.
    """
    wav, beside = csv.with_suffix(".wav"), sound_beside(csv)
    if beside is not None and sound.exists() and beside.samefile(sound):
        return None
    try:
        csv.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(wav) as partial:
            if is_plain_wave(sound):
                second_name(sound, partial)
            else:
                copy_wave(sound, partial, of_day_s=0.0, begun=None, description=wav.stem)
            if wav.exists():
                _check_ours(wav, partial, ours)
    except OSError as error:
        raise SinkError(f"{wav} cannot be written: {error.strerror or error}") from error
    return wav


def _check_ours(wav: Path, new: Path, ours: str | None) -> None:
    there = _sha256(wav)
    if there not in (ours, _sha256(new)):
        raise SinkError(
            f"{wav} is there and is another sound than the take's; move it away, or leave sounds behind with --no-sound"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
