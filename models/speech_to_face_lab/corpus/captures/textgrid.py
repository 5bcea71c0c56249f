"""Praat TextGrids in the long and the short form, and their phone tier in our classes.

Praat itself reads both forms alike: strings in quotes and freestanding numbers count, every other word is for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from speech_to_face.base import ModelError
from speech_to_face.phones import Phone, classes_of, split_ipa

PHONE_TIERS = ("phones", "phone", "phons")
WORD_TIERS = ("words", "word")

_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


class Span(NamedTuple):
    """Seconds from the start of the sound, and the label; a point has equal times."""

    start_s: float
    end_s: float
    text: str


class Tier(NamedTuple):
    """One tier: its name and its labelled spans."""

    name: str
    spans: tuple[Span, ...]


def read_textgrid(path: Path) -> tuple[Tier, ...]:
    """The tiers in a file, in its order. ModelError for anything that is not a TextGrid."""
    try:
        tokens = _tokens(_text(path))
        if (next(tokens), next(tokens)) != ("ooTextFile", "TextGrid"):
            raise ModelError(f"textgrid {path}: expected a file that begins with ooTextFile and TextGrid")
        _numbers(tokens, 2)
        tiers = [_tier(tokens) for _ in range(int(_numbers(tokens, 1)[0]))]
        return tuple(tiers)
    except StopIteration:
        raise ModelError(f"textgrid {path}: ends early, expected all the tiers and spans that it counts") from None
    except ValueError as error:
        raise ModelError(f"textgrid {path}: {error}") from None


def find_tier(tiers: tuple[Tier, ...], names: tuple[str, ...]) -> Tier | None:
    """The first tier of one of these names, whatever speaker stands before it (`mary - phones`)."""
    return next((tier for tier in tiers if tier.name.split(" - ")[-1].strip().lower() in names), None)


def timed_phones(path: Path) -> tuple[Phone, ...]:
    """The phone tier in our classes: diphthongs split, equal neighbours merged.

    Labels may be ARPAbet, pinyin initials and finals, SAMPA or IPA. Spans of unintelligible speech or noise are gaps:
    nothing is known of the mouth there. ModelError for a file without a phone tier, or with a label that the tables do
    not have.
    """
    tier = find_tier(read_textgrid(path), PHONE_TIERS)
    if tier is None:
        raise ModelError(f"textgrid {path}: no tier of phones, expected one named {', '.join(PHONE_TIERS)}")
    table = _table_of(path, tier)
    out: list[Phone] = []
    for start, end, text in tier.spans:
        names = _classes(text, table) or []
        step = (end - start) / max(len(names), 1)
        for i, name in enumerate(names if step > 0 else []):
            _append(out, Phone(name, start + i * step, start + (i + 1) * step))
    return tuple(out)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except OSError as error:
        raise ModelError(f"textgrid {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"textgrid {path} is not text in UTF-8 or UTF-16, expected a Praat TextGrid") from None


def _tokens(text: str) -> Iterator[str | float]:
    """Strings as str, freestanding numbers as float."""
    for match in _TOKEN.finditer(text):
        if match[1] is not None:
            yield match[1].replace('""', '"')
        elif re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", match[2]):
            yield float(match[2])


def _numbers(tokens: Iterator[str | float], count: int) -> list[float]:
    return [_expect(next(tokens), float) for _ in range(count)]


def _expect(token: str | float, kind: type[Any]) -> Any:
    if not isinstance(token, kind):
        raise ValueError(f"got {token!r}, expected a {'number' if kind is float else 'label in quotes'}")
    return token


def _tier(tokens: Iterator[str | float]) -> Tier:
    kind, name = _expect(next(tokens), str), _expect(next(tokens), str)
    if kind not in ("IntervalTier", "TextTier"):
        raise ValueError(f"got a tier of class {kind!r}, expected IntervalTier or TextTier")
    count = int(_numbers(tokens, 3)[2])
    spans = []
    for _ in range(count):
        times = _numbers(tokens, 2 if kind == "IntervalTier" else 1)
        spans.append(Span(times[0], times[-1], _expect(next(tokens), str)))
    return Tier(name, tuple(spans))


@cache
def _symbols() -> dict[str, dict[str, str]]:
    text = files("speech_to_face_lab.corpus.captures").joinpath("symbols.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)  # type: ignore[no-any-return]


def _classes(text: str, table: str) -> list[str] | None:
    """Classes of one label, none for a gap; None when the table does not have it."""
    marks = _symbols()["marks"]
    return marks[text].split() if text in marks else _TABLES[table](text)


def _arpabet(text: str) -> list[str] | None:
    plain = text.rstrip("012")
    if plain in _symbols()["arpabet"]:
        return _symbols()["arpabet"][plain].split()
    try:
        return classes_of(plain.lower(), "cmu") if plain.isupper() else None
    except KeyError:
        return None


def _pinyin(text: str) -> list[str] | None:
    if text[-1].isdigit():
        return _listed(text[:-1], "pinyin_finals")
    return _listed(text, "pinyin_initials")


def _ipa(text: str) -> list[str] | None:
    return _listed(text, "ipa") or split_ipa(text) or None


def _listed(text: str, table: str) -> list[str] | None:
    entry = _symbols()[table].get(text)
    return entry.split() if entry else None


_TABLES: dict[str, Callable[[str], list[str] | None]] = {
    "arpabet": _arpabet,
    "pinyin": _pinyin,
    "sampa": lambda text: _listed(text, "sampa"),
    "ipa": _ipa,
}
"""Alphabet -> classes of a label in it, None for a label that it does not have."""


def _table_of(path: Path, tier: Tier) -> str:
    """The one table that has every label of the tier: a label means different things in different alphabets."""
    labels = [span.text for span in tier.spans]
    unknown = {name: [label for label in labels if _classes(label, name) is None] for name in _TABLES}
    best = min(unknown, key=lambda name: len(unknown[name]))
    if unknown[best]:
        raise ModelError(
            f"textgrid {path}: got phone {unknown[best][0]!r}, expected one of the {best} table; add it to symbols.yaml"
        )
    return best


def _append(out: list[Phone], phone: Phone) -> None:
    if out and out[-1].name == phone.name and abs(out[-1].end_s - phone.start_s) < 1e-6:
        out[-1] = Phone(phone.name, out[-1].start_s, phone.end_s)
    else:
        out.append(phone)
