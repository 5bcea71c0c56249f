"""Converts one audio file to one take. Every engine of a batch runs this, and all write the same bytes.

An engine loads a `WorkerContext` once per process and calls `convert_one` for each file. A take depends only on the
audio file's bytes and the recipe, not on its name, folder or order: any engine, and a resumed run, write the same take.
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
from livelink_bridge.batch.measured_face import Curves, MeasuredFace
from livelink_bridge.errors import BridgeError, SourceError
from livelink_bridge.takes.placed_audio import place_sound
from speech_to_face.base import ModelError

if TYPE_CHECKING:
    from livelink_bridge.analysis.phones import PhoneRecognizer
    from speech_to_face.base import SpeechToFace

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
"""Errors of a disk that cannot be written: no other take can be written either."""


class Task(NamedTuple):
    """An audio file and the path of its take."""

    sound: Path
    out: Path
    name: str
    """Path of the take relative to the folder of takes, with slashes: its key in the manifest."""
    placed: str | None = None
    """SHA-256 of the .wav that an earlier run put beside the take, which may be replaced; None without one."""


_NOT_IN_KEY = {"key": False}
"""Metadata of a field of `Recipe` that does not change takes, or that the key contains as a hash in another field."""


@dataclass(frozen=True)
class Recipe:
    """Everything a take depends on, except the audio. Picklable. Workers read only the model and the picture of the
    face from disk."""

    model: str = field(metadata=_NOT_IN_KEY)
    """A shipped model's name, including its look-ahead, or a folder."""
    model_sha256: str
    device: str = field(default="cpu", metadata=_NOT_IN_KEY)
    """cpu, cuda or mps. Results on different devices differ by rounding only."""
    tongue: bool = False
    style: str | None = None
    reference_face: str | None = field(default=None, metadata=_NOT_IN_KEY)
    reference_sha256: str | None = None
    character: Character = field(default=Character(), metadata=_NOT_IN_KEY)
    """Read once, at the start of the batch: the file may be edited meanwhile."""
    character_sha256: str | None = None
    """Hash of its file; None without one."""
    mood: str = "neutral"
    liveliness: bool = True
    head_motion: bool = False
    seed: int = 0
    """Combined with the audio file's hash: another seed changes the liveliness of every take."""
    version: str = ""
    """Version of the program."""
    allow_cut: bool = field(default=False, metadata=_NOT_IN_KEY)
    """Whether to convert a file that is shorter than its header says. Takes of other files are not affected."""
    scored: bool = field(default=False, metadata=_NOT_IN_KEY)
    """Whether to measure the lips at every recognized p, b and m."""
    with_sound: bool = field(default=False, metadata=_NOT_IN_KEY)
    """Whether to put the audio beside the take."""

    def key(self) -> str:
        """64 hex digits, equal for recipes that make the same takes, wherever their files lie."""
        return self._key

    @cached_property  # read once per audio file
    def _key(self) -> str:
        parts = {part.name: getattr(self, part.name) for part in fields(self) if part.metadata.get("key", True)}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class WorkerContext:
    """The networks that a process loads once."""

    model: SpeechToFace
    recognizer: PhoneRecognizer | None = None
    """Phone recognizer; None if lips are not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one task. Picklable; JSON through `asdict`."""

    error: str | None = None
    """Why there is no take, one line; the fields below are then empty. None on success."""
    no_room: bool = False
    """Whether the disk is full: an engine then starts no further task."""
    sound_sha256: str = ""
    sound_stamp: str = ""
    """See `stamp_of`."""
    take_sha256: str = ""
    take_stamp: str = ""
    placed_sha256: str = ""
    """Hash of the .wav put beside the take; empty without one."""
    seconds: float = 0.0
    """Length of the audio, seconds."""
    poses: int = 0
    """Rows of the take."""
    level_dbfs: float = -120.0
    """RMS of the whole recording, dBFS."""
    speech: float = 0.0
    """Share of frames at speech level, 0 to 1; see `MeasuredFace.speech_share`."""
    sealed: int = 0
    """At how many of `closures` the lips closed."""
    closures: int | None = None
    """Number of recognized p, b and m; None if lips were not measured."""
    warnings: tuple[str, ...] = ()
    curves: Curves = Curves()

    @property
    def closure_score(self) -> float | None:
        """Share of recognized p, b and m at which the lips closed; None without any."""
        return self.sealed / self.closures if self.closures else None


OnProgress = Callable[[Task, float], None]
"""Called with a task and its progress, 0 to 1."""


class Engine(Protocol):
    """Runs tasks in parallel."""

    def __call__(
        self, tasks: Iterable[Task], recipe: Recipe, on_progress: OnProgress
    ) -> Iterator[tuple[Task, Outcome]]:
        """Run the tasks; yields each outcome when it is ready, in any order.

        Closing the iterator, as Ctrl-C does, ends running tasks and leaves no partial take. After an outcome with
        `no_room` no further task is started. If a worker process dies, its task is tried again, then ends in an outcome
        with an error.

        Parameters
        ----------
        tasks : read lazily, by the iterating thread, as workers become free
        recipe : what the takes depend on
        on_progress : called for long files; an engine may never call it

        Raises BridgeError, before any task, if the recipe cannot be loaded.
        """
        ...


Load = Callable[[Recipe], WorkerContext]
"""How an engine loads a worker's context: `load_context`, or a test's function that pickles by name."""


def load_context(recipe: Recipe) -> WorkerContext:
    """Load the networks that `convert_one` needs. A batch has one process per core, so each network runs on one thread.

    Raises ModelError, BridgeError.
    """
    from speech_to_face.loading import load_model

    model = load_model(recipe.model, recipe.device, recipe.reference_face, recipe.style, recipe.tongue, block_threads=1)
    if not recipe.scored:
        return WorkerContext(model)
    from livelink_bridge.analysis.phones import phone_network

    try:
        return WorkerContext(model, phone_network(recipe.model, block_threads=1))
    except ModelError:  # a network without a phone output still animates
        return WorkerContext(model)


def convert_one(
    sound: Path,
    out: Path,
    recipe: Recipe,
    context: WorkerContext,
    on_progress: Callable[[float], None] = lambda _part: None,
    *,
    placed: str | None = None,
) -> Outcome:
    """Write the take of an audio file, atomically and in constant memory. Its timecode counts from 0.

    Parameters
    ----------
    sound, out, placed : as in `Task`
    recipe : what the take depends on
    context : the loaded networks
    on_progress : called with the progress, 0 to 1

    Returns
    -------
    the outcome. A file that cannot be converted is its `error`, never an exception.
    """
    try:
        return _converted(sound, out, recipe, context, on_progress, placed)
    except BridgeError as error:
        return Outcome(error=str(error), no_room=is_disk_full(error))
    except OSError as error:
        return Outcome(error=f"{sound}: {error.strerror or error}", no_room=is_disk_full(error))
    except ModelError as error:
        return Outcome(error=f"{sound}: {error}")
    except (
        Exception
    ) as error:  # a mistake of ours, or of a library, that one notes file brings to light must not cost the others
        return Outcome(error=f"{sound}: this is a bug: {type(error).__name__}: {error}")


def stamp_of(path: Path) -> str:
    """Size and times of a file, a cheap sign of a changed content. A copy has another stamp. Raises OSError."""
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def sha256_of(path: Path) -> str:
    """Hash of a file, 64 hex digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seed_of(sound_sha256: str, seed: int) -> int:
    """The seed of liveliness, from the audio file's hash and the setting `seed`."""
    return int(hashlib.sha256(f"{seed} {sound_sha256}".encode()).hexdigest()[:16], 16)


def partials(folder: Path) -> dict[Path, Partial]:
    """Partially written takes and audio files in a folder, by path."""
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    found = {name: parse_partial(name) for name in names}
    return {
        folder / name: partial for name, partial in found.items() if partial and partial.name.endswith((".csv", ".wav"))
    }


def clear_partials(out: Path) -> None:
    """Remove the partial files that a dead process left of a take."""
    for path, (take, _) in partials(out.parent).items():
        if Path(take).stem == out.stem:
            path.unlink(missing_ok=True)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, is a full or read-only disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def _converted(
    sound: Path,
    out: Path,
    recipe: Recipe,
    context: WorkerContext,
    on_progress: Callable[[float], None],
    placed: str | None,
) -> Outcome:
    from livelink_bridge.session.offline import convert_file

    stamp, digest = _stamp_and_hash(sound)
    face = _face(recipe, digest, lips=context.recognizer is not None)
    notes: list[str] = []
    wav: Path | None = None

    def place() -> None:
        nonlocal wav
        wav = place_sound(sound, out, placed) if recipe.with_sound else None

    summary = convert_file(
        sound,
        out,
        context.model,
        face,
        allow_cut=recipe.allow_cut,
        say=notes.append,
        before_naming=place,
        on_progress=on_progress,
    )
    phones = _bilabial_times(sound, context, recipe.allow_cut)
    stamp, before = stamp_of(sound), stamp
    if stamp != before and sha256_of(sound) != digest:  # a second name alone changes the stamp too
        for made in filter(None, (out, wav)):
            made.unlink(missing_ok=True)
        raise SourceError(f"{sound} changed while it was converted; run again when it is finished")
    sealed, closures = face.lips_closed(phones) if phones is not None else (0, None)
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
            *(line.removeprefix(f"{sound}").lstrip(": ") for line in notes),
            *face.warnings(summary.seconds, summary.bad_poses, sealed, closures),
        ),
        curves=face.curves(),
    )


def _stamp_and_hash(sound: Path) -> tuple[str, str]:
    """Stamp and hash of an audio file. Raises SourceError unless it is a regular file: opening a pipe would block."""
    try:
        found = sound.stat()
    except FileNotFoundError:
        raise SourceError(f"{sound}: no such file") from None
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"{sound} is not a file, expected an audio file")
    return stamp_of(sound), sha256_of(sound)


def _face(recipe: Recipe, sound_sha256: str, *, lips: bool) -> MeasuredFace:
    from arkit_mapping.liveliness import HeadMotion, Liveliness
    from arkit_mapping.liveliness.moods import Mood

    head = HeadMotion() if recipe.head_motion else None
    alive = Liveliness(seed_of(sound_sha256, recipe.seed), head=head) if recipe.liveliness else None
    return MeasuredFace(recipe.character, liveliness=alive, mood=Mood.parse(recipe.mood), lips=lips)


def _bilabial_times(sound: Path, context: WorkerContext, allow_cut: bool) -> list[tuple[float, float]] | None:
    """Start and end, seconds, of every recognized p, b and m; None without a recognizer."""
    if context.recognizer is None:
        return None
    from livelink_bridge.analysis.lip_closures import BILABIAL
    from livelink_bridge.analysis.phones import recognize_file

    return [
        (phone.start_s, phone.end_s)
        for phone in recognize_file(sound, context.recognizer, allow_cut=allow_cut)
        if phone.label in BILABIAL
    ]
