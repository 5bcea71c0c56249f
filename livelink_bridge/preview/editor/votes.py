"""A blind comparison: which of two faces of the same audio people prefer, without knowing which is which.

As in the papers' user studies: two faces side by side, one question about the lips and one about the whole face, left,
right or no difference. Which side is which is drawn from a seed and stays on disk; votes are lines of a CSV, each on
disk before the next. `preference` evaluates them.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from livelink_bridge.errors import SinkError, SourceError, UsageError
from livelink_bridge.takes.export.atomic import written

Side = Literal["a", "b"]
Choice = Literal["left", "right", "tie"]
Question = Literal["lip-sync", "realism"]
QUESTIONS: dict[Question, str] = {
    "lip-sync": "Whose lips fit the words better?",
    "realism": "Whose face is more like a person's?",
}
COLUMNS = ("voter", "trial", "clip", "left", "question", "choice", "prefers")
MAX_TRIALS = 500
LARGEST_BYTES = 16 << 20
"""Of a file of votes: some 200 000 of them."""
LONGEST_NAME = 60
FORMAT, VERSION = "livelink-bridge blind comparison", 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One sound, shown with two faces."""

    clip: str
    left: Side
    """Which of the two stands on the left."""


@dataclass(frozen=True, slots=True)
class Blind:
    """A comparison as it was drawn."""

    a: str
    b: str
    """What is compared: names of models or takes. A page that asks must not say them."""
    seed: int
    trials: tuple[Trial, ...]

    @staticmethod
    def drawn(clips: Sequence[str], a: str, b: str, seed: int) -> Blind:
        """Clips in an order, and sides, that a seed draws; each of the two stands on the left in half of them, give or
        take one.

        Raises UsageError for no clips, too many, or nothing to tell apart.
        """
        if not 1 <= len(clips) <= MAX_TRIALS:
            raise UsageError(f"got {len(clips)} clips to compare, expected 1 to {MAX_TRIALS}")
        if a == b:
            raise UsageError(f"got {a!r} twice, expected two different things to compare")
        chance = random.Random(seed)
        order = chance.sample(list(clips), len(clips))
        pair: list[Side] = ["a", "b"]
        sides = pair * (len(clips) // 2) + [chance.choice(pair)] * (len(clips) % 2)
        chance.shuffle(sides)
        return Blind(a, b, seed, tuple(Trial(clip, side) for clip, side in zip(order, sides, strict=True)))

    @staticmethod
    def read(path: Path) -> Blind:
        """The comparison in a session file. Raises SourceError for anything else."""
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise ValueError("it is too large")
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT or content["version"] != VERSION:
                raise ValueError(f"its format is {content['format']!r}, version {content['version']!r}")
            trials = tuple(_trial(entry) for entry in content["trials"])
            return Blind(str(content["a"]), str(content["b"]), int(content["seed"]), trials)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SourceError(f"{path} is no blind comparison of this program ({error}); begin a new one") from None

    def write(self, path: Path, *, force: bool = False) -> None:
        """Raises SinkError where it cannot be written, or where one is there that must not be lost."""
        trials = [{"clip": trial.clip, "left": trial.left} for trial in self.trials]
        content = {"format": FORMAT, "version": VERSION, "a": self.a, "b": self.b, "seed": self.seed, "trials": trials}
        with written(path, force=force) as file:
            file.write(json.dumps(content, indent=1).encode())


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer."""

    voter: str
    trial: int
    """Position in `Blind.trials`."""
    clip: str
    left: Side
    question: Question
    choice: Choice

    @property
    def prefers(self) -> Side | Literal["tie"]:
        """What the choice means, given which side stood where."""
        if self.choice == "tie":
            return "tie"
        other: Side = "b" if self.left == "a" else "a"
        return self.left if self.choice == "left" else other


class Ballots:
    """The file the votes go to. A program that is killed loses at most the vote it was writing; a torn line is cut off
    on opening."""

    def __init__(self, path: Path, blind: Blind) -> None:
        """Raises SinkError where the file cannot be written, SourceError where it holds something else."""
        self._path, self._blind = path, blind
        self.votes: list[Vote] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        except OSError as error:
            raise SinkError(f"votes cannot be written to {path}: {error.strerror}") from None
        try:
            self._mend()
        except BaseException:
            self.close()
            raise

    def vote(self, voter: str, trial: int, question: str, choice: str) -> Vote:
        """Write down an answer; a second one to the same question takes the first one's place in the report.

        Raises UsageError for what was not asked, SinkError where it cannot be written.
        """
        name = " ".join(voter.split())[:LONGEST_NAME] or "anonymous"
        if not 0 <= trial < len(self._blind.trials):
            raise UsageError(f"got trial {trial}, expected 0 to {len(self._blind.trials) - 1}")
        shown = self._blind.trials[trial]
        vote = _vote(name, str(trial), shown.clip, shown.left, question, choice)
        self._append([name, trial, shown.clip, shown.left, question, choice, vote.prefers])
        self.votes.append(vote)
        return vote

    def left_for(self, voter: str) -> list[int]:
        """Trials in which this voter has not answered every question: where to go on after a break."""
        name = " ".join(voter.split())[:LONGEST_NAME] or "anonymous"
        answered = {(vote.trial, vote.question) for vote in self.votes if vote.voter == name}
        return [
            at for at in range(len(self._blind.trials)) if any((at, question) not in answered for question in QUESTIONS)
        ]

    def all_votes(self) -> list[Vote]:
        """What everybody has voted so far, in other tabs and programs too. Raises SourceError as `read_votes`."""
        return read_votes(self._path)

    def close(self) -> None:
        """Harmless twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _append(self, row: list[object]) -> None:
        """One write to a file opened for appending, then on to the disk: a line is there whole, or torn at its very
        end."""
        if self._file < 0:
            raise SinkError(f"{self._path} is closed")
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        data = line.getvalue().encode()
        try:
            if os.fstat(self._file).st_size + len(data) > LARGEST_BYTES:
                raise SinkError(f"{self._path} is full ({LARGEST_BYTES >> 20} MB of votes); begin a new comparison")
            written_bytes = os.write(self._file, data)
            os.fsync(self._file)
        except OSError as error:
            raise SinkError(
                f"the vote could not be written to {self._path}: {error.strerror}; it was not counted"
            ) from None
        if written_bytes != len(data):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written_bytes)
            raise SinkError(f"the vote could not be written to {self._path}: the disk is full; it was not counted")

    def _mend(self) -> None:
        size = os.fstat(self._file).st_size
        if size > LARGEST_BYTES:
            raise SourceError(f"{self._path} has {size >> 20} MB, expected votes, at most {LARGEST_BYTES >> 20}")
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if not whole:
            if data and not _HEADER.startswith(data):
                raise SourceError(
                    f"{self._path} is not a file of votes: it begins with {data[:40]!r}; choose another name"
                )
            os.ftruncate(self._file, 0)
            self._append(list(COLUMNS))
            return
        self.votes = read_votes(self._path)
        if whole < len(data):
            os.ftruncate(self._file, whole)


def read_votes(path: Path) -> list[Vote]:
    """The votes in a file, but for a torn last line. Raises SourceError for anything else, with the line."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise SourceError(f"{path} is larger than {LARGEST_BYTES >> 20} MB, expected votes")
        data = path.read_bytes()
        text = data[: data.rfind(b"\n") + 1].decode("utf-8")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not text in UTF-8, expected a CSV of votes") from None
    lines = csv.reader(io.StringIO(text))
    try:
        header = next(lines, [])
        if tuple(header) != COLUMNS:
            raise SourceError(f"{path}, line 1: got {','.join(header)[:60]!r}, expected {','.join(COLUMNS)}")
        return [_read_vote(row, path, lines.line_num) for row in lines if row]
    except csv.Error as error:
        raise SourceError(f"{path}, line {lines.line_num}: {error}") from None


_HEADER = (",".join(COLUMNS) + "\n").encode()


def _trial(entry: Any) -> Trial:
    if entry["left"] not in get_args(Side) or not isinstance(entry["clip"], str):
        raise ValueError(f"got trial {entry!r}")
    return Trial(entry["clip"], entry["left"])


def _vote(voter: str, trial: str, clip: str, left: str, question: str, choice: str) -> Vote:
    if left not in get_args(Side):
        raise UsageError(f"got left {left!r}, expected a or b")
    if question not in QUESTIONS:
        raise UsageError(f"got question {question!r}, expected {' or '.join(QUESTIONS)}")
    if choice not in get_args(Choice):
        raise UsageError(f"got {choice!r} for an answer, expected left, right or tie")
    if not trial.isdecimal():
        raise UsageError(f"got trial {trial!r}, expected a number")
    return Vote(voter, int(trial), clip, left, question, choice)  # type: ignore[arg-type]


def _read_vote(row: list[str], path: Path, line: int) -> Vote:
    if len(row) != len(COLUMNS):
        raise SourceError(f"{path}, line {line}: got {len(row)} cells, expected {len(COLUMNS)}")
    try:
        vote = _vote(row[0], row[1], row[2], row[3], row[4], row[5])
    except UsageError as error:
        raise SourceError(f"{path}, line {line}: {error}") from None
    if vote.prefers != row[6]:
        raise SourceError(
            f"{path}, line {line}: prefers {row[6]!r} does not follow from {row[5]} with {row[3]} on the left"
        )
    return vote
