"""Text to speak: seeded, phonetically varied, rich in lips.

English gets sentences of common words, lists of dictionary words weighted towards p b m f v w and rounded vowels, numbers and names;
other languages get pseudo-words from their own syllables, since phones are what counts here and not sense.
"""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

DICTIONARY = Path("/usr/share/dict/american-english")
"""Debian's wamerican; where it is absent the built-in words serve alone."""

OPENING_INITIALS = 11
"""Of the Mandarin initials, those that go with every final in the list; the others stand in whole syllables."""


@cache
def _words() -> dict[str, Any]:
    return yaml.safe_load(files("models.corpus").joinpath("words.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def texts(language: str, count: int, seed: int) -> list[str]:
    """`count` texts, the same for the same seed.

    language: "english", "mandarin" (as numbered pinyin), or a key of `syllables` in words.yaml.
    """
    rng = random.Random(f"{language}-{seed}")
    make = {"english": _english, "mandarin": _mandarin}.get(language)
    words = _dictionary() if language == "english" else []
    return [make(rng, words) if make else _pseudo(rng, language) for _ in range(count)]


def _dictionary() -> list[str]:
    if not DICTIONARY.exists():
        return list(_words()["english"]["singles"])
    words = [w for w in DICTIONARY.read_text(encoding="utf-8").split() if w.isascii() and w.isalpha() and w.islower() and 2 < len(w) < 11]
    return words


def _english(rng: random.Random, words: list[str]) -> str:
    parts: dict[str, list[str]] = _words()["english"]
    kind = rng.random()
    if kind < 0.45:
        opener = rng.choice(parts["openers"]) + " " if rng.random() < 0.3 else ""
        return opener + " ".join(rng.choice(parts[name]) for name in ("subjects", "verbs", "objects", "ends")) + "."
    if kind < 0.8:
        picked = rng.choices(words, [1 + sum(w.count(x) for x in "pbmfvwou") for w in words], k=rng.randint(4, 9))
        return " ".join(w + ("," if rng.random() < 0.12 else "") for w in picked) + "."
    if kind < 0.9:
        return " ".join(rng.choices(parts["numbers"], k=rng.randint(3, 7))) + "."
    return ". ".join(rng.choices(parts["singles"], k=rng.randint(2, 5))) + "."


def _pseudo(rng: random.Random, language: str) -> str:
    onsets, nuclei = _words()["syllables"][language].values()

    def word() -> str:
        return "".join(rng.choice(onsets) + rng.choice(nuclei) for _ in range(rng.randint(1, 4)))

    return " ".join(word() + ("," if rng.random() < 0.1 else "") for _ in range(rng.randint(4, 9))) + "."


def _mandarin(rng: random.Random, _: list[str]) -> str:
    parts: dict[str, list[str]] = _words()["mandarin"]

    def syllable() -> str:
        made = rng.random() >= 0.5
        plain = rng.choice(parts["initials"][:OPENING_INITIALS]) + rng.choice(parts["finals"]) if made else rng.choice(parts["whole"])
        return plain + str(rng.randint(1, 4))

    return " ".join(syllable() + ("," if rng.random() < 0.08 else "") for _ in range(rng.randint(5, 12))) + "."
