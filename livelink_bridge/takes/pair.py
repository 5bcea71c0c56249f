"""A take and its sound, written as one: both are there or neither, and the sound is cut to the moments of the rows."""

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
    """What of a sound goes with a take."""

    sound: Path
    from_s: float = 0.0
    """Where in the sound the take's first row is."""
    length_s: float | None = None
    """None is to the sound's end."""


def write_pair(
    take: Take, out: Path, part: Part | None, *, force: bool = False, on_progress: Progress = ignored
) -> float:
    """Write a take as CSV and `part` as the .wav beside it; how many seconds of sound there are then, 0 without.

    The .wav takes its name first, a .csv that is replaced goes before it: whatever ends the program, no take is left
    with another's sound. Raises SinkError for names that are taken, unless `force`, and for what cannot be written;
    SourceError for a sound that cannot be read.
    """
    wav = out.with_suffix(".wav")
    if part is None or not _has_any(part):
        _refuse_stranger(out)
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


def _refuse_stranger(out: Path) -> None:
    """SinkError where a take without sound would get one that happens to lie there."""
    stranger = sound_beside(out)
    if stranger is not None:
        raise SinkError(
            f"{stranger} is there and would be taken for the sound of {out.name}; choose another name, or move it away"
        )
