"""The papers' two protocols: the training subjects, and the unseen ones for validation and test.

PMMTalk, section IV-A: "cross-subject" splits the identities 60/20/20 into training, validation and test; "cross-gender"
trains on the male identities and validates and tests on the female ones. No identity is in two parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml

from speech_to_face.base import ModelError
from speech_to_face.config_file import UNREADABLE

FILE = "protocol.yaml"
PROTOCOLS = ("cross-subject", "cross-gender")
PARTS = ("train", "validation", "test")
SHARE = 0.2
"""Of the identities validates, and as many test, in the cross-subject protocol; one at least."""
GENDERS = ("female", "male")


class OfSubject(Protocol):
    """An object of one subject, such as a clip."""

    @property
    def subject(self) -> str:
        """Name of the subject, the same for every object of one person."""
        ...


Clip = TypeVar("Clip", bound=OfSubject)


@dataclass(frozen=True, slots=True)
class Split:
    """The subjects of each part. ModelError when a part is empty or a subject is in two parts."""

    protocol: str
    """One of `PROTOCOLS`."""
    seed: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ModelError(f"protocol: got {self.protocol!r}, expected one of {', '.join(PROTOCOLS)}")
        for name in PARTS:
            if not self.part(name):
                raise ModelError(
                    f"protocol {self.protocol}: no subject is in its {name} part, expected one subject or more"
                )
        everybody = sorted(self.train + self.validation + self.test)
        if twice := [name for name, following in zip(everybody, everybody[1:], strict=False) if name == following]:
            raise ModelError(
                f"protocol {self.protocol}: subject {twice[0]!r} is there twice, expected parts without a common "
                "subject"
            )

    def part(self, name: str) -> tuple[str, ...]:
        """The subjects of "train", "validation" or "test"."""
        if name not in PARTS:
            raise ModelError(f"protocol: got part {name!r}, expected one of {', '.join(PARTS)}")
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def of(self, name: str, clips: Sequence[Clip]) -> list[Clip]:
        """Those of `clips` whose subject is in a part, in their order.

        Raises ModelError for a clip whose subject the protocol does not name, and for a subject of that part without a
        clip: either way the figures would not be those of the protocol.
        """
        known, wanted = {*self.train, *self.validation, *self.test}, set(self.part(name))
        if strangers := sorted({clip.subject for clip in clips} - known):
            raise ModelError(
                f"protocol {self.protocol}: subject {strangers[0]!r} is in none of its parts; make a new protocol of it"
            )
        if silent := sorted(wanted - {clip.subject for clip in clips}):
            raise ModelError(
                f"protocol {self.protocol}: no clip of subject {silent[0]!r} of its {name} part; is the data folder "
                "complete?"
            )
        return [clip for clip in clips if clip.subject in wanted]


def split(protocol: str, genders: Mapping[str, str], seed: int = 0) -> Split:
    """Split subjects by a protocol's name. genders: subject -> "female", "male", or anything else where it is not
    known."""
    if protocol not in PROTOCOLS:
        raise ModelError(f"protocol: got {protocol!r}, expected one of {', '.join(PROTOCOLS)}")
    return cross_gender(genders, seed) if protocol == "cross-gender" else cross_subject(tuple(genders), seed)


def cross_subject(subjects: Sequence[str], seed: int = 0) -> Split:
    """60/20/20 by identity; the same subjects and seed give the same parts, in whatever order they come."""
    mixed = _mixed(subjects, seed)
    held = max(1, round(SHARE * len(mixed)))
    if len(mixed) < 3:
        raise ModelError(f"protocol cross-subject: got {len(mixed)} subjects, expected at least 3, one for each part")
    return Split("cross-subject", seed, tuple(mixed[2 * held :]), tuple(mixed[:held]), tuple(mixed[held : 2 * held]))


def cross_gender(genders: Mapping[str, str], seed: int = 0) -> Split:
    """Every male subject trains; of the female ones half validate and half test. Subjects of unknown gender are an
    error."""
    if unknown := sorted(name for name, gender in genders.items() if gender not in GENDERS):
        raise ModelError(
            f"protocol cross-gender: the gender of subject {unknown[0]!r} is not known, expected female or male for "
            "everybody"
        )
    women = _mixed([name for name, gender in genders.items() if gender == "female"], seed)
    men = _mixed([name for name, gender in genders.items() if gender == "male"], seed)
    if len(women) < 2 or not men:
        got = f"{len(men)} male and {len(women)} female subjects"
        raise ModelError(
            f"protocol cross-gender: got {got}, expected at least 1 and 2: it trains on men, validates and tests on "
            "women"
        )
    half = len(women) // 2
    return Split("cross-gender", seed, tuple(men), tuple(women[:half]), tuple(women[half:]))


def write_split(made: Split, folder: Path) -> Path:
    """Write protocol.yaml into a run's folder, and return where it is."""
    text = yaml.safe_dump(
        {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(made).items()},
        sort_keys=False,
    )
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    return path


def read_split(folder: Path) -> Split:
    """Read protocol.yaml of a run's folder and check it as a new one: a file edited by hand cannot let a subject into
    two parts."""
    path = folder / FILE
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise ModelError(f"protocol {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(rows, dict) or set(rows) != {"protocol", "seed", *PARTS}:
        got = ", ".join(map(str, rows)) if isinstance(rows, dict) else type(rows).__name__
        raise ModelError(f"protocol {path}: got {got}, expected protocol, seed, train, validation and test")
    if not isinstance(rows["seed"], int):
        raise ModelError(f"protocol {path}: got seed {rows['seed']!r}, expected a whole number")
    try:
        return Split(str(rows["protocol"]), rows["seed"], *(_names(rows[part], part) for part in PARTS))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _names(value: Any, part: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ModelError(f"part {part}: expected a list of subjects' names")
    return tuple(value)


def _mixed(subjects: Sequence[str], seed: int) -> list[str]:
    """Subjects in an order that the seed chooses and that nothing else changes.

    By hash, not by a random generator: the order of two subjects stays as it is when a third one comes.
    """
    return sorted(set(subjects), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
