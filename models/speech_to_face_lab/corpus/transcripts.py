"""Transcripts of real recordings before alignment: a manifest row as words, timed words, or audio alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speech_to_face.phones import PAUSES
from speech_to_face_lab.corpus.captures.manifest import read_rows
from speech_to_face_lab.corpus.pronounce import (
    AMERICAN,
    BRITISH,
    PINYIN,
    SPANISH,
    LibraryError,
    PronounceError,
    Word,
    from_arpabet,
    pronounce,
)

MANIFESTS = "manifest*.json"
BRITISH_CORPORA = ("VCTK", "grid")
VOICES = {"en": AMERICAN, "zh": PINYIN, "es": SPANISH}
"""espeak-ng's voice for the first two letters of a row's language."""
WITHOUT_TRANSCRIPT = "facegood"
"""The corpus whose phones are decoded from the posteriors: one clear voice that speaks syllables and words."""
TimedText = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class Recording:
    """One clip and its transcript."""

    id: str
    audio: Path
    corpus: str
    words: tuple[Word, ...]
    """Empty where phones are decoded."""
    times: tuple[tuple[float, float], ...]
    """(start_s, end_s) of each word, or empty."""

    @property
    def kind(self) -> str:
        """How its phones are found: from timed words, by alignment, or by decoding."""
        return "words" if self.times else "aligned" if self.words else "decoded"


def recordings(folder: Path) -> tuple[list[Recording], list[str]]:
    """Recordings that can be aligned or decoded, and a line for each whose transcript cannot be pronounced.

    Clips with a hand-made `phones` file are left out: they are for checking. Raises FileNotFoundError when no manifest
    is in `folder`, ModelError for a manifest that cannot be read, and LibraryError where words need espeak-ng and it is
    not installed.
    """
    found: list[Recording] = []
    unsaid: list[str] = []
    for row in _rows(folder):
        try:
            recording = _recording(folder, row)
        except LibraryError:
            raise
        except PronounceError as error:
            unsaid.append(f"{row['id']}: {error}")
            continue
        found += [recording] if recording else []
    return found, unsaid


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    here = sorted(folder.glob(MANIFESTS))
    if not here:
        raise FileNotFoundError(
            f"{folder}: got no {MANIFESTS}, expected at least one; name the folder of the real recordings"
        )
    for path in here:
        yield from read_rows(path)


def _recording(folder: Path, row: dict[str, Any]) -> Recording | None:
    corpus = row.get("corpus") or row["id"].partition("_")[0]
    rest = (row["id"], folder / row["audio"], corpus)
    if "phones" in row:
        return None
    if row.get("words"):
        said = [(start, end, text) for start, end, text in row["words"] if text.lower() not in PAUSES]
        return Recording(*rest, _timed(said, corpus), tuple((start, end) for start, end, _ in said))
    if row.get("transcript"):
        return Recording(*rest, tuple(_words(row, corpus)), ())
    return Recording(*rest, (), ()) if corpus == WITHOUT_TRANSCRIPT else None


def _timed(said: list[TimedText], corpus: str) -> tuple[Word, ...]:
    """Each timed text as one word, even where it is read as several."""
    voice = BRITISH if corpus in BRITISH_CORPORA else AMERICAN
    return tuple(_joined(text, pronounce(text, voice)) for _, _, text in said)


def _joined(text: str, parts: list[Word]) -> Word:
    if len(parts) == 1:
        return parts[0]
    return Word(text, (tuple(name for part in parts for name in part.variants[0]),))


def _words(row: dict[str, Any], corpus: str) -> list[Word]:
    if "phones_untimed" in row:
        return from_arpabet(row["phones_untimed"], row["transcript"])
    language = str(row.get("language", "en"))[:2]
    if language not in VOICES:
        raise PronounceError(f"language {row['language']!r}: expected one of {', '.join(VOICES)}")
    return pronounce(row["transcript"], BRITISH if corpus in BRITISH_CORPORA else VOICES[language])
