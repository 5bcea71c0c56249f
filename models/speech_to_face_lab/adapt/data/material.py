"""The training tracks of an adaptation: the actor's takes, and the untouched network's answers to other voices.

A network trained on one actor alone becomes worse for all others. So half of every batch shows the network its own
answers to other voices: speech of others where there is some, and always the takes themselves, played so much slower
and faster that they sound like other speakers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError, Samples
from speech_to_face.streaming.features import SAMPLE_RATE, LogMel
from speech_to_face_lab.adapt.data.takes import Curves, Take
from speech_to_face_lab.adapt.data.untouched import Answer, UntouchedNetwork, closing
from speech_to_face_lab.corpus.augment import NOISES, babble, no_speech, resped, through
from speech_to_face_lab.corpus.captures.faces import REST_QUANTILE, followed
from speech_to_face_lab.corpus.captures.sound import FULL_SCALE, SUFFIXES, read_sound
from speech_to_face_lab.corpus.visemes import held as sealing
from speech_to_face_lab.tracks import About, Piece, read_tracks, whole_grains, write_track
from speech_to_face_lab.training.data.mixing import BANK_SCALE, power_of
from speech_to_face_lab.training.prepare import CAPTURED_RATES, with_pauses

TAKES, KEPT = "takes", "kept"
"""Groups of tracks."""
OTHER_RATES = (0.75, 1.33)
"""Speeds outside those at which a take is trained."""
COPIES = 2
MOVES = 0.005
"""Least standard deviation of a channel that the takes carry."""
MAX_OTHERS_S = 1800.0
"""Most speech of other people, in seconds; more adds minutes and little else."""
NOISE_CHUNKS, CHUNK_S = 6, 10
SOUNDS = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Converts captured faces to training targets."""

    rest: NDArray[np.float32]
    """(32,) the actor's neutral face."""
    carried: NDArray[np.bool_]
    """(32,) the channels that the takes carry; the others stay as the network has them."""

    @classmethod
    def of(cls, takes: Sequence[Take]) -> Targets:
        """Targets of the takes: their neutral face, and the channels that move."""
        frames = np.concatenate([take.curves for take in takes])
        return cls(np.quantile(frames, REST_QUANTILE, axis=0).astype(np.float32), frames.std(0) >= MOVES)

    def mouth(self, captured: Curves, own: Curves) -> Curves:
        """Captured channels above neutral, the network's own where the takes carry none; (frames, 32) both."""
        above = np.clip((captured - self.rest) / np.maximum(1 - self.rest, 1e-3), 0, 1)
        return np.where(self.carried, above, own).astype(np.float32)


def write_takes(
    folder: Path,
    takes: Sequence[Take],
    held: bool,
    untouched: UntouchedNetwork,
    targets: Targets,
    on_take: Callable[[], None],
) -> None:
    """Write the takes end to end: as they are, and for training also at other speeds, in rooms and through codecs."""
    rng = np.random.default_rng(1)

    def pieces() -> Iterator[Piece]:
        for copy in range(1 if held else COPIES):
            for at in rng.permutation(len(takes)):
                yield shown(
                    takes[at],
                    float(rng.uniform(*CAPTURED_RATES)) if copy else 1.0,
                    untouched,
                    targets,
                    rng if copy else None,
                )
                on_take()

    write_track(
        folder, f"{TAKES}-{'held' if held else 0}", About(TAKES, rig=TAKES, held=held), with_pauses(pieces(), rng)
    )


def shown(
    take: Take, rate: float, untouched: UntouchedNetwork, targets: Targets, rng: np.random.Generator | None
) -> Piece:
    """A take at `rate` times its speed; without a generator its audio is not changed."""
    sound = resped(take.samples, rate) if rate != 1 else take.samples
    answer = untouched.answer(sound)
    mouth = targets.mouth(followed(take.curves, len(answer.curves), rate), answer.curves)
    for phone in closing(
        answer.labels
    ):  # trackers rarely measure fully closed lips, and lips that are open in the targets never close again
        mouth = sealing(mouth, (phone,))
    return _piece(through(sound, rng) if rng else sound, mouth, answer)


def write_kept(
    folder: Path,
    takes: Sequence[Take],
    others: Sequence[Path],
    untouched: UntouchedNetwork,
    on_sound: Callable[[], None],
) -> None:
    """The network's own answers to other voices."""
    rng = np.random.default_rng(2)

    def pieces() -> Iterator[Piece]:
        for sound in other_voices(takes, others, rng):
            answer = untouched.answer(sound)
            yield _piece(through(sound, rng), answer.curves, answer)
            on_sound()

    write_track(folder, f"{KEPT}-0", About(KEPT, rig=KEPT), with_pauses(pieces(), rng))


def other_voices(takes: Sequence[Take], others: Sequence[Path], rng: np.random.Generator) -> Iterator[Samples]:
    """Write the takes as two other voices, and recordings of others, at most half an hour of them."""
    for take in takes:
        for rate in OTHER_RATES:
            yield resped(take.samples, rate * float(rng.uniform(0.95, 1.05)))
    heard_s = 0.0
    for at in rng.permutation(len(others)):
        if heard_s >= MAX_OTHERS_S:
            break
        # Half of another speaker's recording is as good as the whole.
        samples = read_sound(others[at], allow_cut=True)[: round((MAX_OTHERS_S - heard_s) * SAMPLE_RATE)]
        sound = samples.astype(np.float32) / np.float32(FULL_SCALE)
        heard_s += len(sound) / SAMPLE_RATE
        yield sound


def _piece(sound: Samples, mouth: Curves, answer: Answer) -> Piece:
    frames = min(len(mouth), len(answer.labels))
    return whole_grains(sound, mouth[:frames], answer.labels[:frames], answer.sealed[:frames])


def sounds_in(folder: Path | None) -> list[Path]:
    """Audio files in a folder and below. ModelError where there are none."""
    if folder is None:
        return []
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise ModelError(
            f"--others {folder}: no audio files there, expected {', '.join(SUFFIXES[:3])} files with speech of other "
            "people"
        )
    return found


def write_noises(folder: Path, takes: Sequence[Take]) -> None:
    """A small bank of noises, and of many talkers at once made of the takes, as `examples.read_noises` reads them."""
    rng = np.random.default_rng(3)
    chunks = [no_speech(SAMPLE_RATE * CHUNK_S, kind, rng) for kind in NOISES for _ in range(NOISE_CHUNKS)]
    np.save(folder / "noise.npy", _power(chunks))
    speech = np.concatenate([take.samples for take in takes])
    crowd = [babble([_excerpt(speech, rng) for _ in range(5)], rng) for _ in range(NOISE_CHUNKS)]
    np.save(folder / "babble.npy", _power(crowd))


def _excerpt(speech: SOUNDS, rng: np.random.Generator) -> SOUNDS:
    """Ten seconds from anywhere, at another speed."""
    start = int(rng.integers(0, len(speech)))
    return np.resize(
        resped(np.resize(speech[start:], SAMPLE_RATE * CHUNK_S), float(rng.uniform(0.8, 1.25))), SAMPLE_RATE * CHUNK_S
    )


def _power(chunks: Sequence[SOUNDS]) -> NDArray[np.float16]:
    mel = LogMel()
    return np.concatenate([power_of(mel.push(chunk)) / BANK_SCALE for chunk in chunks]).astype(np.float16)


def whole(folder: Path) -> bool:
    """True if all tracks were written."""
    try:
        names = {track.name for held in (False, True) for track in read_tracks(folder, held)}
    except (ValueError, OSError):
        return False
    return names == {f"{TAKES}-0", f"{TAKES}-held", f"{KEPT}-0"} and (folder / "babble.npy").exists()
