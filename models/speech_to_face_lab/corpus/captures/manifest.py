"""A folder of recordings that `manifest*.json` lists: one JSON list of rows per file.

A row has `id` and `audio` (path below the folder), and may have `curves` (npz: `coeffs` (frames, names), `names`,
`fps`; frames that `face_found` denies are passed over), `curve_lag_s` (how much later the curves are than the sound),
`split` ("train", "val", "test"), `words` ([start s, end s, word]), `phones` (a TextGrid of timed phones), `transcript`,
`language`, `speaker`, `rig` and `licence`. Rows that judge a model, by their split or by timed phones, are held out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from speech_to_face.base import ModelError
from speech_to_face.phones import PAUSES
from speech_to_face_lab.corpus.captures import UNKNOWN_LANGUAGE, Capture, Word
from speech_to_face_lab.corpus.captures.curves import fit, rigs
from speech_to_face_lab.corpus.captures.npz import read_npz
from speech_to_face_lab.corpus.captures.sound import read_sound
from speech_to_face_lab.corpus.captures.textgrid import WORD_TIERS, find_tier, read_textgrid

HELD_OUT = {"train": False, "val": True, "test": True}
ELSEWHERE = "see TextGrid"
"""Prefix of a transcript that only refers to the words of the row's TextGrid."""


def captures(folder: Path) -> Iterator[Capture]:
    """Rows of all manifests in `folder`, or of the one manifest that it names, manifest by manifest."""
    manifests = [folder] if folder.is_file() else sorted(folder.glob("manifest*.json"))
    if not manifests:
        raise ModelError(f"captures {folder}: got no manifest*.json, expected at least one")
    for path in manifests:
        for row in read_rows(path):
            try:
                yield _capture(path.parent, row)
            except (KeyError, TypeError, ValueError) as error:
                raise ModelError(f"manifest {path}, row {row.get('id')!r}: {type(error).__name__}: {error}") from None


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of one manifest, each with id and audio. ModelError for anything else."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"manifest {path} cannot be read, expected JSON: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ModelError(f"manifest {path}: got {type(rows).__name__}, expected a list of rows, each with id and audio")
    for number, row in enumerate(rows):
        if not {"id", "audio"} <= row.keys():
            raise ModelError(
                f"manifest {path}, row {number}: got keys {', '.join(row)}, expected id and audio among them"
            )
    return rows


def _capture(folder: Path, row: dict[str, Any]) -> Capture:
    samples, curves, live, rig = read_sound(folder / row["audio"]), None, None, ""
    known = _known(row)
    if row.get("curves"):
        path, rig = folder / row["curves"], row.get("rig") or known.get("rig", "")
        values, times_s, names = read_npz(path, row.get("fps"), row.get("curve_lag_s", 0.0))
        samples, curves, live = fit(path, samples, values, times_s, names, rig)
    words = _words(folder, row)
    return Capture(
        name=row["id"],
        speaker=row.get("speaker") or known.get("speaker") or row["id"],
        language=language_code(row.get("language", "")),
        samples=samples,
        curves=curves,
        live=live,
        words=words,
        transcript=_transcript(row, words),
        rig=rig,
        held_out=_held_out(row),
        licence=row.get("licence", ""),
    )


def _known(row: dict[str, Any]) -> dict[str, str]:
    """Speaker and rig that the id contains."""
    for entry in rigs()["ids"]:
        if match := re.match(entry["id"], row["id"]):
            return {key: match.expand(entry[key]) for key in ("speaker", "rig") if key in entry}
    return {}


def language_code(text: str) -> str:
    """`en-GB` or `zh (Mandarin)` -> its ISO 639 code."""
    match = re.match(r"[a-z]{2,3}\b", text)
    return match[0] if match else UNKNOWN_LANGUAGE


def _words(folder: Path, row: dict[str, Any]) -> tuple[Word, ...]:
    rows = [(word, start, end) for start, end, word in row.get("words", ())]
    if not rows and row.get("phones"):
        tier = find_tier(read_textgrid(folder / row["phones"]), WORD_TIERS)
        rows = [(span.text, span.start_s, span.end_s) for span in tier.spans] if tier else []
    return tuple(Word(text, float(start), float(end)) for text, start, end in rows if text.lower() not in PAUSES)


def _transcript(row: dict[str, Any], words: tuple[Word, ...]) -> str:
    text = str(row.get("transcript", ""))
    return " ".join(word.text for word in words) if not text or text.startswith(ELSEWHERE) else text


def _held_out(row: dict[str, Any]) -> bool:
    split = row.get("split", "train")
    if split not in HELD_OUT:
        raise ValueError(f"got split {split!r}, expected one of {', '.join(HELD_OUT)}")
    return HELD_OUT[split] or bool(row.get("phones"))
