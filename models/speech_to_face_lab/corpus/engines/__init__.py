"""Text-to-speech engines with timed phones. A new one is a file here and a line in `ENGINES`.

Every engine is an optional system package; `available()` is False where it is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face.phones import Phone

SAMPLE_RATE = 16_000
"""Sample rate of the whole corpus, Hz."""
TEMPI = (1.0, 0.87, 1.12, 1.0, 0.75, 1.0, 1.25, 0.93, 1.06, 0.55)
"""Tempo of text i of a call is TEMPI[i % 10] times the voice's own: people hurry, and draw out their vowels."""


class VoiceError(ModelError):
    """An engine without the requested voice. The text is one line for the user."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken text with its timed phones."""

    text: str
    samples: NDArray[np.float32]
    """float32 (n,), mono, [-1, 1], 16 kHz."""
    phones: tuple[Phone, ...]


class Engine(Protocol):
    """Interface of an engine."""

    def available(self) -> bool:
        """Whether its program is installed here."""
        ...

    def speak(self, voice: str, table: str, texts: Sequence[str]) -> Iterator[Utterance]:
        """Utterances for `texts`, in order; a text that the engine cannot speak is left out. `table` names the phone
        set. Raises VoiceError when the engine has no such voice, as far as it reports that."""
        ...


ENGINES = {name: f"speech_to_face_lab.corpus.engines.{name}" for name in ("espeak", "festival", "flite")}


def engine(name: str) -> Engine:
    """The engine of this name. Raises VoiceError for an unknown one."""
    return cast(Callable[[], Engine], import_module(ENGINES[name]).engine)()


def tempo(index: int) -> float:
    """Tempo of text `index` of a call, 1 being the voice's own."""
    return TEMPI[index % len(TEMPI)]


def at_16k(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """float32 (n,) at `rate` Hz as float32 at 16 kHz."""
    import soxr

    return np.asarray(samples if rate == SAMPLE_RATE else soxr.resample(samples, rate, SAMPLE_RATE), dtype=np.float32)
