"""espeak-ng through its library: phoneme events carry the sample at which each phone starts (speak_lib.h, espeakEVENT_PHONEME)."""

from __future__ import annotations

import ctypes as c
import ctypes.util
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.corpus.engines import Utterance, at_16k
from models.corpus.phones import timed

SYNCHRONOUS = 2
PHONEME_EVENTS_AS_IPA = 1 | 2
PHONEME, END = 7, 0
UTF8 = 1


class _Event(c.Structure):
    _fields_ = [
        ("type", c.c_int), ("identifier", c.c_uint), ("text_position", c.c_int), ("length", c.c_int),
        ("audio_position", c.c_int), ("sample", c.c_int), ("user", c.c_void_p), ("symbol", c.c_char * 8),
    ]  # fmt: skip


_CALLBACK = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.POINTER(_Event))


class Espeak:
    """`voice` is a language with an optional variant and words per minute: "en-us+f3@165"."""

    def __init__(self) -> None:
        self._library: Any = None
        self._rate = 0
        self._audio: list[NDArray[np.int16]] = []
        self._events: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._collect)

    def available(self) -> bool:
        return ctypes.util.find_library("espeak-ng") is not None

    def speak(self, voice: str, table: str, texts: Sequence[str]) -> Iterator[Utterance]:
        self._open(voice)
        for text in texts:
            self._audio, self._events = [], []
            data = text.encode()
            self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8, None, None)
            self._library.espeak_Synchronize()
            if self._audio:
                yield self._utterance(text, table)

    def _open(self, voice: str) -> None:
        if self._library is None:
            self._library = c.CDLL(ctypes.util.find_library("espeak-ng"))
            self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS_AS_IPA)
            self._library.espeak_SetSynthCallback(self._callback)
        name, _, speed = voice.partition("@")
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name!r}")
        self._library.espeak_SetParameter(1, int(speed or 165), 0)

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if count > 0:
            self._audio.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != END:
            if events[i].type == PHONEME:
                self._events.append((events[i].sample, events[i].symbol.decode(errors="ignore")))
            i += 1
        return 0

    def _utterance(self, text: str, table: str) -> Utterance:
        audio = np.concatenate(self._audio)
        ends = [sample for sample, _ in self._events[1:]] + [len(audio)]
        rows = [(symbol, start / self._rate, end / self._rate) for (start, symbol), end in zip(self._events, ends, strict=True)]
        if rows and rows[0][1] > 0:
            rows.insert(0, ("", 0.0, rows[0][1]))
        return Utterance(text, at_16k(np.asarray(audio / 32768, np.float32), self._rate), tuple(timed(rows, table)))


@cache
def engine() -> Espeak:
    """One per process: the library keeps global state."""
    return Espeak()
