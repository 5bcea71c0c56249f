"""Opens any file that libsndfile reads, and reports what is wrong with it before the first sample is read."""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from speech_to_face.audio_files.channels import Powers
from speech_to_face.audio_files.coded import flac_extent, mp3_extent, ogg_extent
from speech_to_face.audio_files.extent import SLACK_S, Extent
from speech_to_face.audio_files.iff import aiff_extent, au_extent, caf_extent
from speech_to_face.audio_files.others import FRAMES, matlab_extent, noted_extent, sds_extent
from speech_to_face.audio_files.riff import wav_extent, wave64_extent
from speech_to_face.audio_files.view import View

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
"""Highest sample rate, Hz; a damaged header may give any number."""
LOUDEST = 16.0
"""Samples of a file of floats that are louder, 24 dB over full scale, are damage; those that are not finite are too."""
_JUDGED_S, _JUDGED_WITHIN_S = 10.0, 60.0
"""Whether channels cancel is judged by so much audio that is not silent, from so much of the beginning."""
_PIECE = 1 << 18
"""Samples of all channels that are judged at a time."""
_UNKNOWN_FRAMES = 2**48
"""libsndfile reports absurd lengths for streams whose header does not say; no recording is that long."""
_EXTENTS: tuple[Callable[[BinaryIO, int], Extent | None], ...] = (
    wav_extent, wave64_extent, aiff_extent, au_extent, caf_extent, flac_extent, ogg_extent, mp3_extent, matlab_extent,
    sds_extent)  # fmt: skip


class RecordingError(Exception):
    """An audio file that is missing, unreadable, damaged or empty. `str(error)` is one line that names it."""


class CutError(RecordingError):
    """An audio file that ends before the length in its header."""


class _Forward(soundfile.SoundFile):  # type: ignore[misc]  # it has no types
    """Read in order alone.

    soundfile sets its position anew after each read. In an mp3 that costs what the next frame needs of those before it,
    so a file read in pieces came out damaged, with notes of the decoder's on the terminal; and it fails at the end of a
    flac file without a length.
    """

    def seekable(self) -> bool:
        return False


class Recording:
    """An open audio file, read from its beginning to its end. Close it."""

    def __init__(
        self, file: soundfile.SoundFile, name: str, view: View | None, extent: Extent | None, allow_cut: bool
    ) -> None:
        self.name = name
        self.rate: int = file.samplerate
        """Hz."""
        self.channel: int | None = None
        """Of the file, from 0: the only one that is read, where its channels cancel each other; else None."""
        self.damaged = 0
        """Samples so far that were not finite or absurdly loud, and were read as silence."""
        self.warnings: list[str] = []
        """Harmless oddities of the file, one line each."""
        self._file, self._view = file, view
        self._extent, self._allow_cut = extent, allow_cut
        self._given = 0

    @property
    def frames(self) -> int | None:
        """Number of frames; None where only reading it gives that."""
        frames: int = self._file.frames
        return frames if frames < _UNKNOWN_FRAMES else None

    @property
    def duration_s(self) -> float | None:
        """Duration in seconds; None where only reading it gives that."""
        return None if self.frames is None else self.frames / self.rate

    @property
    def channels(self) -> int:
        """As they are read."""
        return 1 if self.channel is not None else self._file.channels

    def read(self, most: int) -> NDArray[np.float32]:
        """float32 (n, channels), n at most `most`, 0 only at the end. CutError for a file that ends before its header
        says, RecordingError for one that is damaged."""
        if (
            self._view is not None and self.frames is not None
        ):  # what lies behind is a part of a block, which decoders stumble over
            most = min(most, self.frames - self._given)
            if most <= 0:
                return np.zeros((0, self.channels), np.float32)
        try:
            samples: NDArray[np.float32] = self._file.read(most, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            if self._allow_cut:
                return np.zeros((0, self.channels), np.float32)
            raise RecordingError(
                f"{self.name}: cannot be read after {self._given / self.rate:.1f} s: {_reason(error)}"
            ) from error
        self._given += len(samples)
        if not len(samples):
            self._check_end()
        return self._sound(samples)

    def judge(self, powers: Powers) -> None:
        """Read on until it is clear whether the channels cancel."""
        most, piece = round(_JUDGED_WITHIN_S * self.rate), max(1, min(self.rate, _PIECE // self.channels))
        while self._given < most and powers.frames < _JUDGED_S * self.rate and len(samples := self.read(piece)):
            powers.add(samples)

    def close(self) -> None:
        """A second call does nothing."""
        self._file.close()
        if self._view:
            self._view.close()

    def _sound(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.channel is not None:
            samples = samples[:, self.channel : self.channel + 1]
        if (
            len(samples) and not max(float(samples.max()), -float(samples.min())) <= LOUDEST
        ):  # also where it is not a number
            good = np.abs(samples) <= LOUDEST
            self.damaged += int(np.count_nonzero(~good))
            samples = np.where(good, samples, np.float32(0))
        return samples

    def _check_end(self) -> None:
        """Decoders give less than was declared of a file that is damaged, without an error."""
        counted = self._extent is not None and self._extent.unit_s is not None and not self._extent.unended
        if self._allow_cut or not counted or self.frames is None:
            return
        if (self.frames - self._given) / self.rate > max(SLACK_S, 1152 * 2 / self.rate):
            raise CutError(
                f"{_ends_early(self.name, self._given / self.rate, self.frames / self.rate)}; --allow-cut takes what "
                "there is"
            )


def open_recording(path: Path, *, allow_cut: bool = False) -> Recording:
    """Open an audio file.

    Where the channels cancel each other, having opposite polarity, the louder one alone is read. The first 10 s that
    are not silent, within the first minute, decide.

    Parameters
    ----------
    path
        wav, aiff, au, caf, flac, ogg, mp3, or any other format of libsndfile, at up to 768 kHz.
    allow_cut
        Read a file that ends before the length in its header, up to where it ends.

    Raises
    ------
    CutError
        A file that ends early.
    RecordingError
        A file that cannot be read or holds no audio.
    """
    recording = _open(path, allow_cut)
    if recording.channels > 1:
        powers = Powers(recording.channels)
        with closing(_open(path, allow_cut=True)) as judged, suppress(RecordingError):
            judged.judge(powers)
        recording.channel = powers.louder
    if recording.channel is not None:
        recording.warnings.append(
            f"{path}: its channels cancel each other, having opposite polarity; channel {recording.channel + 1}, "
            "the louder, is taken alone"
        )
    return recording


def _open(path: Path, allow_cut: bool) -> Recording:
    size = _size(path)
    with open(path, "rb") as file:
        try:
            extent = next((found for measure in _EXTENTS if (found := measure(file, size)) is not None), None)
            frames = next((number for count in FRAMES if (number := count(file, size)) is not None), None)
        except (struct.error, IndexError):  # the header ends inside a number: libsndfile says what it makes of that
            extent = frames = None
    view = View(path, extent.view) if extent and extent.view else None
    try:
        opened = _opened(path, view, extent)
        extent = _better(extent, frames, opened)
        recording = Recording(opened, str(path), view, extent, allow_cut)
        try:
            _check(recording, extent, allow_cut)
        except RecordingError:
            opened.close()
            raise
    except BaseException:
        if view:
            view.close()
        raise
    return recording


def _size(path: Path) -> int:
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            path.open("rb").close()
    except FileNotFoundError:
        raise RecordingError(f"{path}: no such file") from None
    except OSError as error:
        raise RecordingError(f"{path}: cannot be opened: {error.strerror}") from error
    if stat.S_ISDIR(found.st_mode):
        raise RecordingError(f"{path} is a folder, expected an audio file")
    if found.st_size == 0:
        raise RecordingError(f"{path} is empty (0 bytes), expected an audio file")
    return found.st_size


def _opened(path: Path, view: View | None, extent: Extent | None) -> soundfile.SoundFile:
    file: Any = view or path
    try:
        return _Forward(file)
    except soundfile.LibsndfileError as error:
        if extent and extent.cut and extent.declared:
            raise CutError(
                f"{path} ends early, {extent.present / extent.declared:.0%} of it is there, and cannot be read "
                f"({_reason(error)})"
            ) from error
        expected = "expected wav, flac, ogg, mp3 or the like"
        raise RecordingError(f"{path} is not audio that can be read ({_reason(error)}); {expected}") from error
    except TypeError:  # soundfile takes .raw for samples without a header, whatever is in the file
        raise RecordingError(f"{path}: a .raw file does not say its sample rate; convert it to wav first") from None


def _better(extent: Extent | None, declared: int | None, file: soundfile.SoundFile) -> Extent | None:
    """What was found, or what is known now that the file is open."""
    if extent is not None:
        return extent
    if declared is not None:
        return Extent(file.frames, declared, 1 / file.samplerate)
    with suppress(UnicodeDecodeError):
        return noted_extent(file.extra_info)
    return None


def _check(recording: Recording, extent: Extent | None, allow_cut: bool) -> None:
    path, rate = recording.name, recording.rate
    if extent and extent.cut:
        if recording.frames == 0 or (extent.declared and not extent.present):
            raise CutError(f"{path} ends early: nothing of its audio is there, get the whole file")
        said = _cut_text(path, extent, recording.duration_s or 0.0)
        if not allow_cut:
            raise CutError(f"{said}; --allow-cut takes what there is")
        recording.warnings.append(f"{said}; what there is is taken")
    if recording.frames == 0:
        raise RecordingError(f"{path} holds no audio: its header promises 0 samples")
    if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        expected = f"{LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}"
        raise RecordingError(f"{path} says it has {rate} samples a second, expected {expected}; is it damaged?")
    if extent and extent.stale and extent.declared is not None:
        held_s = recording.duration_s or 0.0
        recording.warnings.append(
            f"{path}: its header says {held_s * extent.declared / extent.present:.1f} s and was not brought up to "
            f"date; all of it, {held_s:.1f} s, is read"
        )


def _cut_text(path: str, extent: Extent, held_s: float) -> str:
    if extent.unended:
        return f"{path} ends early, after {held_s:.1f} s: {extent.unended}"
    assert extent.declared is not None
    held_s = extent.present * extent.unit_s if extent.unit_s else held_s
    return _ends_early(path, held_s, held_s * extent.declared / extent.present)


def _ends_early(path: str, held_s: float, declared_s: float) -> str:
    """With as many digits as the two take to differ."""
    digits = next((digits for digits in (1, 2) if f"{held_s:.{digits}f}" != f"{declared_s:.{digits}f}"), 3)
    return f"{path} ends early: {held_s:.{digits}f} of {declared_s:.{digits}f} s"


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).strip().rstrip(".")
