"""Runs a batch: finds the audio files, skips those that are done and converts the rest with an engine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from arkit_mapping.takes.names import sound_beside
from livelink_bridge.batch.job import Engine, Outcome, Recipe, Task, partials, sha256_of
from livelink_bridge.batch.manifest import FILE, FOLDER, Manifest
from livelink_bridge.batch.walk import AudioFile, Found, take_name, walk
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError, SinkError, UsageError
from livelink_bridge.takes.placed_audio import place_sound


class BatchObserver(Protocol):
    """Receives the events of a batch."""

    def begin(self, found: Found) -> None:
        """The batch starts."""
        ...

    def skipped(self, sound: AudioFile) -> None:
        """A file's take exists already."""
        ...

    def part(self, task: Task, part: float) -> None:
        """Progress of a running task, 0 to 1."""
        ...

    def done(self, task: Task, outcome: Outcome) -> None:
        """A task has finished."""
        ...

    def refused(self, path: str, why: str) -> None:
        """A path cannot be converted; `why` follows the path in a sentence."""
        ...


@dataclass(slots=True)
class BatchCounts:
    """Counts of a batch."""

    converted: int = 0
    skipped: int = 0
    """Takes that existed already."""
    failed: int = 0
    seconds: float = 0.0
    """Length of the converted audio, seconds."""
    no_room: str | None = None
    """Error of a full disk, at which the batch stopped; None without one."""


class Batch:
    """A batch: audio files in some folders, takes in another."""

    def __init__(
        self, paths: Sequence[Path], out: Path, recipe: Recipe, *, clock: Clock, observer: BatchObserver
    ) -> None:
        """Finds the audio files.

        Parameters
        ----------
        paths : folders and files to convert
        out : folder of takes
        recipe : what the takes depend on
        clock : monotonic clock
        observer : receives the events of `run`

        Raises UsageError if `out` is a file.
        """
        if out.exists() and not out.is_dir():
            raise UsageError(f"-o {out} is a file, expected a folder for the takes of a batch")
        self.found = walk(paths)
        self.counts = BatchCounts()
        if recipe.with_sound and _lies_in(out, paths):
            recipe = replace(recipe, with_sound=False)
            self._note_unplaced(out)
        self._out, self._recipe, self._clock, self._observer = out, recipe, clock, observer

    def plan(self) -> Iterator[Task]:
        """The tasks that `run` would do. Writes nothing."""
        if not (self._out / FOLDER / FILE).exists():
            self.counts.skipped = 0
            yield from (sound.task(self._out) for sound in self.found.sounds)
            return
        with closing(Manifest(self._out, self._clock)) as manifest:
            yield from self._pending(manifest)

    def run(self, engine: Engine) -> BatchCounts:
        """Convert what is not done. Raises SinkError if the manifest cannot be written, BridgeError if the engine
        cannot start."""
        with closing(Manifest(self._out, self._clock)) as manifest:
            manifest.begin()
            self._clear_leftovers()
            self._observer.begin(self.found)
            for path, why in self.found.refused:
                self._refuse(manifest, path, why)
            outcomes = engine(self._pending(manifest, place=True), self._recipe, self._observer.part)
            try:
                for task, outcome in outcomes:
                    self._count(outcome)
                    manifest.add(task, self._recipe, outcome)
                    self._observer.done(task, outcome)
            finally:
                if hasattr(outcomes, "close"):
                    outcomes.close()
        return self.counts

    def manifest(self) -> Manifest:
        """The manifest of the takes; the caller closes it."""
        return Manifest(self._out, self._clock)

    def takes(self, manifest: Manifest) -> Iterator[tuple[str, Outcome]]:
        """The recorded takes of these audio files, sorted by name."""
        for name in sorted(take_name(sound.name) for sound in self.found.sounds):
            outcome = manifest.outcome(name)
            if outcome is not None:
                yield name, outcome

    def _pending(self, manifest: Manifest, *, place: bool = False) -> Iterator[Task]:
        """The tasks that are not done. `place`: put missing audio files beside the takes that are done."""
        for sound in self.found.sounds:
            task = sound.task(self._out)
            if not manifest.is_done(task, self._recipe):
                yield task._replace(placed=manifest.placed(task.name))
            elif not place or not self._recipe.with_sound or self._place(manifest, task):
                self.counts.skipped += 1
                self._observer.skipped(sound)

    def _place(self, manifest: Manifest, task: Task) -> bool:
        """Put the audio beside an existing take that has none. False if that failed."""
        if sound_beside(task.out) is not None:
            return True
        try:
            wav = place_sound(task.sound, task.out, manifest.placed(task.name))
            if wav is not None:
                manifest.add_sound(task.name, sha256_of(wav))
        except BridgeError as error:
            self._refuse(manifest, str(task.out), str(error))
            return False
        return True

    def _note_unplaced(self, out: Path) -> None:
        tasks = (sound.task(out.resolve()) for sound in self.found.sounds)
        if any(task.sound.resolve().parent != task.out.parent for task in tasks):
            self.found.notes.append(
                "takes are made in a folder of sounds: no sound is put beside them, it would be converted next time"
            )

    def _count(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self.counts.converted += 1
            self.counts.seconds += outcome.seconds
        elif outcome.no_room:
            self.counts.no_room = outcome.error
        self.counts.failed += outcome.error is not None

    def _refuse(self, manifest: Manifest, path: str, why: str) -> None:
        self.counts.failed += 1
        manifest.fail(path, why)
        self._observer.refused(path, why)

    def _clear_leftovers(self) -> None:
        """Remove partial takes of a killed batch; those of other takes stay."""
        left = [
            (path, (Path(folder).relative_to(self._out) / take).with_suffix(".csv").as_posix())
            for folder, _, files in os.walk(self._out)
            if any(name.endswith(".partial") for name in files)
            for path, (take, _) in partials(Path(folder)).items()
        ]
        ours = {take_name(sound.name) for sound in self.found.sounds} if left else set()
        for path, take in left:
            if take in ours:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise SinkError(
                        f"{path} was left by a batch that was killed and cannot be removed: {error.strerror}"
                    ) from error


def _lies_in(out: Path, roots: Sequence[Path]) -> bool:
    """Whether the folder of takes lies in a folder of audio files."""
    place = out.resolve()
    return any(root.resolve() in (place, *place.parents) for root in roots if root.is_dir())
