"""Phone classes, and timed phones from any engine's symbols.

Thirty classes that a mouth shows and a small network can recognize: diphthongs are split in two, voicing is dropped,
affricates join their fricative. The tables are data: `phones.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone class and the time it is spoken."""

    name: str
    """One of `CLASSES`."""
    start_s: float
    end_s: float
    """Seconds from the start of the audio."""


@cache
def _tables() -> dict[str, dict[str, str]]:
    return yaml.safe_load(files("speech_to_face").joinpath("phones.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


CLASSES: tuple[str, ...] = tuple(_tables()["classes"])
VOWELS = frozenset(_tables()["vowels"])
VISEMES = {name: group for group, names in enumerate(_tables()["visemes"]) for name in names}
"""Class -> which of the thirteen visemes it looks like."""
PAUSES = frozenset({"", "sil", "sp", "spn", "[sil]"})
"""Marks of silence in word alignments, in lower case."""
INDEX = {name: i for i, name in enumerate(CLASSES)}


def split_ipa(text: str) -> list[str]:
    """Classes of an IPA string, longest entry first; letters without an entry (length, tone, nasal marks) say nothing
    about lips."""
    table, out, i = _tables()["ipa"], [], 0
    while i < len(text):
        entry = next((text[i : i + n] for n in (4, 3, 2, 1) if text[i : i + n] in table), None)
        if entry is not None:
            out.append(table[entry])
        i += len(entry or "x")
    return out


def classes_of(symbol: str, table: str) -> list[str]:
    """Classes of one engine symbol, in the order spoken; empty when the symbol has no lips of its own (a glottal stop).

    Raises KeyError for a symbol that a named table (any but "ipa") does not list: a silent gap would teach wrong times.
    """
    if table == "ipa":
        return split_ipa(symbol)
    entries = _tables()[table]
    plain = symbol if symbol in entries else symbol.rstrip("1:*0")
    return entries[plain].split()


def timed(symbols: Iterable[tuple[str, float, float]], table: str) -> list[Phone]:
    """Phones of (symbol, start_s, end_s) rows: split into classes, empty spans dropped, equal neighbours merged.

    An empty symbol is silence; a symbol without lips of its own lengthens its predecessor.
    """
    out: list[Phone] = []
    for symbol, start, end in symbols:
        if end <= start:
            continue
        names = classes_of(symbol, table) if symbol else ["SIL"]
        names = names or [out[-1].name if out else "SIL"]
        step = (end - start) / len(names)
        for i, name in enumerate(names):
            _append(out, Phone(name, start + i * step, start + (i + 1) * step))
    return out


def _append(out: list[Phone], phone: Phone) -> None:
    if out and out[-1].name == phone.name and abs(out[-1].end_s - phone.start_s) < 1e-6:
        out[-1] = Phone(phone.name, out[-1].start_s, phone.end_s)
    else:
        out.append(phone)
