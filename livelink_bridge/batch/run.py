"""A whole batch, in order: what there is, what is done already, the rest by an engine, what became of it."""

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
from livelink_bridge.batch.walk import Found, Sound, take_name, walk
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError, SinkError, UsageError
from livelink_bridge.takes.placed_audio import place_sound


class Show(Protocol):
    """Who watches."""

    def begin(self, found: Found) -> None: ...

    def kept(self, sound: Sound) -> None:
        """Its take is there already."""
        ...

    def part(self, work: Task, part: float) -> None: ...

    def done(self, work: Task, outcome: Outcome) -> None: ...

    def refused(self, path: str, why: str) -> None: ...


@dataclass(slots=True)
class Tally:
    """A batch, when it is over."""

    converted: int = 0
    kept: int = 0
    """Takes that were there already."""
    failed: int = 0
    seconds: float = 0.0
    """Of sound that was converted."""
    no_room: str | None = None
    """The disk was full, one line: the batch stopped there."""


class Batch:
    """The sounds of some folders and their takes below another."""

    def __init__(self, paths: Sequence[Path], out: Path, recipe: Recipe, *, clock: Clock, show: Show) -> None:
        """Looks at the folders. Raises UsageError where `out` is a file."""
        if out.exists() and not out.is_dir():
            raise UsageError(f"-o {out} is a file, expected a folder for the takes of a batch")
        self.found = walk(paths)
        self.tally = Tally()
        if recipe.with_sound and _lies_in(out, paths):
            recipe = replace(recipe, with_sound=False)
            self._say_unplaced(out)
        self._out, self._recipe, self._clock, self._show = out, recipe, clock, show

    def plan(self) -> Iterator[Task]:
        """What would be converted. Nothing is written."""
        if not (self._out / FOLDER / FILE).exists():
            self.tally.kept = 0
            yield from (sound.work(self._out) for sound in self.found.sounds)
            return
        with closing(Manifest(self._out, self._clock)) as manifest:
            yield from self._to_do(manifest)

    def run(self, engine: Engine) -> Tally:
        """Convert what is not done. Raises SinkError where the manifest cannot be kept, BridgeError where the engine
        cannot begin."""
        with closing(Manifest(self._out, self._clock)) as manifest:
            manifest.begin()
            self._clear_leftovers()
            self._show.begin(self.found)
            for path, why in self.found.refused:
                self._refuse(manifest, path, why)
            outcomes = engine(self._to_do(manifest, place=True), self._recipe, self._show.part)
            try:
                for work, outcome in outcomes:
                    self._count(outcome)
                    manifest.add(work, self._recipe, outcome)
                    self._show.done(work, outcome)
            finally:
                if hasattr(outcomes, "close"):
                    outcomes.close()
        return self.tally

    def manifest(self) -> Manifest:
        """What is known of the takes; to be closed."""
        return Manifest(self._out, self._clock)

    def takes(self, manifest: Manifest) -> Iterator[tuple[str, Outcome]]:
        """The takes of these sounds that are known, by name."""
        for name in sorted(take_name(sound.name) for sound in self.found.sounds):
            outcome = manifest.outcome(name)
            if outcome is not None:
                yield name, outcome

    def _to_do(self, manifest: Manifest, *, place: bool = False) -> Iterator[Task]:
        """What is not done; `place`: sounds that takes lack are put beside those that are."""
        for sound in self.found.sounds:
            work = sound.work(self._out)
            if not manifest.is_done(work, self._recipe):
                yield work._replace(placed=manifest.placed(work.name))
            elif not place or not self._recipe.with_sound or self._place(manifest, work):
                self.tally.kept += 1
                self._show.kept(sound)

    def _place(self, manifest: Manifest, work: Task) -> bool:
        """Put the sound beside a take from before, where none is; whether that was possible."""
        if sound_beside(work.out) is not None:
            return True
        try:
            wav = place_sound(work.sound, work.out, manifest.placed(work.name))
            if wav is not None:
                manifest.add_sound(work.name, sha256_of(wav))
        except BridgeError as error:
            self._refuse(manifest, str(work.out), str(error))
            return False
        return True

    def _say_unplaced(self, out: Path) -> None:
        works = (sound.work(out.resolve()) for sound in self.found.sounds)
        if any(work.sound.resolve().parent != work.out.parent for work in works):
            self.found.notes.append(
                "takes are made in a folder of sounds: no sound is put beside them, it would be converted next time"
            )

    def _count(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self.tally.converted += 1
            self.tally.seconds += outcome.seconds
        elif outcome.no_room:
            self.tally.no_room = outcome.error
        self.tally.failed += outcome.error is not None

    def _refuse(self, manifest: Manifest, path: str, why: str) -> None:
        self.tally.failed += 1
        manifest.fail(path, why)
        self._show.refused(path, why)

    def _clear_leftovers(self) -> None:
        """Remove half-written takes of a batch that was killed; those of anybody else's takes stay."""
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
                        f"{path} is left of a batch that was ended and cannot be removed: {error.strerror}"
                    ) from error


def _lies_in(out: Path, roots: Sequence[Path]) -> bool:
    """Whether takes are made where sounds are looked for."""
    place = out.resolve()
    return any(root.resolve() in (place, *place.parents) for root in roots if root.is_dir())
