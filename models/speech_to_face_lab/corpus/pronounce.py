"""Transcripts to phone classes: the possible pronunciations of each word, before its times are known.

English and Spanish words go through espeak-ng one by one, so that none is joined with its neighbour; Mandarin
characters through pypinyin and espeak-ng's pinyin voice, one word a syllable; the corpus speechocean762 has its own
phones.
"""

from __future__ import annotations

import ctypes as c
import ctypes.util
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from speech_to_face.phones import classes_of, split_ipa

Variant = tuple[str, ...]
AMERICAN, BRITISH, SPANISH, PINYIN = "en-us", "en-gb-x-rp", "es", "cmn-latn-pinyin"
"""espeak-ng's voices that speak the transcripts' accents."""
TONE_MARKS = str.maketrans("", "", "0123456789ɜ")
"""What espeak-ng's pinyin voice writes for tones; it has no vowel ɜ."""
AS_IPA, UTF8, SYNCHRONOUS = 2, 1, 2
HANZI = "\u3400-\u9fff"
LATIN = "[0-9a-z\u00c0-\u024f']+"
TOKEN = re.compile(r"'?[^\W_]+(?:'[^\W_]+)*")
"""A word: letters and digits, with the apostrophes inside and before it ("'em")."""


class PronounceError(ValueError):
    """A transcript that cannot be pronounced. The text is one line: which word, and in what language."""


class LibraryError(PronounceError):
    """espeak-ng is not installed: no word can be pronounced."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and its pronunciations."""

    text: str
    variants: tuple[Variant, ...]
    """Names of phone classes in the order spoken, likeliest first; never empty."""


def pronounce(transcript: str, voice: str = AMERICAN) -> list[Word]:
    """Words of a transcript; punctuation is dropped, single letters are read as letters, digits as numbers.

    voice: an espeak-ng voice, or `PINYIN` for Mandarin written in characters. Raises PronounceError for a word without
    any phone and for a transcript without words.
    """
    plain = transcript.lower().replace("’", "'")
    words = _mandarin(plain) if voice == PINYIN else [_word(token, voice) for token in TOKEN.findall(plain)]
    if not words:
        raise PronounceError(f"transcript {transcript!r}: no words in it")
    return words


def from_arpabet(phones: str, transcript: str) -> list[Word]:
    """Words of speechocean762's canonical phones: "AE0_B N_I D_E | W_B ..." (stress digit, place in the word; | between
    words).

    Raises PronounceError when a symbol is unknown or the words are not as many as the transcript's.
    """
    groups, texts = phones.split("|"), transcript.split()
    if len(groups) != len(texts):
        raise PronounceError(f"phones of {len(groups)} words for a transcript of {len(texts)}: {transcript!r}")
    return [Word(text, (_arpabet(group), *_weak(text.lower()))) for text, group in zip(texts, groups, strict=True)]


def _arpabet(group: str) -> Variant:
    symbols = [re.sub(r"\d?(_[BIES])?$", "", symbol).lower() for symbol in group.split()]
    try:
        names = tuple(name for symbol in symbols for name in classes_of(symbol, "cmu"))
    except KeyError as error:
        raise PronounceError(f"phone {error.args[0]!r} is not in the table 'cmu' of phones.yaml") from error
    if not names:
        raise PronounceError(f"a word without phones in {group!r}")
    return names


def _word(token: str, voice: str) -> Word:
    if not re.fullmatch(LATIN, token):  # espeak-ng would read it as "Chinese letter"
        raise PronounceError(
            f"{token!r} is not written in Latin letters or digits, which is all that the voice {voice!r} reads"
        )
    said = ipa(token, voice)
    if voice.startswith("en"):
        said = said.replace(
            "ɾ", "t"
        )  # espeak-ng taps its t between vowels; the mouth and the other engines' tables call it TD
    names = tuple(split_ipa(said))
    if not names:
        raise PronounceError(f"espeak-ng's voice {voice!r} cannot say {token!r}")
    weak = _weak(token) if voice.startswith("en") else ()
    return Word(token, (names, *(form for form in weak if form != names)))


def _mandarin(transcript: str) -> list[Word]:
    """Syllable by syllable; what is not written in characters is read as English."""
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError as error:
        raise PronounceError(
            "pypinyin is not installed, which reads Mandarin characters (pip install livelink-bridge[train])"
        ) from error
    words: list[Word] = []
    for run in re.findall(f"[{HANZI}]+|[^{HANZI}]+", transcript):
        if re.match(f"[{HANZI}]", run):
            # The whole run at once: a character with several readings gets the one of its phrase.
            sounds = lazy_pinyin(run, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
            words += [_syllable(character, sound) for character, sound in zip(run, sounds, strict=True)]
        else:
            words += [_word(token, AMERICAN) for token in TOKEN.findall(run)]
    return words


def _syllable(character: str, pinyin: str) -> Word:
    names = tuple(split_ipa(ipa(pinyin, PINYIN).translate(TONE_MARKS)))
    if not re.fullmatch("[a-z]+[1-5]", pinyin) or not names:
        raise PronounceError(f"pypinyin cannot read {character!r} (it gave {pinyin!r})")
    return Word(character, (names,))


@cache
def _weak_forms() -> dict[str, list[str]]:
    return yaml.safe_load(files("speech_to_face_lab.corpus").joinpath("weak_forms.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _weak(word: str) -> tuple[Variant, ...]:
    return tuple(tuple(form.split()) for form in _weak_forms().get(word, ()))


@cache
def ipa(text: str, voice: str) -> str:
    """espeak-ng's IPA of one word, without spaces or stress. Raises LibraryError without the library, PronounceError
    without the voice."""
    library = _library()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise PronounceError(f"espeak-ng has no voice {voice!r}")
    buffer = c.create_string_buffer(text.encode())
    rest, parts = c.c_char_p(c.addressof(buffer)), []
    while rest.value:
        parts.append(library.espeak_TextToPhonemes(c.byref(rest), UTF8, AS_IPA).decode())
    return re.sub(r"\([a-z-]+\)|[ˈˌ\s]", "", "".join(parts))


@cache
def _library() -> Any:
    """One per process: the library keeps global state. Raises LibraryError where it is not installed."""
    name = ctypes.util.find_library("espeak-ng")
    if name is None:
        raise LibraryError("the library espeak-ng is not installed (Debian: libespeak-ng1)")
    library = c.CDLL(name)
    library.espeak_Initialize(SYNCHRONOUS, 0, None, 0)
    library.espeak_TextToPhonemes.restype = c.c_char_p
    library.espeak_TextToPhonemes.argtypes = [c.POINTER(c.c_char_p), c.c_int, c.c_int]
    return library
