"""Training batches of subjects' clips: log-mel windows at 60 Hz for small systems, audio and 30 Hz curves for those of
paper size.

A subject's clips are joined end to end, so that a window may be longer than an utterance. All subjects are drawn
equally often, however much they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import ModelError
from speech_to_face.networks.batch import IGNORED, Batch
from speech_to_face.phones import INDEX
from speech_to_face.streaming.features import SAMPLE_RATE, LogMel
from speech_to_face_lab.corpus.visemes import labels, sealed
from speech_to_face_lab.protocols.clips import SubjectClip, resampled
from speech_to_face_lab.tracks import UNKNOWN, About, Piece, Track, write_track

PAPER_RATE = 30
"""Frames per second of the systems of paper size."""
GRAIN = SAMPLE_RATE // 10
"""Samples of three frames at 30 a second: windows begin at whole ones, where sound and frames meet."""
GRAIN_FRAMES = 3
UNKNOWN_SHARE = 0.2
"""Share of a known subject's windows under the unknown row, which unseen subjects use."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SpeechBatch:
    """Stacked windows of audio and face."""

    samples: torch.Tensor
    """float32 (windows, n), 16 kHz."""
    curves: torch.Tensor
    """float32 (windows, frames, 32) at 30 Hz; 0 where not known."""
    known: torch.Tensor
    """float32 (windows, 1, 32): 1 for channels that the source carries."""
    style: torch.Tensor
    """int64 (windows,): row of the style table."""


def windows(
    clips: Sequence[SubjectClip], rows_of_styles: Mapping[str, int], batch: int, seconds: float, seed: int
) -> Iterator[Batch]:
    """Endless batches for a network on the 60 Hz grid; the same seed gives the same batches.

    rows_of_styles: subject -> row of the style table; a subject that is not there gets the row after the last. Features
    are made once. Raises ModelError for clips without curves, and when no subject speaks as long as a window.
    """
    return track_windows(tracks(clips), rows_of_styles, batch, seconds, seed)


def tracks(clips: Sequence[SubjectClip]) -> list[Track]:
    """A track for every subject, named after it, in the order in which they first come."""
    return [_track(subject, own) for subject, own in _by_subject(clips).items()]


def write_tracks(clips: Sequence[SubjectClip], folder: Path) -> None:
    """Write every subject's track into `folder`, for `speech_to_face_lab.training.tracks.read_tracks`: features made
    once serve many runs."""
    for subject, own in _by_subject(clips).items():
        write_track(folder, subject, _about(subject), map(piece, own))


def track_windows(
    of_subjects: Sequence[Track], rows_of_styles: Mapping[str, int], batch: int, seconds: float, seed: int
) -> Iterator[Batch]:
    """As `windows`, from tracks whose names are subjects."""
    frames = int(seconds * FRAME_RATE)
    usable = _long_enough(of_subjects, [len(track.mel) for track in of_subjects], frames, seconds)
    return _track_batches(usable, rows_of_styles, batch, frames, seed)


def clip_batches(
    clips: Sequence[SubjectClip], rows_of_styles: Mapping[str, int], batch: int, seconds: float, seed: int
) -> Iterator[SpeechBatch]:
    """Endless batches of sound and curves at 30 Hz for networks of paper size; otherwise as `windows`.

    Known subjects keep their rows: those networks take some of them for the unknown one's by themselves
    (`Config.pivot_share`).
    """
    joined = [(subject, *_joined(own)) for subject, own in _by_subject(clips).items()]
    frames = int(seconds * PAPER_RATE)
    usable = _long_enough(joined, [len(curves) for _, _, curves in joined], frames, seconds)
    return _speech_batches(usable, rows_of_styles, batch, frames, seed)


def brief_tracks(of_subjects: Sequence[Track], seconds: float) -> tuple[str, ...]:
    """Subjects whose track is shorter than a window: `track_windows` draws nothing of them."""
    return tuple(track.name for track in of_subjects if len(track.mel) < int(seconds * FRAME_RATE))


def brief_clips(clips: Sequence[SubjectClip], seconds: float) -> tuple[str, ...]:
    """Subjects whose clips together are shorter than a window: `clip_batches` draws nothing of them."""
    lengths = {subject: GRAIN_FRAMES * sum(map(_grains, own)) for subject, own in _by_subject(clips).items()}
    return tuple(subject for subject, length in lengths.items() if length < int(seconds * PAPER_RATE))


def piece(clip: SubjectClip) -> Piece:
    """A clip at 60 Hz with labels and seals, cut to whole grains."""
    curves = resampled(_curves(clip), clip.rate, FRAME_RATE)
    grains = min(len(clip.samples) * GRAIN_FRAMES * 2 // GRAIN, len(curves)) // 3
    frames, count = 3 * grains, grains * SAMPLE_RATE // 20
    known = clip.phones is not None
    spoken = labels(clip.phones or (), frames, UNKNOWN if not known else INDEX["SIL"]).astype(np.uint8)
    closed = sealed(clip.phones, frames) if clip.phones is not None else np.zeros(frames, np.float32)
    return Piece(clip.samples[:count], curves[:frames], spoken, closed)


def _track(subject: str, clips: list[SubjectClip]) -> Track:
    mel, columns = LogMel(), []
    for one in map(piece, clips):
        heard = mel.push(one.samples).astype(np.float16)
        columns.append((heard, one.curves.astype(np.float16), one.labels, one.sealed.astype(np.float16)))
    return Track(subject, _about(subject), *(np.concatenate(column) for column in zip(*columns, strict=True)))


def _about(subject: str) -> About:
    return About(group=subject)


def _by_subject(clips: Sequence[SubjectClip]) -> dict[str, list[SubjectClip]]:
    found: dict[str, list[SubjectClip]] = {}
    for clip in clips:
        found.setdefault(clip.subject, []).append(clip)
    return found


def _curves(clip: SubjectClip) -> NDArray[np.float32]:
    if clip.curves is None:
        raise ModelError(f"clip {clip.name}: it has a mesh and no curves; blendshape networks learn from coefficients")
    return clip.curves


def _long_enough(subjects: Sequence[T], lengths: Sequence[int], frames: int, seconds: float) -> list[T]:
    usable = [one for one, length in zip(subjects, lengths, strict=True) if length >= frames > 0]
    if not usable:
        raise ModelError(
            f"windows of {seconds:g} s: no subject speaks so long; expected more clips, or shorter windows above 0 s"
        )
    return usable


def _row(subject: str, rows: Mapping[str, int], rng: np.random.Generator) -> int:
    unknown = max(rows.values(), default=-1) + 1
    return rows.get(subject, unknown) if rng.random() >= UNKNOWN_SHARE else unknown


def _track_batches(usable: list[Track], rows: Mapping[str, int], batch: int, frames: int, seed: int) -> Iterator[Batch]:
    rng = np.random.default_rng(seed)
    while True:
        drawn = [_window(usable[int(rng.integers(len(usable)))], rows, frames, rng) for _ in range(batch)]
        mel, mouth, phones, seal, style = (np.stack(column) for column in zip(*drawn, strict=True))
        yield Batch(
            torch.from_numpy(mel),
            *_known(mouth),
            torch.from_numpy(np.where(phones == UNKNOWN, IGNORED, phones.astype(np.int64))),
            torch.from_numpy(seal),
            torch.from_numpy(style),
        )


def _window(
    track: Track, rows: Mapping[str, int], frames: int, rng: np.random.Generator
) -> tuple[NDArray[np.generic], ...]:
    first = int(rng.integers(len(track.mel) - frames + 1))
    part = slice(first, first + frames)
    mel, mouth, seal = (values[part].astype(np.float32) for values in (track.mel, track.curves, track.sealed))
    return mel, mouth, track.labels[part], seal, np.asarray(_row(track.name, rows, rng), np.int64)


def _known(mouth: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
    """Curves without NaN, and which channels are carried."""
    known = ~np.isnan(mouth).any(1, keepdims=True)
    return torch.from_numpy(np.where(known, mouth, np.float32(0))), torch.from_numpy(known.astype(np.float32))


def _joined(clips: list[SubjectClip]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A subject's sound and its curves at 30 Hz, clip after clip, each cut to whole grains."""
    sound, faces = [], []
    for clip in clips:
        curves, grains = resampled(_curves(clip), clip.rate, PAPER_RATE), _grains(clip)
        sound.append(clip.samples[: grains * GRAIN])
        faces.append(curves[: grains * GRAIN_FRAMES])
    return np.concatenate(sound), np.concatenate(faces)


def _grains(clip: SubjectClip) -> int:
    """Whole grains of a clip's sound that have a face at 30 Hz."""
    return min(len(clip.samples) // GRAIN, -(-clip.frames * PAPER_RATE // clip.rate) // GRAIN_FRAMES)


def _speech_batches(
    usable: list[tuple[str, NDArray[np.float32], NDArray[np.float32]]],
    rows: Mapping[str, int],
    batch: int,
    frames: int,
    seed: int,
) -> Iterator[SpeechBatch]:
    rng = np.random.default_rng(seed)
    count, unknown = frames * GRAIN // GRAIN_FRAMES, max(rows.values(), default=-1) + 1
    while True:
        sound, faces, styles = [], [], []
        for _ in range(batch):
            subject, samples, curves = usable[int(rng.integers(len(usable)))]
            grain = int(rng.integers((len(curves) - frames) // GRAIN_FRAMES + 1))
            sound.append(samples[grain * GRAIN : grain * GRAIN + count])
            faces.append(curves[grain * GRAIN_FRAMES : grain * GRAIN_FRAMES + frames])
            styles.append(rows.get(subject, unknown))
        yield SpeechBatch(torch.from_numpy(np.stack(sound)), *_known(np.stack(faces)), torch.tensor(styles))
