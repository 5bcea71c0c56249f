"""One sound to one take, the same bytes whoever does it: what every engine of a batch runs.

An engine loads `WorkerContext` once in each of its processes and calls `convert_one` for each sound. A take depends on
the sound's bytes and the recipe alone, not on its name, its place or the order, so that any engine, a resumed run and
an unbroken one write the same.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from arkit_mapping.character.character import Character
from arkit_mapping.whole_file import Partial, parse_partial
from livelink_bridge.batch.watched import Curves, WatchedFace
from livelink_bridge.errors import BridgeError, SourceError
from livelink_bridge.takes.placed_audio import place_sound
from speech_to_face.base import ModelError

if TYPE_CHECKING:
    from livelink_bridge.analysis.phones import PhoneRecognizer
    from speech_to_face.base import SpeechToFace

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
"""What a system says of a disk that takes no more: then no other take has room either."""


class Task(NamedTuple):
    """A sound and where its take goes."""

    sound: Path
    out: Path
    name: str
    """Of the take below the folder of takes, with slashes: its key in the manifest."""
    placed: str | None = None
    """The sha256 of the .wav that an earlier run put beside the take: it may be replaced."""


_NOT_IN_KEY = {"key": False}
"""Metadata of a field of `Recipe` that leaves takes the same, or whose hash is in the key in its place."""


@dataclass(frozen=True)
class Recipe:
    """Everything but the sound that a take depends on. Picklable; no file of it is read again but the model and the
    picture."""

    model: str = field(metadata=_NOT_IN_KEY)
    """A shipped model's name, its look-ahead settled, or a folder."""
    model_sha256: str
    device: str = field(default="cpu", metadata=_NOT_IN_KEY)
    """Where the model runs: cpu, cuda or mps. Devices differ by rounding only."""
    tongue: bool = False
    style: str | None = None
    reference_face: str | None = field(default=None, metadata=_NOT_IN_KEY)
    reference_sha256: str | None = None
    character: Character = field(default=Character(), metadata=_NOT_IN_KEY)
    """Read once, when the batch begins: it may be worked on meanwhile."""
    character_sha256: str | None = None
    """Of the file it came from; None without one."""
    mood: str = "neutral"
    liveliness: bool = True
    head_motion: bool = False
    seed: int = 0
    """Joined with the sound's hash: another one gives every sound another face."""
    version: str = ""
    """Of the program."""
    allow_cut: bool = field(default=False, metadata=_NOT_IN_KEY)
    """Whether what there is of a sound that ends early is taken. The takes of the others are the same."""
    scored: bool = field(default=False, metadata=_NOT_IN_KEY)
    """Whether lips are measured at every p, b and m that is heard."""
    with_sound: bool = field(default=False, metadata=_NOT_IN_KEY)
    """Whether the sound is put beside the take."""

    def key(self) -> str:
        """64 hex digits: the same for recipes that make the same takes, wherever their files lie."""
        return self._key

    @cached_property  # asked for once for every sound
    def _key(self) -> str:
        parts = {part.name: getattr(self, part.name) for part in fields(self) if part.metadata.get("key", True)}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class WorkerContext:
    """What one process loads once."""

    model: SpeechToFace
    recognizer: PhoneRecognizer | None = None
    """Tells the phones; None where lips are not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one sound. Picklable; JSON through `asdict`."""

    error: str | None = None
    """One line why there is no take; everything below is then empty."""
    no_room: bool = False
    """The disk is full: an engine stops giving out work."""
    sound_sha256: str = ""
    sound_stamp: str = ""
    """See `stamp_of`."""
    take_sha256: str = ""
    take_stamp: str = ""
    placed_sha256: str = ""
    """Of the .wav that was put beside the take; empty where none was."""
    seconds: float = 0.0
    """Of sound."""
    poses: int = 0
    """Rows of the take."""
    level_dbfs: float = -120.0
    """RMS of the whole sound."""
    speech: float = 0.0
    """Share of it that is as loud as speech there, 0 to 1; see `watched.speech_share`."""
    sealed: int = 0
    closures: int | None = None
    """p, b and m that were heard, and at how many of them the lips met; None where nobody listened."""
    warnings: tuple[str, ...] = ()
    curves: Curves = Curves()

    @property
    def closure_score(self) -> float | None:
        """Share of heard p, b and m at which the lips met; None without any."""
        return self.sealed / self.closures if self.closures else None


Part = Callable[[Task, float], None]
"""Told how far a sound is, 0 to 1."""


class Engine(Protocol):
    """Who does the work."""

    def __call__(self, works: Iterable[Task], recipe: Recipe, on_part: Part) -> Iterator[tuple[Task, Outcome]]:
        """Do it and give what became of each, in any order, as it is done. `works` is taken from no faster than it is
        done, and by the thread that iterates.

        Closing the iterator, which an interrupt does, ends what is under way and leaves no partial take. After an
        outcome with `no_room` no more work is begun. A process that dies costs its sound another try, then an outcome
        with an error. Raises BridgeError, before anything is done, where the recipe cannot be loaded. `on_part` may
        never be called.
        """
        ...


Load = Callable[[Recipe], WorkerContext]
"""What an engine loads its tools with: `load_tools`, or a stand-in of the same kind that pickles by its name."""


def load_tools(recipe: Recipe) -> WorkerContext:
    """Load what `convert_one` needs, once in a process: a batch has one for every core, so networks run on one thread.

    Raises ModelError, BridgeError.
    """
    from speech_to_face.loading import load_model

    model = load_model(recipe.model, recipe.device, recipe.reference_face, recipe.style, recipe.tongue, block_threads=1)
    if not recipe.scored:
        return WorkerContext(model)
    from livelink_bridge.analysis.phones import phone_network

    try:
        return WorkerContext(model, phone_network(recipe.model, block_threads=1))
    except ModelError:  # a network that tells no phones still moves a face
        return WorkerContext(model)


def convert_one(
    sound: Path,
    out: Path,
    recipe: Recipe,
    tools: WorkerContext,
    on_part: Callable[[float], None] = lambda _part: None,
    *,
    placed: str | None = None,
) -> Outcome:
    """Write the take of `sound` to `out`, whole or not at all, in memory that does not grow with it; `placed` is as in
    `Task`.

    Its timecode counts from 0. Never raises for what one file is like: that is the outcome's `error`.
    """
    try:
        return _converted(sound, out, recipe, tools, on_part, placed)
    except BridgeError as error:
        return Outcome(error=str(error), no_room=is_full(error))
    except OSError as error:
        return Outcome(error=f"{sound}: {error.strerror or error}", no_room=is_full(error))
    except ModelError as error:
        return Outcome(error=f"{sound}: {error}")
    except (
        Exception
    ) as error:  # a mistake of ours, or of a library, that one odd file brings to light must not cost the others
        return Outcome(error=f"{sound}: this is a bug: {type(error).__name__}: {error}")


def stamp_of(path: Path) -> str:
    """Changes with a file's content, cheaply: its size and times. A copy of it has another one. Raises OSError."""
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def sha256_of(path: Path) -> str:
    """64 hex digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seed_of(sound_sha256: str, seed: int) -> int:
    """What liveliness is seeded with."""
    return int(hashlib.sha256(f"{seed} {sound_sha256}".encode()).hexdigest()[:16], 16)


def partials(folder: Path) -> dict[Path, Partial]:
    """Half-written takes, and sounds of takes, that lie in a folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    found = {name: parse_partial(name) for name in names}
    return {
        folder / name: partial for name, partial in found.items() if partial and partial.name.endswith((".csv", ".wav"))
    }


def clear_partials(out: Path) -> None:
    """Remove what a process that died left of a take."""
    for path, (take, _) in partials(out.parent).items():
        if Path(take).stem == out.stem:
            path.unlink(missing_ok=True)


def is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def _converted(
    sound: Path, out: Path, recipe: Recipe, tools: WorkerContext, on_part: Callable[[float], None], placed: str | None
) -> Outcome:
    from livelink_bridge.session.offline import convert_file

    stamp, digest = _read_once(sound)
    face = _face(recipe, digest, lips=tools.recognizer is not None)
    odd: list[str] = []
    wav: Path | None = None

    def place() -> None:
        nonlocal wav
        wav = place_sound(sound, out, placed) if recipe.with_sound else None

    summary = convert_file(
        sound,
        out,
        tools.model,
        face,
        allow_cut=recipe.allow_cut,
        say=odd.append,
        before_naming=place,
        on_progress=on_part,
    )
    phones = _heard(sound, tools, recipe.allow_cut)
    stamp, before = stamp_of(sound), stamp
    if stamp != before and sha256_of(sound) != digest:  # a second name alone changes the stamp too
        for made in filter(None, (out, wav)):
            made.unlink(missing_ok=True)
        raise SourceError(f"{sound} changed while it was converted; run again when it is finished")
    sealed, closures = face.lips_met(phones) if phones is not None else (0, None)
    return Outcome(
        sound_sha256=digest,
        sound_stamp=stamp,
        take_sha256=sha256_of(out),
        take_stamp=stamp_of(out),
        placed_sha256="" if wav is None else sha256_of(wav),
        seconds=summary.seconds,
        poses=summary.sent,
        level_dbfs=face.level_dbfs,
        speech=face.speech_share,
        sealed=sealed,
        closures=closures,
        warnings=(
            *(line.removeprefix(f"{sound}").lstrip(": ") for line in odd),
            *face.warnings(summary.seconds, summary.bad_poses, sealed, closures),
        ),
        curves=face.curves(),
    )


def _read_once(sound: Path) -> tuple[str, str]:
    """Stamp and hash of a sound. Raises SourceError for what is no file: opening a pipe would wait for ever."""
    try:
        found = sound.stat()
    except FileNotFoundError:
        raise SourceError(f"{sound}: no such file") from None
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"{sound} is not a file, expected an audio file")
    return stamp_of(sound), sha256_of(sound)


def _face(recipe: Recipe, sound_sha256: str, *, lips: bool) -> WatchedFace:
    from arkit_mapping.liveliness import HeadMotion, Liveliness
    from arkit_mapping.liveliness.moods import Mood

    head = HeadMotion() if recipe.head_motion else None
    alive = Liveliness(seed_of(sound_sha256, recipe.seed), head=head) if recipe.liveliness else None
    return WatchedFace(recipe.character, liveliness=alive, mood=Mood.parse(recipe.mood), lips=lips)


def _heard(sound: Path, tools: WorkerContext, allow_cut: bool) -> list[tuple[float, float]] | None:
    """Start and end, seconds, of every p, b and m of a sound; None where nobody listens."""
    if tools.recognizer is None:
        return None
    from livelink_bridge.analysis.lip_closures import BILABIAL
    from livelink_bridge.analysis.phones import recognize_file

    return [
        (phone.start_s, phone.end_s)
        for phone in recognize_file(sound, tools.recognizer, allow_cut=allow_cut)
        if phone.label in BILABIAL
    ]
