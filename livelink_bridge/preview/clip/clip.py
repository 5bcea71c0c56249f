"""A clip: an audio file with its predicted frames, or a take, as arrays that the page plays and draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.character.character import Character, CharacterStream
from arkit_mapping.character.entries import Poses
from arkit_mapping.character.smoothing import Smoother
from arkit_mapping.takes.csv import Take, TakeError, read_take
from arkit_mapping.takes.edit import at_times, gaps, grid, grid_rows
from livelink_bridge.analysis.phones import PhoneRecognizer, PhoneStream, Segment, phone_network, visemes
from livelink_bridge.audio.downmix import mono
from livelink_bridge.audio.resample import Resampler
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import SourceError
from livelink_bridge.face.face import Face
from livelink_bridge.preview.clip.browser_audio import BrowserAudio
from livelink_bridge.preview.clip.peaks import Peaks, PeaksBuilder
from livelink_bridge.session.offline import Conversion
from livelink_bridge.sources.audio_file import WavSource
from livelink_bridge.takes.discovery import find_take
from speech_to_face.base import ModelError, Samples, SpeechToFace
from speech_to_face.streaming.features import SAMPLE_RATE

MAX_S = 2 * 3600.0
"""Longest sound or take: its poses are 105 MB."""
MAX_TAKE_BYTES = 450 << 20
"""Of a take's file: two hours of rows have some 350 MB."""
_BLOCK_S = 10.0

Progress = Callable[[float], None]
"""Told the part that is done, 0 to 1. An exception of its ends the work, and nothing is left behind."""


class _Untouched(CharacterStream):
    def push(self, poses: Poses) -> Poses:
        return np.array(poses, np.float32)


class _AsPredicted(Character):
    def stream(self) -> CharacterStream:
        return _Untouched(self, Smoother({}))


AS_PREDICTED: Character = _AsPredicted()
"""Worn while a clip is analysed: nothing is done to the poses, not even clamping, so that the character that is worn
over them afterwards gives what it gives in a session, to the last bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recording that has been opened."""

    name: str
    """The file's, to be shown."""
    kind: Literal["sound", "take"]
    sound: Path | None
    """A mono .wav of 16 bits in the session's folder, which begins with pose 0: what the network hears. None for a take
    without one."""
    duration_s: float
    predicted: Poses
    """float32 (n, 61) in wire order, n = 60 a second; liveliness and mood are in it, a character is not. Read-only."""
    phones: tuple[Segment, ...] = ()
    visemes: tuple[Segment, ...] = ()
    peaks: Peaks | None = None
    """Of `sound`."""
    notes: tuple[str, ...] = ()
    """What the user should know, a sentence each."""
    start_s: float = 0.0
    """Of day: timecode of pose 0. 0 but for takes."""
    rate: int = FRAME_RATE


def analyse(
    path: Path,
    model: SpeechToFace,
    face: Face,
    folder: Path,
    on_progress: Progress = lambda _part: None,
    *,
    recognizer: PhoneRecognizer | None = None,
    sound: Path | None = None,
    take_rate: str | None = None,
    allow_cut: bool = False,
) -> Clip:
    """Open a sound file, or a take (.csv, or a take's folder), as a clip; what the browser plays is put into `folder`.

    `face` wears `AS_PREDICTED`; it is reset. The poses are those of `convert`, pose for pose, but for the 0.5 s in
    which a take eases to neutral. `recognizer` is by default the model itself where it can; `sound` is a
    take's, by default the one beside it; `take_rate` is what FF of its timecode counts, by default what it shows;
    `allow_cut` takes what there is of a sound that ends before its header says. Raises BridgeError, the command line's
    own, for what cannot be read or is too long.
    """
    if path.suffix.lower() == ".csv" or path.is_dir():
        return _open_take(path, model, folder, on_progress, recognizer, sound, take_rate, allow_cut)
    recognizer, notes = _recognizer_for(model, recognizer)
    rows, conversion = _Rows(), Conversion(model, face)
    with _reading(path, folder, on_progress, recognizer, model.sample_rate, allow_cut=allow_cut) as reading:
        for poses in conversion.frames(reading.blocks(), ends_neutral=False):
            rows.append(poses)
        heard = reading.heard()
    if conversion.bad_poses:
        notes = (
            *notes,
            f"{conversion.bad_poses} poses had values that are not finite; the ones before stand in their place.",
        )
    return Clip(
        path.name,
        "sound",
        heard.sound,
        heard.peaks.duration_s,
        rows.finish(),
        heard.phones,
        visemes(heard.phones),
        heard.peaks,
        (*notes, *heard.notes),
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is made of a sound while it is read once."""

    sound: Path
    peaks: Peaks
    phones: tuple[Segment, ...]
    notes: tuple[str, ...]


def _open_take(
    path: Path,
    model: SpeechToFace,
    folder: Path,
    on_progress: Progress,
    recognizer: PhoneRecognizer | None,
    sound: Path | None,
    take_rate: str | None,
    allow_cut: bool,
) -> Clip:
    try:
        files = find_take(path)
        take = _bounded(files.csv, take_rate)
    except TakeError as error:
        raise SourceError(str(error)) from None
    predicted = _evened(take)
    notes = _take_notes(take)
    sound = sound or files.sound
    heard = None
    if sound is not None:
        recognizer, without = _recognizer_for(model, recognizer)
        with _reading(sound, folder, on_progress, recognizer, allow_cut=allow_cut) as reading:
            for _block in reading.blocks():
                pass
            heard = reading.heard()
        notes = (*notes, *without, *heard.notes)
    on_progress(1.0)
    phones = heard.phones if heard else ()
    return Clip(
        files.csv.name,
        "take",
        heard.sound if heard else None,
        len(predicted) / FRAME_RATE,
        predicted,
        phones,
        visemes(phones),
        heard.peaks if heard else None,
        notes,
        float(take.times_s[0]) % 86400,
    )


def _bounded(csv: Path, rate: str | None) -> Take:
    """The take in a file. Raises TakeError for anything else, and for one that is too long."""
    try:
        size = csv.stat().st_size
    except OSError as error:
        raise TakeError(f"take {csv} cannot be read: {error.strerror}") from None
    if size > MAX_TAKE_BYTES:
        raise TakeError(
            f"take {csv} has {size >> 20} MB, expected at most {MAX_TAKE_BYTES >> 20}; cut it with `takes trim`"
        )
    take = read_take(csv, rate)
    seconds = float(take.times_s[-1] - take.times_s[0])
    if seconds > MAX_S:
        raise TakeError(
            f"take {csv} lasts {seconds / 3600:.1f} h by its timecode, expected at most {MAX_S / 3600:.0f} h"
        )
    return take


def _evened(take: Take) -> Poses:
    """float32 (n, 61) at 60 a second, rows that are missing filled in."""
    poses = np.empty((grid_rows(take, FRAME_RATE), len(CHANNELS_61)), np.float32)
    at = 0
    for times_s in grid(take, FRAME_RATE):
        poses[at : at + len(times_s)] = at_times(take, times_s)
        at += len(times_s)
    poses.flags.writeable = False
    return poses


def _take_notes(take: Take) -> tuple[str, ...]:
    missing = gaps(take)
    said = (f"{take.said[:1].upper()}{take.said[1:]}.",) if take.said else ()
    notes = (
        (f"The take has {take.rate} rows a second; between them the face is on a straight line.",)
        if take.rate < FRAME_RATE
        else ()
    )
    notes = (*said, *notes)
    if not missing:
        return notes
    widest_s = max(gap_s for _, gap_s in missing)
    where = "1 gap" if len(missing) == 1 else f"{len(missing)} gaps"
    return (*notes, f"The take has {where}, up to {widest_s:.2f} s long; the face goes on a straight line over it.")


def _recognizer_for(
    model: SpeechToFace, wanted: PhoneRecognizer | None
) -> tuple[PhoneRecognizer | None, tuple[str, ...]]:
    """The phone recognizer, or why there is none."""
    if wanted is not None:
        return wanted, ()
    try:
        return phone_network(model.name), ()
    except ModelError as error:
        return None, (f"There is no phone track and no closure marks: {error}.",)


@contextmanager
def _reading(
    path: Path,
    folder: Path,
    on_progress: Progress,
    recognizer: PhoneRecognizer | None,
    to_hz: int = SAMPLE_RATE,
    *,
    allow_cut: bool = False,
) -> Iterator[_Reading]:
    """An audio file that is read once for everything that is made of it. An error leaves nothing in the folder."""
    odd: list[str] = []
    with closing(
        WavSource(path, clock=MonotonicClock(), block_s=_BLOCK_S, allow_cut=allow_cut, warn=odd.append)
    ) as source:
        _check_length(path, source.duration_s or 0.0)
        playable = BrowserAudio(folder, source.sample_rate)
        try:
            yield _Reading(path, source, playable, _Ear(recognizer, source.sample_rate, to_hz), on_progress, odd)
        except BaseException:
            playable.discard()
            raise


class _Reading:
    """Reads a file from beginning to end, for the network and for the page."""

    def __init__(
        self, path: Path, source: WavSource, playable: BrowserAudio, ear: _Ear, on_progress: Progress, odd: list[str]
    ) -> None:
        """`odd` holds what the source reports of the file."""
        self._path, self._source, self._playable, self._ear = path, source, playable, ear
        self._on_progress, self._odd = on_progress, odd
        self._peaks, self._loudest = PeaksBuilder(source.sample_rate), 0.0

    def blocks(self) -> Iterator[AudioBlock]:
        """The audio as the network takes it, mono at its rate."""
        for block in self._source.blocks():
            _check_length(self._path, block.end / block.sample_rate)
            voice = mono(block.samples)
            self._loudest = max(self._loudest, float(np.abs(voice).max(initial=0.0)))
            self._playable.write(voice)
            self._peaks.push(voice)
            yield self._ear.push(voice)
            duration_s = self._source.duration_s
            self._on_progress(min(1.0, block.end / block.sample_rate / duration_s) if duration_s else 0.0)
        yield self._ear.flush()

    def heard(self) -> _Heard:
        """What was made of the file, once all blocks are read."""
        said = tuple(_note(line, self._path) for line in self._odd)
        notes = (*said, *_sound_notes(self._loudest))
        return _Heard(self._playable.finish(), self._peaks.finish(), self._ear.phones(), notes)


def _note(line: str, path: Path) -> str:
    """A sentence about the sound whose name the page shows."""
    line = line.removeprefix(f"{path}").removeprefix(": ").strip()
    return f"The sound {line}." if line.startswith("ends") else f"{line[:1].upper()}{line[1:]}."


def _sound_notes(loudest: float) -> tuple[str, ...]:
    return ("The sound is silent from beginning to end.",) if loudest == 0 else ()


def _check_length(path: Path, seconds: float) -> None:
    if seconds > MAX_S + 1 / FRAME_RATE:
        raise SourceError(
            f"{path} lasts longer than {MAX_S / 3600:.0f} h, expected at most that; cut it, or convert it unseen: "
            "livelink-bridge convert"
        )


class _Rows:
    """Poses of unknown number, in one array that is never held twice."""

    def __init__(self) -> None:
        self._rows = np.empty((0, len(CHANNELS_61)), np.float32)
        self._count = 0

    def append(self, poses: Poses) -> None:
        """Add float32 (n, 61)."""
        end = self._count + len(poses)
        if end > len(self._rows):
            self._rows.resize((max(end, len(self._rows) * 5 // 4), len(CHANNELS_61)), refcheck=False)
        self._rows[self._count : end] = poses
        self._count = end

    def finish(self) -> Poses:
        """float32 (n, 61), read-only."""
        self._rows.resize((self._count, len(CHANNELS_61)), refcheck=False)
        self._rows.flags.writeable = False
        return self._rows


class _Ear:
    """What the networks hear: resampled once for both, which costs as much as a third of the network's own work."""

    def __init__(self, recognizer: PhoneRecognizer | None, from_hz: int, to_hz: int) -> None:
        self._resampler, self._phones_resampler = Resampler(from_hz, to_hz), Resampler(to_hz, SAMPLE_RATE)
        self._listening: PhoneStream | None = recognizer.listen() if recognizer else None
        self._to_hz = to_hz
        self._given = 0

    def push(self, voice: Samples) -> AudioBlock:
        """The next samples, float32 (n,), as the network takes them."""
        return self._hear(self._resampler.push(voice))

    def flush(self) -> AudioBlock:
        """What still waited for samples."""
        return self._hear(self._resampler.flush())

    def phones(self) -> tuple[Segment, ...]:
        """The recognized phones, once all audio has been pushed."""
        if not self._listening:
            return ()
        self._listening.push(self._phones_resampler.flush())
        return self._listening.finish()

    def _hear(self, sound: Samples) -> AudioBlock:
        block = AudioBlock(sound, self._to_hz, self._given, 0.0)
        self._given += len(sound)
        if self._listening:
            self._listening.push(self._phones_resampler.push(sound))
        return block
