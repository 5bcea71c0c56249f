"""Makes training tracks: `python -m speech_to_face_lab.training.prepare --corpus DIR [--captures DIR --alignments FILE]
--out DIR`.

Stops and resumes track by track. Every voice is written several times, each time at other speeds, in other rooms,
through other codecs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.whole_file import whole_file
from speech_to_face.phones import Phone
from speech_to_face.streaming.features import LogMel, frame_count
from speech_to_face_lab.corpus import captures
from speech_to_face_lab.corpus.augment import NOISES, RATES, babble, no_speech, resped, through
from speech_to_face_lab.corpus.captures import Capture
from speech_to_face_lab.corpus.captures.faces import Faces, followed
from speech_to_face_lab.corpus.engines import SAMPLE_RATE
from speech_to_face_lab.corpus.store import Clip, as_float, read_voice, voices
from speech_to_face_lab.corpus.visemes import curves, held, labels, loudness_db, sealed
from speech_to_face_lab.tracks import UNKNOWN, About, Piece, pause, whole_grains, write_track
from speech_to_face_lab.training.data.mixing import BANK_SCALE, power_of
from speech_to_face_lab.training.edge import one_line

HELD_OUT = 50
"""Every fiftieth clip of a synthetic voice is held out for validation."""
HELD_SPEAKERS = 12
"""Every twelfth real speaker is held out for validation, with all recordings."""
CAPTURED_RATES = (0.9, 1.12)
"""Speeds of captured faces, narrower than a synthetic voice's: a captured mouth has its own speed."""
NOISE_SECONDS = 240
OFTEN = {"tones": 3}
"""Kinds of noise with a larger share of the bank: music has the pitch and the onsets of a voice, and is the hardest to
distinguish."""
BABBLE_VOICES = 5
REST = np.asarray(curves((Phone("SIL", 0.0, 1.0),), 1)[0], np.float32)


def faster(phones: tuple[Phone, ...], rate: float) -> tuple[Phone, ...]:
    """The phones of audio that is played `rate` times as fast."""
    return tuple(Phone(p.name, p.start_s / rate, p.end_s / rate) for p in phones)


def spoken(
    samples: NDArray[np.float32], phones: tuple[Phone, ...], rate: float, rng: np.random.Generator | None
) -> Piece:
    """A clip whose mouth follows from its phones, at `rate` times its speed; without a generator the audio is not
    changed."""
    sound, phones = (resped(samples, rate) if rate != 1 else samples), faster(phones, rate)
    frames = frame_count(len(sound))
    mouth = curves(phones, frames, loudness_db(sound, frames))
    return whole_grains(through(sound, rng) if rng else sound, mouth, labels(phones, frames), sealed(phones, frames))


def shown(
    capture: Capture, phones: tuple[Phone, ...], faces: Faces, rate: float, rng: np.random.Generator | None
) -> Piece:
    """A clip with a captured face, at `rate` times its speed. Where phones are known, lips seal and unmeasured channels
    follow rules."""
    sound = resped(as_float(capture.samples), rate) if rate != 1 else as_float(capture.samples)
    frames, phones = frame_count(len(sound)), faster(phones, rate)
    measured = followed(faces.of(capture), frames, rate)
    if phones:
        ruled = curves(phones, frames, loudness_db(sound, frames))
        mouth, said, seal = (
            held(np.where(np.isnan(measured), ruled, measured), phones),
            labels(phones, frames),
            sealed(phones, frames),
        )
    else:
        mouth, said, seal = measured, np.full(frames, UNKNOWN), np.zeros(frames, np.float32)
    return whole_grains(through(sound, rng) if rng else sound, mouth, said, seal)


def track_name(start: str, copy: int) -> str:
    """Copy -1 is the held-out one."""
    return f"{start}-held" if copy < 0 else f"{start}-{copy}"


def with_pauses(pieces: Iterator[Piece], rng: np.random.Generator) -> Iterator[Piece]:
    """Pieces with silence before each: mostly short, sometimes long enough to return to neutral."""
    for piece in pieces:
        yield pause(rng.uniform(0.05, 0.5) if rng.random() < 0.8 else rng.uniform(0.5, 1.5), REST)
        yield piece


def voice_track(folder: Path, voice: str, copy: int, out: Path) -> int:
    """One voice of the corpus; copy -1 holds the held-out clips, untouched."""
    rng = np.random.default_rng([crc32(voice.encode()), max(copy, 0)])
    clips = [c for i, c in enumerate(read_voice(folder, voice)) if c.phones and (i % HELD_OUT == 0) == (copy < 0)]
    about = About("formant" if voice.startswith("espeak") else "recorded", held=copy < 0)
    rng.shuffle(clips)

    def pieces(clip: Clip) -> Piece:
        rate = 1.0 if copy < 0 else float(rng.uniform(*RATES))
        return spoken(as_float(clip.samples), clip.phones, rate, rng if copy >= 0 else None)

    return write_track(out, track_name(voice, copy), about, with_pauses((pieces(clip) for clip in clips), rng))


def people_track(group: str, rows: list[tuple[Capture, tuple[Phone, ...]]], copy: int, out: Path, faces: Faces) -> int:
    """Real speech of one group; with captured faces where the group has them."""
    rng = np.random.default_rng([crc32(group.encode()), max(copy, 0), 7])
    about = About(group, rig=rows[0][0].rig or "rules", held=copy < 0)

    def pieces() -> Iterator[Piece]:
        for at in rng.permutation(len(rows)):
            capture, phones = rows[at]
            effects = rng if copy >= 0 else None
            if capture.curves is not None:
                yield shown(capture, phones, faces, 1.0 if copy < 0 else float(rng.uniform(*CAPTURED_RATES)), effects)
            else:
                yield spoken(
                    _levelled(capture.samples), phones, 1.0 if copy < 0 else float(rng.uniform(*RATES)), effects
                )

    return write_track(out, track_name(f"real-{group}", copy), about, with_pauses(pieces(), rng))


def _levelled(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Normalised to the corpus's peak."""
    sound = as_float(samples)
    return sound * np.float32(0.7 / max(float(np.abs(sound).max()), 1e-3))


def grouped(folder: Path, alignments: Path) -> dict[tuple[str, bool], list[tuple[Capture, tuple[Phone, ...]]]]:
    """(group, held out) -> captures with their aligned phones; speech without a face needs phones, a face does not.

    Speakers of the clips that judge phones are left out entirely: they must be unseen.
    """
    aligned = json.loads(alignments.read_text(encoding="utf-8"))["clips"]
    groups: dict[tuple[str, bool], list[tuple[Capture, tuple[Phone, ...]]]] = {}
    found = list(captures.load("manifest", folder))
    judges = {capture.speaker for capture in found if capture.held_out and capture.curves is None}
    for capture in found:
        if capture.curves is None and capture.speaker in judges:
            continue
        row = aligned.get(capture.name, {})
        known = row.get("kept", False) and row["kind"] != "decoded"
        phones = tuple(Phone(*p) for p in row["phones"]) if known else ()
        if capture.curves is None and not phones:
            continue
        group = capture.rig or ("people-zh" if capture.language.startswith("zh") else "people")
        apart = capture.held_out or (capture.curves is None and crc32(capture.speaker.encode()) % HELD_SPEAKERS == 0)
        groups.setdefault((group, apart), []).append((capture, phones))
    return groups


def write_noises(corpus: Path, out: Path) -> None:
    """The noise bank: power features at 0 dBFS RMS, every kind several times, and many voices at once."""
    rng, chunks = np.random.default_rng(0), []
    for kind in NOISES:
        chunks += [no_speech(SAMPLE_RATE * 10, kind, rng) for _ in range(OFTEN.get(kind, 1) * NOISE_SECONDS // 10)]
    _save(out / "noise.npy", _power(chunks))
    talkers = [
        as_float(np.concatenate([c.samples for c in read_voice(corpus, voice)[:60]])) for voice in voices(corpus)[::4]
    ]
    many = min(BABBLE_VOICES, len(talkers))
    some = [[_excerpt(talkers[i], rng) for i in rng.choice(len(talkers), many, replace=False)] for _ in range(24)]
    _save(out / "babble.npy", _power([babble(group, rng) for group in some]))


def _save(path: Path, values: NDArray[np.float16]) -> None:
    """Written to a part file and renamed: a bank that exists is complete."""
    with whole_file(path, ending=".npy") as part:  # numpy adds the ending where it lacks
        np.save(part, values)


def _excerpt(sound: NDArray[np.float32], rng: np.random.Generator, seconds: int = 10) -> NDArray[np.float32]:
    count = seconds * SAMPLE_RATE
    start = int(rng.integers(0, max(1, len(sound) - count)))
    return np.resize(sound[start : start + count], count)


def _power(chunks: list[NDArray[np.float32]]) -> NDArray[np.float16]:
    """Power features of sounds at 0 dBFS RMS."""
    mel = LogMel()
    return np.concatenate([power_of(mel.push(chunk)) / BANK_SCALE for chunk in chunks]).astype(np.float16)


@dataclass(frozen=True, slots=True)
class PrepareOptions:
    """Options of the tracks."""

    corpus: Path
    """Folder made by `python -m speech_to_face_lab.corpus`."""
    out: Path
    """Folder of the tracks."""
    captures: Path | None = None
    """Folder of real speech with manifests."""
    alignments: Path | None = None
    """Phones of the real speech, made by `python -m speech_to_face_lab.corpus.align`."""
    copies: int = 2
    """Times every synthetic voice is written."""
    real_copies: int = 5
    """Times real speech is written."""
    jobs: int = 1
    """Processes."""


def jobs(chosen: PrepareOptions) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """(track name, function, arguments) of everything that is to be made."""
    for voice in voices(chosen.corpus):
        for copy in range(-1, chosen.copies):
            yield track_name(voice, copy), voice_track, (chosen.corpus, voice, copy, chosen.out)
    if chosen.captures and chosen.alignments:
        groups = grouped(chosen.captures, chosen.alignments)
        faces = Faces.of_all([capture for (_, apart), rows in groups.items() if not apart for capture, _ in rows])
        for (group, apart), rows in groups.items():
            for copy in [-1] if apart else range(chosen.real_copies):
                yield track_name(f"real-{group}", copy), people_track, (group, rows, copy, chosen.out, faces)


def options() -> PrepareOptions:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder made by python -m speech_to_face_lab.corpus")
    parser.add_argument("--captures", type=Path, help="folder of real speech with manifests")
    parser.add_argument(
        "--alignments", type=Path, help="phones of the real speech, made by python -m speech_to_face_lab.corpus.align"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the tracks")
    parser.add_argument("--copies", type=int, default=2, help="times every synthetic voice is laid down (default 2)")
    parser.add_argument("--real-copies", type=int, default=5, help="times real speech is laid down (default 5)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    chosen = parser.parse_args()
    if bool(chosen.captures) != bool(chosen.alignments):
        parser.error("--captures and --alignments go together")
    return PrepareOptions(**vars(chosen))


def main() -> None:
    """The command."""
    chosen = options()
    with one_line():
        prepare(chosen)


def prepare(chosen: PrepareOptions) -> None:
    """Make the tracks that are missing. ValueError for a folder without voices."""
    if not voices(chosen.corpus):
        raise ValueError(
            f"{chosen.corpus}: no voices there, expected a folder made by python -m speech_to_face_lab.corpus"
        )
    chosen.out.mkdir(parents=True, exist_ok=True)
    if not (chosen.out / "babble.npy").exists():
        write_noises(chosen.corpus, chosen.out)
    missing = [job for job in jobs(chosen) if not (chosen.out / f"{job[0]}.json").exists()]
    if not missing:
        return
    frames = 0
    with ProcessPoolExecutor(chosen.jobs) as pool, Progress() as progress:
        task = progress.add_task("tracks", total=len(missing))
        for done in as_completed([pool.submit(make, *arguments) for _, make, arguments in missing]):
            frames += done.result()
            progress.update(task, advance=1, description=f"tracks {frames / FRAME_RATE / 3600:.1f} h")


if __name__ == "__main__":
    main()
