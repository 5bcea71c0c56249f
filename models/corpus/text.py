"""Text to speak: seeded, phonetically varied, rich in lips.

English gets sentences of common words, lists of dictionary words weighted towards p b m f v w and rounded vowels, numbers and names;
other languages get pseudo-words from their own syllables, since phones are what counts here and not sense.
"""

from __future__ import annotations

import random
from pathlib import Path

DICTIONARY = Path("/usr/share/dict/american-english")
"""Debian's wamerican; where it is absent the built-in words serve alone."""

SUBJECTS = ["I", "you", "we", "they", "Bob", "Emma", "Peter", "Mary", "the baby", "a farmer", "my mother", "the bishop", "our friend", "nobody", "few people", "the whole family"]  # fmt: skip
VERBS = "moved bought found believed opened watched followed remembered improved promised forgot wrapped borrowed fixed played gave pulled pushed loved answered".split()
OBJECTS = ["a blue book", "five apples", "the purple boat", "some warm bread", "a beautiful map", "her window", "the old piano", "a few empty boxes", "the football", "my umbrella", "a cup of coffee", "the wrong way", "both of them", "a bowl of soup", "the mayor's voice", "whatever we wanted"]  # fmt: skip
ENDS = ["before moonrise", "in the afternoon", "by the water", "for a very long time", "on Monday", "with both hands", "far above the village", "in front of everyone", "near the bottom of the page", "when the music stopped", "twice", "at the zoo", "over the wall", "if you ask me"]  # fmt: skip
OPENERS = ["Well,", "Maybe", "Oh,", "Of course", "Usually", "Look,", "So", "But", "Please, please,", "Hmm,", "Wow,"]
NUMBERS = "one two three four five six seven eight nine ten eleven twelve fifteen twenty forty fifty seventy hundred thousand".split()
SINGLES = "pop mum boom move wave five few view beep map bop pub farm form woof wow woe you who shoe food mood blue room warm bomb imp bump problem memory pebble mammal maybe above remove before perfume".split()

SYLLABLES = {
    "italian": ("p b m f v t d s r l n c g qu pr br tr st sp gn gli sci ci".split(), "a e i o u ia io uo au ei".split()),
    "spanish": ("p b m f t d s r l n c g v pr br tr ll ch j que y".split(), "a e i o u ia io ue ei au".split()),
    "finnish": ("p m v t s r l n k h j".split(), "a e i o u y ä ö aa ee ii oo uu yy ää ie uo yö ai ei au".split()),
    "czech": ("p b m f v t d s š z ž č c ř r l n k h ch j br pr st sv".split(), "a e i o u á é í ou ů y".split()),
    "german": ("p b m f w t d s sch r l n k g pf br fr st z".split(), "a e i o u ä ö ü ei au eu ie aa oo".split()),
    "french": ("p b m f v t d s ch j r l n c g br fr pr".split(), "a é i o ou u eu on an in oi ui eau".split()),
}
PINYIN_INITIALS = "b p m f d t n l g k h j q x zh ch sh r z c s".split()
PINYIN_FINALS = "a o e ai ei ao ou an en ang eng".split()
PINYIN_WHOLE = "wo wu yi yu yuan xue jue qu ju lv nv xiao jiao qing zhong shui gui duo guo bu pu mu fu bo po mo biao miao ming ping bing zi ci si zhi chi shi ri er wang wei yang you yong mei fei".split()


def texts(language: str, count: int, seed: int) -> list[str]:
    """`count` texts in `language` ("english", a key of SYLLABLES, or "mandarin" as numbered pinyin); the same for the same seed."""
    rng = random.Random(f"{language}-{seed}")
    make = {"english": _english, "mandarin": _mandarin}.get(language)
    words = _dictionary() if language == "english" else []
    return [make(rng, words) if make else _pseudo(rng, language) for _ in range(count)]


def _dictionary() -> list[str]:
    if not DICTIONARY.exists():
        return SINGLES
    words = [w for w in DICTIONARY.read_text(encoding="utf-8").split() if w.isascii() and w.isalpha() and w.islower() and 2 < len(w) < 11]
    return words


def _english(rng: random.Random, words: list[str]) -> str:
    kind = rng.random()
    if kind < 0.45:
        opener = rng.choice(OPENERS) + " " if rng.random() < 0.3 else ""
        return f"{opener}{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)} {rng.choice(ENDS)}."
    if kind < 0.8:
        picked = rng.choices(words, [1 + sum(w.count(x) for x in "pbmfvwou") for w in words], k=rng.randint(4, 9))
        return " ".join(w + ("," if rng.random() < 0.12 else "") for w in picked) + "."
    if kind < 0.9:
        return " ".join(rng.choices(NUMBERS, k=rng.randint(3, 7))) + "."
    return ". ".join(rng.choices(SINGLES, k=rng.randint(2, 5))) + "."


def _pseudo(rng: random.Random, language: str) -> str:
    onsets, nuclei = SYLLABLES[language]
    word = lambda: "".join(rng.choice(onsets) + rng.choice(nuclei) for _ in range(rng.randint(1, 4)))  # noqa: E731
    return " ".join(word() + ("," if rng.random() < 0.1 else "") for _ in range(rng.randint(4, 9))) + "."


def _mandarin(rng: random.Random, _: list[str]) -> str:
    def syllable() -> str:
        plain = rng.choice(PINYIN_WHOLE) if rng.random() < 0.5 else rng.choice(PINYIN_INITIALS[:11]) + rng.choice(PINYIN_FINALS)
        return plain + str(rng.randint(1, 4))

    return " ".join(syllable() + ("," if rng.random() < 0.08 else "") for _ in range(rng.randint(5, 12))) + "."
