"""Texts for the engines: seeded, phonetically varied, rich in labial phones.

English gets sentences, questions, dictionary words weighted towards p b m f v w and rounded vowels, numbers, names,
fillers, long vowels, single words, letters and commands; other languages get pseudo-words of their own syllables, since
the phones matter here and not the sense.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

DICTIONARY = Path("/usr/share/dict/american-english")
"""Debian's wamerican; without it only the built-in words are used."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "BPMFVWOU" * 2
"""Letters read singly; labial ones three times."""
DIGITS = "zero one two three four five six seven eight nine".split()
PAUSES = (". ", ". ", ", ", "... ", "; ")
"""Separators of words spoken one by one: every engine pauses at some of these."""
CLOSED_SHARE = 0.25
"""Share of closed syllables in languages that have them."""
ENDS = "...?"
"""One text in four is a question."""
NO_INITIAL = "-"


@cache
def _words() -> dict[str, Any]:
    return yaml.safe_load(files("speech_to_face_lab.corpus").joinpath("words.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def languages() -> list[str]:
    """Every language `texts` can make."""
    return ["english", "mandarin", *_words()["syllables"]]


def texts(language: str, count: int, seed: int) -> list[str]:
    """`count` texts, the same for the same seed and the same dictionary.

    language: "english", "mandarin" (as numbered pinyin), or a key of `syllables` in words.yaml.
    """
    rng = random.Random(f"{language}-{seed}")
    make: dict[str, Callable[[random.Random], str]] = {"english": _english, "mandarin": _mandarin}
    return [make[language](rng) if language in make else _pseudo(rng, language) for _ in range(count)]


def _english(rng: random.Random) -> str:
    shares = _words()["english"]["shares"]
    return KINDS[rng.choices(list(shares), list(shares.values()))[0]](rng, _words()["english"])


def _sentence(rng: random.Random, parts: dict[str, list[str]]) -> str:
    opener = rng.choice(parts["openers"]) + " " if rng.random() < 0.3 else ""
    return opener + " ".join(rng.choice(parts[name]) for name in ("subjects", "verbs", "objects", "ends")) + "."


def _question(rng: random.Random, parts: dict[str, list[str]]) -> str:
    if rng.random() < 0.4:
        return (
            " ".join(rng.choice(parts[name]) for name in ("subjects", "verbs", "objects"))
            + ", "
            + rng.choice(parts["tags"])
        )
    return f"{rng.choice(parts['asks'])} {rng.choice(parts['objects'])}?"


def _listed(rng: random.Random, _: dict[str, list[str]]) -> str:
    words, weights = _dictionary()
    picked = rng.choices(words, cum_weights=weights, k=rng.randint(4, 9))
    return " ".join(word + ("," if rng.random() < 0.12 else "") for word in picked).rstrip(",") + "."


def _number(rng: random.Random, parts: dict[str, list[str]]) -> str:
    """Numbers in words, in figures, as telephone digits, dates, times and prices."""
    figures = (
        " ".join(rng.choices(parts["numbers"], k=rng.randint(3, 7))),
        ", ".join(str(rng.randint(0, 10 ** rng.randint(1, 6))) for _ in range(rng.randint(1, 4))),
        " ".join(rng.choices(DIGITS, k=rng.randint(5, 9))),
        f"{rng.choice(parts['months'])} {rng.randint(1, 31)}, {rng.randint(1900, 2030)}",
        f"{rng.randint(1, 12)}:{rng.randint(10, 59)} on {rng.choice(parts['months'])} {rng.randint(1, 31)}",
        f"${rng.randint(1, 900)} for {rng.randint(2, 99)} of them",
    )
    return rng.choice(figures) + "."


def _name(rng: random.Random, parts: dict[str, list[str]]) -> str:
    who = f"{rng.choice(parts['given'])} {rng.choice(parts['family'])}"
    return (
        rng.choice(
            (f"{who} from {rng.choice(parts['places'])}", f"Hello, my name is {who}", f"{who}, {_rare(rng, parts)}")
        )
        + "."
    )


def _rare(rng: random.Random, parts: dict[str, list[str]]) -> str:
    return rng.choice(_names() or parts["family"])


def _apart(rng: random.Random, words: Sequence[str]) -> str:
    """Words one by one with pauses between."""
    return "".join(word + rng.choice(PAUSES) for word in words).rstrip(" .,;") + "."


def _filler(rng: random.Random, parts: dict[str, list[str]]) -> str:
    fillers = rng.choices(parts["fillers"], k=rng.randint(1, 4))
    return _apart(rng, fillers) if rng.random() < 0.6 else ", ".join(fillers) + ", " + _sentence(rng, parts)


def _long(rng: random.Random, parts: dict[str, list[str]]) -> str:
    return _apart(rng, rng.choices(parts["longs"] + parts["fillers"], k=rng.randint(1, 4)))


def _single(rng: random.Random, parts: dict[str, list[str]]) -> str:
    return _apart(rng, rng.choices(parts["singles"], k=rng.randint(1, 5)))


def _letter(rng: random.Random, _: dict[str, list[str]]) -> str:
    return ". ".join(rng.choices(LETTERS, k=rng.randint(2, 7))) + "."


def _command(rng: random.Random, parts: dict[str, list[str]]) -> str:
    verb, colour, where, when = (rng.choice(words) for words in parts["commands"])
    return f"{verb} {colour} {where} {rng.choice(LETTERS)} {rng.choice(DIGITS)} {when}."


KINDS: dict[str, Callable[[random.Random, dict[str, list[str]]], str]] = {
    "sentence": _sentence,
    "question": _question,
    "dictionary": _listed,
    "number": _number,
    "name": _name,
    "filler": _filler,
    "long": _long,
    "single": _single,
    "letter": _letter,
    "command": _command,
}
"""How each kind of English text in words.yaml is made."""


def _entries() -> list[str]:
    found = DICTIONARY.read_text(encoding="utf-8").split() if DICTIONARY.exists() else []
    return [word for word in found if word.isascii() and word.isalpha() and 2 < len(word) < 11]


@cache
def _dictionary() -> tuple[list[str], list[int]]:
    """Words of the dictionary and their running weights, more for more labial letters."""
    words = [word for word in _entries() if word.islower()] or list(_words()["english"]["singles"])
    return words, list(accumulate(1 + sum(word.count(x) for x in "pbmfvwou") for word in words))


@cache
def _names() -> list[str]:
    return [word for word in _entries() if word.istitle()]


def _pseudo(rng: random.Random, language: str) -> str:
    parts: dict[str, list[str]] = _words()["syllables"][language]

    def syllable() -> str:
        closed = "codas" in parts and rng.random() < CLOSED_SHARE
        return "".join(rng.choice(parts[name]) for name in ("onsets", "nuclei", *["codas"] * closed))

    words = ["".join(syllable() for _ in range(rng.randint(1, 4))) for _ in range(rng.choice((1, 2, 4, 5, 6, 7, 8, 9)))]
    return " ".join(word + ("," if rng.random() < 0.1 else "") for word in words).rstrip(",") + rng.choice(ENDS)


@cache
def _pinyin() -> tuple[list[str], list[int]]:
    """All syllables and their running weights, more for labial ones."""
    table = _words()["mandarin"]
    made = [
        ("" if initial == NO_INITIAL else initial) + final
        for final, initials in table.items()
        for initial in initials.split()
    ]
    return made, list(accumulate(2 + sum(syllable.count(x) for x in "bpmfuowv") for syllable in made))


def _mandarin(rng: random.Random) -> str:
    plain, weights = _pinyin()
    picked = rng.choices(plain, cum_weights=weights, k=rng.choice((1, 2, 3, 5, 6, 7, 8, 9, 10, 12)))
    toned = [word + str(rng.randint(1, 4)) + ("," if rng.random() < 0.08 else "") for word in picked]
    return " ".join(toned).rstrip(",") + rng.choice(ENDS)
