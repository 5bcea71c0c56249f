"""Writes a take and its audio together: either both files exist afterwards or neither, and the audio is trimmed to the
rows."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from arkit_mapping.takes.csv import DAY_S, Take
from arkit_mapping.takes.names import sound_beside
from arkit_mapping.whole_file import whole_file
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.errors import SinkError
from livelink_bridge.sources.audio_file import WavSource
from livelink_bridge.takes.export.atomic import Progress, check_free, ignored, written
from livelink_bridge.takes.export.csv import write_csv
from livelink_bridge.takes.wave_file import copy_wave

_BLOCK_S = 10.0


@dataclass(frozen=True, slots=True)
class Part:
    """The section of an audio file that belongs to a take."""

    sound: Path
    """Audio file."""
    from_s: float = 0.0
    """Time of the take's first row in the file, seconds."""
    length_s: float | None = None
    """Seconds; None: to the end of the file."""


def write_pair(
    take: Take, out: Path, part: Part | None, *, force: bool = False, on_progress: Progress = ignored
) -> float:
    """Write a take as CSV and its audio as the .wav beside it.

    A replaced .csv is removed first, then the .wav gets its name: even after a crash no take is left with the audio of
    another.

    Parameters
    ----------
    take : the take
    out : the .csv file
    part : its audio; None for none
    force : overwrite existing files
    on_progress : receives the part done, 0 to 1

    Returns
    -------
    Seconds of audio written, 0 without audio

    Raises
    ------
    SinkError : a file exists, without `force`, or cannot be written
    SourceError : the audio cannot be read
    """
    wav = out.with_suffix(".wav")
    if part is None or not _has_any(part):
        _check_no_audio_beside(out)
        with written(out, force=force) as file:
            write_csv(take, file, on_progress)
        return 0.0
    for path in (out, wav):
        check_free(path, force=force)
    with written(out, force=force) as file:
        write_csv(take, file, on_progress)
        try:
            with whole_file(wav, new=not force) as partial:
                begun = datetime.fromtimestamp(part.sound.stat().st_mtime).astimezone()
                seconds = copy_wave(
                    part.sound,
                    partial,
                    of_day_s=float(take.times_s[0]) % DAY_S,
                    begun=begun,
                    description=out.stem,
                    from_s=part.from_s,
                    length_s=part.length_s,
                )
                if force:
                    out.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"{wav} cannot be written: {error.strerror or error}") from error
    return seconds


def _has_any(part: Part) -> bool:
    with closing(WavSource(part.sound, clock=MonotonicClock(), block_s=_BLOCK_S)) as source:
        return source.duration_s is None or part.from_s < source.duration_s


def _check_no_audio_beside(out: Path) -> None:
    """Raise SinkError if a take without audio would get an unrelated audio file that exists beside it."""
    unrelated = sound_beside(out)
    if unrelated is not None:
        raise SinkError(
            f"{unrelated} exists and would be taken for the audio of {out.name}; choose another name, or move it away"
        )
