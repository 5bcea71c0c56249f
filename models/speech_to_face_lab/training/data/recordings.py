"""Recordings of a corpus as training data: clips, a protocol's parts, batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.paper.batch import ClipBatch
from speech_to_face_lab.protocols.clips import SubjectClip, Tally
from speech_to_face_lab.protocols.corpora import OF_MESHES, known_kind, read
from speech_to_face_lab.protocols.splits import FILE, Split, read_split, split, write_split
from speech_to_face_lab.protocols.windows import SpeechBatch, clip_batches, track_windows, write_tracks
from speech_to_face_lab.tracks import Track, read_tracks
from speech_to_face_lab.training.loop.engine import Batches
from speech_to_face_lab.training.loop.plan import Plan


def read_clips(folder: Path, kind: str | None) -> tuple[list[SubjectClip], Tally]:
    """Every clip of a corpus that a network of coefficients can learn from, and what was left out. ModelError where
    there is none.

    kind: a key of `speech_to_face_lab.protocols.corpora.LOADERS`; None: whichever the folder looks like. Meshes are
    refused before any is read.
    """
    known = known_kind(folder, kind)
    if known in OF_MESHES:
        raise ModelError(
            f"{folder}: {known} is a corpus of meshes, but this network gives blendshapes; expected a corpus of "
            "coefficients"
        )
    clips, tally = read(folder, known)
    if not clips:
        raise ModelError(f"{folder}: no clips there, expected audio and face of every clip ({tally})")
    return clips, tally


def kept_split(run: Path, protocol: str, genders: Mapping[str, str], seed: int) -> Split:
    """The run's parts: those of its protocol.yaml, or new ones, written there. ModelError where these are of another
    protocol."""
    if not (run / FILE).exists():
        made = split(protocol, genders, seed)
        write_split(made, run)
        return made
    kept = read_split(run)
    if (kept.protocol, kept.seed) != (protocol, seed):
        raise ModelError(
            f"{run}: began with {kept.protocol}, seed {kept.seed}; give the same --protocol and --seed, or a new --run"
        )
    return kept


def rows_of(made: Split) -> dict[str, int]:
    """Training subject -> its row of the style table; the row after them is the unknown speaker's."""
    return {subject: row for row, subject in enumerate(made.train)}


def features(clips: list[SubjectClip], folder: Path) -> list[Track]:
    """Tracks of the clips' subjects, made in `folder` if they are not there yet: features made once serve every run
    that resumes."""
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_tracks(clips, folder)
        (folder / "complete").touch()
    return read_tracks(folder, held=False)


def of_subjects(tracks: list[Track], subjects: tuple[str, ...]) -> list[Track]:
    """The tracks of these subjects, in the order of their names. ModelError for a subject without one."""
    found = {track.name: track for track in tracks}
    if missing := [name for name in subjects if name not in found]:
        raise ModelError(f"no features of subject {missing[0]!r}: delete the folder of features and start again")
    return [found[name] for name in sorted(subjects)]


def window_batches(tracks: list[Track], made: Split, plan: Plan) -> Batches:
    """Log-mel windows of the training subjects, for the networks at 60 Hz."""
    return track_batches(of_subjects(tracks, made.train), made, plan)


def track_batches(own: list[Track], made: Split, plan: Plan) -> Batches:
    """Log-mel windows of these subjects; those that do not train are learnt from as the unknown speaker."""
    return lambda seed: track_windows(own, rows_of(made), plan.batch, plan.seconds, seed)


def speech_batches(clips: list[SubjectClip], made: Split, plan: Plan) -> Batches:
    """Sound of the training subjects, for the networks of paper size. Corpora hold no portraits: faces are drawn,
    another every clip."""
    return drawn_batches(made.of("train", clips), made, plan)


def drawn_batches(own: list[SubjectClip], made: Split, plan: Plan) -> Batches:
    """Sound of these subjects with drawn faces; those that do not train have the unknown speaker's row."""
    return lambda seed: map(with_faces, clip_batches(own, rows_of(made), plan.batch, plan.seconds, seed), _seeds(seed))


def with_faces(batch: SpeechBatch, seed: int) -> ClipBatch:
    """A drawn face for every window."""
    look = faces.random_look(len(batch.samples), torch.Generator().manual_seed(seed))
    return ClipBatch(batch.samples, batch.curves, batch.known, batch.style, faces.draw_reference(look))


def mean_curves(clips: list[SubjectClip]) -> torch.Tensor:
    """float32 (32,): the mean face of all frames; 0 for channels that no clip carries."""
    sums, counts = np.zeros(len(MOUTH_32)), np.zeros(len(MOUTH_32))
    for clip in clips:
        if clip.curves is not None:
            sums += np.nansum(clip.curves, 0, dtype=np.float64)
            counts += (~np.isnan(clip.curves)).sum(0)
    return torch.from_numpy((sums / np.maximum(counts, 1)).astype(np.float32))


def _seeds(seed: int) -> Iterator[int]:
    while True:
        seed += 1
        yield seed
