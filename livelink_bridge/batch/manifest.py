"""The manifest: a database beside the takes that records what is done. A killed batch continues where it stopped, and a
second run converts nothing.

`OUT/.livelink-bridge/takes.sqlite` has one row per take: hashes of the audio file, of the recipe and of the take, and
the figures of the report. It is never read into memory as a whole. One run locks it; the lock ends with the process,
even if that is killed.
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
from livelink_bridge.batch.measured_face import Curves
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError, SinkError

FOLDER, FILE = ".livelink-bridge", "takes.sqlite"
COMMIT_INTERVAL_S = 0.5
"""Time between commits. A killed run loses the records since the last one; those files are converted again, to the same
takes."""

_TABLES = """
CREATE TABLE IF NOT EXISTS done (take TEXT PRIMARY KEY, recipe TEXT, sound_sha256 TEXT, sound_stamp TEXT,
    take_sha256 TEXT,
                                 take_stamp TEXT, rest TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed (sound TEXT, error TEXT);
"""
_COLUMNS = ("sound_sha256", "sound_stamp", "take_sha256", "take_stamp")


class DiskFull(SinkError):
    """The disk of the manifest is full."""


class Manifest:
    """The manifest of one folder of takes. Raises SinkError if it cannot be written or is locked."""

    def __init__(self, out: Path, clock: Clock) -> None:
        self._out, self._clock = out, clock
        self._committed_s = clock.now()
        self._path = out / FOLDER / FILE
        with self._as_sink_errors():
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
        """Delete the failures of the previous run."""
        with self._as_sink_errors():
            self._rows.execute("DELETE FROM failed")

    def is_done(self, task: Task, recipe: Recipe) -> bool:
        """Whether the take exists as this recipe makes it from this audio file. Files are hashed again only if their
        stamps have changed."""
        with self._as_sink_errors():
            row = self._rows.execute(
                f"SELECT recipe, rest, {', '.join(_COLUMNS)} FROM done WHERE take = ?", (task.name,)
            ).fetchone()
        if row is None or row[0] != recipe.key() or (recipe.scored and json.loads(row[1])["closures"] is None):
            return False
        sound, take = _stamp(task.sound, *row[2:4]), _stamp(task.out, *row[4:6])
        if sound is None or take is None:
            return False
        if (sound, take) != (row[3], row[5]):
            with self._as_sink_errors():
                self._rows.execute(
                    "UPDATE done SET sound_stamp = ?, take_stamp = ? WHERE take = ?", (sound, take, task.name)
                )
        return True

    def add(self, task: Task, recipe: Recipe, outcome: Outcome) -> None:
        """Record the outcome of a task."""
        if outcome.error is not None:
            self.fail(str(task.sound), outcome.error)
            return
        rest = asdict(outcome)
        known = [rest.pop(column) for column in _COLUMNS]
        with self._as_sink_errors():
            self._rows.execute(
                "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?, ?, ?)",
                (task.name, recipe.key(), *known, json.dumps(rest)),
            )
        self._commit()

    def add_sound(self, name: str, sha256: str) -> None:
        """Record the hash of the .wav that was put beside a recorded take."""
        rest = {**self._details(name), "placed_sha256": sha256}
        with self._as_sink_errors():
            self._rows.execute("UPDATE done SET rest = ? WHERE take = ?", (json.dumps(rest), name))
        self._commit()

    def placed(self, name: str) -> str | None:
        """SHA-256 of the .wav that was put beside a take; None without one."""
        return self._details(name).get("placed_sha256") or None

    def fail(self, sound: str, error: str) -> None:
        """Record a failure of this run."""
        with self._as_sink_errors():
            self._rows.execute("INSERT INTO failed VALUES (?, ?)", (sound, error))
        self._commit()

    def outcome(self, take: str) -> Outcome | None:
        """The recorded outcome of a take; None if it was never made."""
        rest = self._details(take)
        return _outcome(rest) if rest else None

    def failures(self) -> Iterator[tuple[str, str]]:
        """Failures of this run: audio file and reason."""
        yield from self._rows.execute("SELECT sound, error FROM failed ORDER BY sound")

    def close(self) -> None:
        """Commit and close. Idempotent. Raises DiskFull if the last records cannot be written; earlier ones stay."""
        try:
            with self._as_sink_errors():
                if self._rows.in_transaction:
                    self._rows.execute("COMMIT")
        finally:
            self._rows.close()

    def _details(self, take: str) -> dict[str, Any]:
        """The figures of a take as stored; empty if it was never made."""
        row = self._rows.execute("SELECT rest FROM done WHERE take = ?", (take,)).fetchone()
        rest: dict[str, Any] = {} if row is None else json.loads(row[0])
        return rest

    def _commit(self) -> None:
        now_s = self._clock.now()
        if now_s - self._committed_s < COMMIT_INTERVAL_S:
            return
        self._committed_s = now_s
        with self._as_sink_errors():
            self._rows.execute("COMMIT")
            self._rows.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _as_sink_errors(self) -> Iterator[None]:
        """Turn errors of the system and the database into SinkError, one line each."""
        try:
            yield
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error
        except sqlite3.Error as error:
            raise self._sink_error(error) from error

    def _sink_error(self, error: sqlite3.Error) -> BridgeError:
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_FULL:
            return DiskFull(f"{self._path} cannot be written: the disk is full; make room and run again")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return SinkError(f"another run is writing takes into {self._out}; wait for it, or end it")
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return SinkError(f"{self._path} is damaged ({error}); remove it, and everything is converted again")
        return SinkError(f"{self._path} cannot be used: {error}")


def _stamp(path: Path, sha256: str, stamp: str) -> str | None:
    """The current stamp of a file whose content is unchanged; else None."""
    try:
        now = stamp_of(path)
        return now if now == stamp or sha256_of(path) == sha256 else None
    except OSError:
        return None


def _outcome(rest: dict[str, Any]) -> Outcome:
    rest["curves"], rest["warnings"] = Curves(**rest["curves"]), tuple(rest["warnings"])
    return Outcome(**rest)
