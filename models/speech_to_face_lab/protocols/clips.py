"""One recording of one subject, of any corpus: speech at 16 kHz and the face at one rate, equally long."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError, Samples
from speech_to_face.phones import Phone
from speech_to_face.streaming.features import SAMPLE_RATE

Curves = NDArray[np.float32]
"""float32 (frames, 32) in [0, 1], columns as `MOUTH_32`; NaN in a channel that the source does not carry."""
Mesh = NDArray[np.float32]
"""float32 (frames, vertices, 3), in the unit of its corpus."""

log = logging.getLogger(__name__)

MAX_APART = 1.5
"""Sound and face whose lengths differ by more than this factor are not of one recording, or a rate is wrong."""
HELD_S = 0.25
"""Seconds that may always differ, however short the clip."""


@dataclass(frozen=True, slots=True, eq=False)
class SubjectClip:
    """One utterance of one subject. ModelError when its parts are not of one recording."""

    name: str
    """Unique in its corpus."""
    subject: str
    """The speaker's identity: protocols keep it in one part."""
    gender: str
    """"female", "male", or "" where the corpus does not tell."""
    samples: Samples
    """float32 (n,), 16 kHz."""
    rate: int
    """Frames per second of the face, 30 or 60 mostly; frame k belongs to time k / rate of the sound."""
    curves: Curves | None = None
    """(frames, 32); None in a corpus of meshes."""
    mesh: Mesh | None = None
    """(frames, vertices, 3); None in a corpus of coefficients."""
    template: NDArray[np.float32] | None = None
    """float32 (vertices, 3): the subject's face at rest, with a mesh."""
    phones: tuple[Phone, ...] | None = None
    """Timed phones; None where they are not known."""

    def __post_init__(self) -> None:
        if (self.curves is None) == (self.mesh is None):
            raise ModelError(f"clip {self.name}: expected either curves or a mesh")
        if self.curves is not None and (self.curves.ndim != 2 or self.curves.shape[1] != len(MOUTH_32)):
            raise ModelError(
                f"clip {self.name}: got curves of shape {self.curves.shape}, expected (frames, {len(MOUTH_32)})"
            )
        if self.mesh is not None and (self.template is None or self.mesh.shape[1:] != self.template.shape):
            got = "no template" if self.template is None else f"a template of shape {self.template.shape}"
            raise ModelError(f"clip {self.name}: got {got}, expected (vertices, 3) of its mesh {self.mesh.shape}")
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ModelError(
                f"clip {self.name}: got {self.samples.dtype} samples of shape {self.samples.shape}, expected float32 "
                "(n,)"
            )
        if self.rate < 1 or not self.frames:
            raise ModelError(
                f"clip {self.name}: got {self.frames} frames at {self.rate} a second, expected one at 1 or more"
            )

    @property
    def face(self) -> NDArray[np.float32]:
        """Curves or mesh, whichever it has."""
        face = self.curves if self.curves is not None else self.mesh
        assert face is not None, "checked when it was made"
        return face

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.face)

    @property
    def seconds(self) -> float:
        """Of face."""
        return self.frames / self.rate


@dataclass(slots=True)
class Tally:
    """Counts of what reading a corpus left out, for the report."""

    clips: int = 0
    """Clips whose sound and face did not end together."""
    sound_s: float = 0.0
    """Of sound without a face."""
    face_s: float = 0.0
    """Duration of the face."""
    alone: int = 0
    """Faces without a sound, and sounds without a face: passed over."""

    def cut(self, sound_s: float, face_s: float, rate: int) -> None:
        """Count what one clip loses; a frame's length or less is rounding and nothing lost."""
        lost = [seconds if seconds > 1 / rate + 1e-9 else 0.0 for seconds in (sound_s, face_s)]
        self.clips += any(lost)
        self.sound_s += lost[0]
        self.face_s += lost[1]

    def __bool__(self) -> bool:
        return bool(self.clips or self.alone)

    def __str__(self) -> str:
        cut = (
            f"{self.clips} clips trimmed: {self.sound_s:.2f} s of audio without a face, {self.face_s:.2f} s of face "
            "without audio"
        )
        return f"{cut}; {self.alone} files without a partner passed over"


def told(
    read: Callable[[Path, Tally], Iterator[SubjectClip]], folder: Path, tally: Tally | None
) -> Iterator[SubjectClip]:
    """Clips of `read(folder, tally)`. Without a caller's tally, what was left out is logged once they are all read."""
    own = Tally() if tally is None else tally
    yield from read(folder, own)
    if tally is None and own:
        log.warning("%s: %s", folder, own)


def trimmed(
    name: str, samples: Samples, face: NDArray[np.float32], rate: int, tally: Tally
) -> tuple[Samples, NDArray[np.float32]]:
    """Sound and face cut to the shorter of the two: the last frame is the last whose time lies in the sound.

    tally: takes up what was cut. Raises ModelError when the two are not of one recording.
    """
    sound_s, face_s = len(samples) / SAMPLE_RATE, len(face) / rate
    if max(sound_s, face_s) - HELD_S > MAX_APART * min(sound_s, face_s):
        raise ModelError(
            f"clip {name}: got {face_s:.2f} s of face for {sound_s:.2f} s of audio, expected the same; check the "
            "frame rate"
        )
    frames = min(len(face), -(-len(samples) * rate // SAMPLE_RATE))
    kept = min(len(samples), frames * SAMPLE_RATE // rate)
    tally.cut(sound_s - kept / SAMPLE_RATE, face_s - frames / rate, rate)
    return samples[:kept], face[:frames]


def resampled(face: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """float32 (frames, ...) at another rate: frame k is the face at time k / wanted, between its neighbours; the end is
    held.

    60 to 30 takes every second frame, as the lineage does for VOCASET ([::2]).
    """
    if rate == wanted:
        return face
    frames = -(-len(face) * wanted // rate)
    at = np.minimum(np.arange(frames) * (rate / wanted), len(face) - 1)
    low = at.astype(np.int64)
    part = (at - low).astype(np.float32).reshape(-1, *(1,) * (face.ndim - 1))
    return np.asarray(face[low] * (1 - part) + face[np.minimum(low + 1, len(face) - 1)] * part, np.float32)


def genders(clips: Sequence[SubjectClip]) -> dict[str, str]:
    """Subject -> gender. ModelError when two clips of one subject disagree."""
    found: dict[str, str] = {}
    for clip in clips:
        if found.setdefault(clip.subject, clip.gender) != clip.gender:
            raise ModelError(
                f"clip {clip.name}: subject {clip.subject!r} is {clip.gender!r} here and {found[clip.subject]!r} "
                "elsewhere"
            )
    return found
