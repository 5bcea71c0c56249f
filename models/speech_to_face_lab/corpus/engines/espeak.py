"""espeak-ng through its library: phoneme events carry the sample at which each phone starts (speak_lib.h,
espeakEVENT_PHONEME)."""

from __future__ import annotations

import ctypes as c
import ctypes.util
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech_to_face.phones import VOWELS, split_ipa, timed
from speech_to_face_lab.corpus.engines import Utterance, VoiceError, at_16k, tempo

SYNCHRONOUS = 2
PHONEME_EVENTS_AS_IPA = 1 | 2
PHONEME, END = 7, 0
UTF8 = 1
LANGUAGE_CHANGE = "("
"""A word taken from another language comes between events like "(en)" and "(fr)", which are not phones."""
RATE, PITCH = 1, 3
"""Numbers of espeak_PARAMETER; a rate is words per minute, at least 80."""
CLOSURE_S = 0.1
"""A quiet blank shorter than this before a phone is its hold: espeak-ng's pause before a stop is the stop's own
closure."""
LINK_LEVEL = 0.01
"""A blank louder than this share of the peak is a transition between sounds (i-a with a glide), not a pause."""
DRY = "\x011H "
"""espeak-ng's embedded command for the least echo: that of some variants fills the closures of stops, and rooms are
added later."""
SILENT_LEVEL = 0.006
"""Share of the peak below which there is silence."""
VOWEL_ONSET_S = 0.02
"""Measured as the middle of the rise in level from m, n and l to vowels, four voices of 120 to 200 words per minute: 20
to 30 ms."""
LATE_AFTER = frozenset({"M", "N", "NG", "L", "R", "RR", "W", "J"})
Row = tuple[str, int, int]
"""Symbol, first sample, end."""


class _Event(c.Structure):
    _fields_ = [
        ("type", c.c_int), ("identifier", c.c_uint), ("text_position", c.c_int), ("length", c.c_int),
        ("audio_position", c.c_int), ("sample", c.c_int), ("user", c.c_void_p), ("symbol", c.c_char * 8),
    ]  # fmt: skip


_CALLBACK = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.POINTER(_Event))


class Espeak:
    """`voice` is a language with an optional variant, words per minute and pitch (0 to 100, 50 is the variant's own):
    "en-us+f3@165/60"."""

    def __init__(self) -> None:
        self._library: Any = None
        self._rate = 0
        self._audio: list[NDArray[np.int16]] = []
        self._events: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._collect)

    def available(self) -> bool:
        """Whether the library is installed."""
        return ctypes.util.find_library("espeak-ng") is not None

    def speak(self, voice: str, table: str, texts: Sequence[str]) -> Iterator[Utterance]:
        """See `Engine`."""
        speed = self._open(voice)
        for i, text in enumerate(texts):
            self._library.espeak_SetParameter(RATE, round(speed * tempo(i)), 0)
            self._audio, self._events = [], []
            data = (DRY + text).encode()
            self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8, None, None)
            self._library.espeak_Synchronize()
            if self._audio:
                yield self._utterance(text, table)

    def _open(self, voice: str) -> int:
        """Select the voice; returns its words per minute."""
        if self._library is None:
            self._library = c.CDLL(ctypes.util.find_library("espeak-ng"))
            self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS_AS_IPA)
            self._library.espeak_SetSynthCallback(self._callback)
        name, _, numbers = voice.partition("@")
        speed, _, pitch = numbers.partition("/")
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise VoiceError(
                f"espeak-ng has no voice {name!r}; `espeak-ng --voices` and `--voices=variant` list what it has"
            )
        self._library.espeak_SetParameter(PITCH, int(pitch or 50), 0)
        return int(speed or 165)

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if count > 0:
            self._audio.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != END:
            symbol = events[i].symbol.decode(errors="ignore")
            if events[i].type == PHONEME and not symbol.startswith(LANGUAGE_CHANGE):
                self._events.append((events[i].sample, symbol))
            i += 1
        return 0

    def _utterance(self, text: str, table: str) -> Utterance:
        samples = np.asarray(np.concatenate(self._audio) / 32768, np.float32)
        rows = blanks_given(rows_of(self._events, len(samples)), samples, self._rate)
        rows = vowels_begun(closures_begun(rows, samples), self._rate)
        phones = timed([(symbol, start / self._rate, end / self._rate) for symbol, start, end in rows], table)
        return Utterance(text, at_16k(samples, self._rate), tuple(phones))


def rows_of(events: Sequence[tuple[int, str]], count: int) -> list[Row]:
    """(symbol, first sample, end) rows that cover `count` samples; "" is a blank."""
    starts = list(events) if events and events[0][0] == 0 else [(0, ""), *events]
    ends = [sample for sample, _ in starts[1:]] + [count]
    return [(symbol, start, end) for (start, symbol), end in zip(starts, ends, strict=True) if end > start]


def blanks_given(rows: Sequence[Row], samples: NDArray[np.float32], rate: int) -> list[Row]:
    """Blanks that are no silence go to the phone they are part of: the closure before a stop to the stop, a spoken link
    to a neighbour."""
    floor = float(np.abs(samples).max(initial=0.0)) * LINK_LEVEL
    out: list[Row] = []
    for i, (symbol, start, end) in enumerate(rows):
        after = rows[i + 1][0] if i + 1 < len(rows) else ""
        spoken = float(np.sqrt(np.mean(samples[start:end] ** 2))) > floor
        if symbol or not (spoken or (after and end - start < CLOSURE_S * rate)):
            out.append((symbol, start, end))
        else:
            link = spoken and bool(out) and _last_class(out[-1][0]) in VOWELS
            out.append((out[-1][0] if link else after, start, end))
    return out


def closures_begun(rows: Sequence[Row], samples: NDArray[np.float32]) -> list[Row]:
    """Silence at the end of a phone goes to the next one: espeak-ng is silent for a stop's closure before it reports
    the stop."""
    out, floor = list(rows), float(np.abs(samples).max(initial=0.0)) * SILENT_LEVEL
    for i in range(1, len(out)):
        (before, start, middle), (symbol, _, end) = out[i - 1], out[i]
        heard = np.flatnonzero(np.abs(samples[start:middle]) > floor)
        if before and len(heard):
            begun = max(start + int(heard[-1]) + 1, (start + middle) // 2)
            out[i - 1], out[i] = (before, start, begun), (symbol, begun, end)
    return out


def vowels_begun(rows: Sequence[Row], rate: int) -> list[Row]:
    """After a nasal or a liquid espeak-ng reports a vowel only after its onset (synthesize.c, Generate): such vowels
    start earlier."""
    out = list(rows)
    for i in range(1, len(out)):
        (before, start, middle), (symbol, _, end) = out[i - 1], out[i]
        if _last_class(before) in LATE_AFTER and next(iter(split_ipa(symbol)), "") in VOWELS:
            middle -= min(round(VOWEL_ONSET_S * rate), (middle - start) // 2)
            out[i - 1], out[i] = (before, start, middle), (symbol, middle, end)
    return out


def _last_class(symbol: str) -> str:
    return next(reversed(split_ipa(symbol)), "")


@cache
def engine() -> Espeak:
    """One per process: the library has global state."""
    return Espeak()
