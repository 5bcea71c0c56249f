"""What is done, in a database beside the takes: a batch that was killed goes on where it was, and one that is run again
does nothing.

`OUT/.livelink-bridge/takes.sqlite` has a row for each take: hashes of the sound, of the recipe and of the take itself,
and what a report says of it. It is never in memory as a whole. One run has it at a time, which ends with the process,
however that ends.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livelink_bridge.batch.job import Outcome, Recipe, Task, sha256_of, stamp_of
from livelink_bridge.batch.watched import Curves
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError, SinkError

FOLDER, FILE = ".livelink-bridge", "takes.sqlite"
KEPT_EVERY_S = 0.5
"""A kill costs the records of so long: their sounds are converted once more, to the same takes."""

_TABLES = """
CREATE TABLE IF NOT EXISTS done (take TEXT PRIMARY KEY, recipe TEXT, sound_sha256 TEXT, sound_stamp TEXT,
    take_sha256 TEXT,
                                 take_stamp TEXT, rest TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed (sound TEXT, error TEXT);
"""
_COLUMNS = ("sound_sha256", "sound_stamp", "take_sha256", "take_stamp")


class NoRoom(SinkError):
    """The disk with the manifest is full."""


class Manifest:
    """The takes below one folder. Raises SinkError where it cannot be kept there, or where another run has it."""

    def __init__(self, out: Path, clock: Clock) -> None:
        self._out, self._clock = out, clock
        self._kept_s = clock.now()
        self._path = out / FOLDER / FILE
        with self._told():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._rows = sqlite3.connect(self._path, timeout=0.2, isolation_level=None)
            try:
                self._open()
            except sqlite3.Error:
                self._rows.close()
                raise

    def _open(self) -> None:
        self._rows.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        self._rows.execute("BEGIN EXCLUSIVE")
        for statement in _TABLES.split(";"):
            self._rows.execute(statement)

    def begin(self) -> None:
        """Forget what could not be done in the run before."""
        with self._told():
            self._rows.execute("DELETE FROM failed")

    def is_done(self, work: Task, recipe: Recipe) -> bool:
        """Whether the take is there as this recipe makes it of this sound. Files are read again only where their stamps
        have changed."""
        with self._told():
            row = self._rows.execute(
                f"SELECT recipe, rest, {', '.join(_COLUMNS)} FROM done WHERE take = ?", (work.name,)
            ).fetchone()
        if row is None or row[0] != recipe.key() or (recipe.scored and json.loads(row[1])["closures"] is None):
            return False
        sound, take = _stamp(work.sound, *row[2:4]), _stamp(work.out, *row[4:6])
        if sound is None or take is None:
            return False
        if (sound, take) != (row[3], row[5]):
            with self._told():
                self._rows.execute(
                    "UPDATE done SET sound_stamp = ?, take_stamp = ? WHERE take = ?", (sound, take, work.name)
                )
        return True

    def add(self, work: Task, recipe: Recipe, outcome: Outcome) -> None:
        """Note what became of a sound."""
        if outcome.error is not None:
            self.fail(str(work.sound), outcome.error)
            return
        rest = asdict(outcome)
        known = [rest.pop(column) for column in _COLUMNS]
        with self._told():
            self._rows.execute(
                "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?, ?, ?)",
                (work.name, recipe.key(), *known, json.dumps(rest)),
            )
        self._keep()

    def add_sound(self, name: str, sha256: str) -> None:
        """Note which .wav was put beside a take that is known."""
        rest = {**self._rest(name), "placed_sha256": sha256}
        with self._told():
            self._rows.execute("UPDATE done SET rest = ? WHERE take = ?", (json.dumps(rest), name))
        self._keep()

    def placed(self, name: str) -> str | None:
        """The sha256 of the .wav that was put beside a take; None where none was."""
        return self._rest(name).get("placed_sha256") or None

    def fail(self, sound: str, error: str) -> None:
        """Note what could not be done in this run."""
        with self._told():
            self._rows.execute("INSERT INTO failed VALUES (?, ?)", (sound, error))
        self._keep()

    def outcome(self, take: str) -> Outcome | None:
        """What is known of a take; None for one that was never made."""
        rest = self._rest(take)
        return _outcome(rest) if rest else None

    def failures(self) -> Iterator[tuple[str, str]]:
        """What could not be done in this run: sound and why."""
        yield from self._rows.execute("SELECT sound, error FROM failed ORDER BY sound")

    def close(self) -> None:
        """Keep everything. Harmless when closed. Raises NoRoom where that is not possible; what was kept before
        stays."""
        try:
            with self._told():
                if self._rows.in_transaction:
                    self._rows.execute("COMMIT")
        finally:
            self._rows.close()

    def _rest(self, take: str) -> dict[str, Any]:
        """What a report says of a take; empty for one that was never made."""
        row = self._rows.execute("SELECT rest FROM done WHERE take = ?", (take,)).fetchone()
        rest: dict[str, Any] = {} if row is None else json.loads(row[0])
        return rest

    def _keep(self) -> None:
        now_s = self._clock.now()
        if now_s - self._kept_s < KEPT_EVERY_S:
            return
        self._kept_s = now_s
        with self._told():
            self._rows.execute("COMMIT")
            self._rows.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the system or the database refuses, on one line."""
        try:
            yield
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error
        except sqlite3.Error as error:
            raise self._complaint(error) from error

    def _complaint(self, error: sqlite3.Error) -> BridgeError:
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_FULL:
            return NoRoom(f"{self._path} cannot be written: the disk is full; make room and run again")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return SinkError(f"another run is writing takes into {self._out}; wait for it, or end it")
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return SinkError(f"{self._path} is damaged ({error}); remove it, and everything is converted anew")
        return SinkError(f"{self._path} cannot be used: {error}")


def _stamp(path: Path, sha256: str, stamp: str) -> str | None:
    """A file's stamp of now, where its content still is what it was; else None."""
    try:
        now = stamp_of(path)
        return now if now == stamp or sha256_of(path) == sha256 else None
    except OSError:
        return None


def _outcome(rest: dict[str, Any]) -> Outcome:
    rest["curves"], rest["warnings"] = Curves(**rest["curves"]), tuple(rest["warnings"])
    return Outcome(**rest)
