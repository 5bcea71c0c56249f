"""Places the audio file from which a take was made beside the take, under the name that Unreal and other readers
expect."""

from __future__ import annotations

import hashlib
from pathlib import Path

from arkit_mapping.takes.names import sound_beside
from arkit_mapping.whole_file import second_name, whole_file
from livelink_bridge.errors import SinkError
from livelink_bridge.takes.wave_file import copy_wave, is_plain_wave


def place_sound(sound: Path, csv: Path, ours: str | None = None) -> Path | None:
    """Place an audio file beside the take made from it.

    A .wav of 16 or 24 bits is hard-linked, or copied where that is not possible; any other file is converted to such a
    .wav, since Unreal does not import every format in every version.

    Parameters
    ----------
    sound : the audio file
    csv : the take
    ours : sha256 of a .wav placed there earlier, which may be replaced

    Returns
    -------
    The .wav; None when the audio file is there already

    Raises
    ------
    SinkError : another audio file is there, or the .wav cannot be written
    SourceError : the audio file cannot be read
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
    if _sha256(wav) not in (ours, _sha256(new)):
        raise SinkError(
            f"{wav} exists and is not the take's audio; move it away, or leave the audio out with --no-sound"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
