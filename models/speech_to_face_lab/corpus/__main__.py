"""Build the training corpus: `python -m speech_to_face_lab.corpus --out DIR`. Stops and resumes voice by voice."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from speech_to_face_lab.corpus.engines import ENGINES, SAMPLE_RATE, Utterance, VoiceError, engine
from speech_to_face_lab.corpus.store import voices, write_voice
from speech_to_face_lab.corpus.text import texts

TEXTS_AT_ONCE = 40


def voice_rows() -> list[dict[str, Any]]:
    """One row a voice from voices.yaml; a row with several `voices` is expanded."""
    rows = []
    for row in yaml.safe_load(files("speech_to_face_lab.corpus").joinpath("voices.yaml").read_text(encoding="utf-8")):
        for voice in row.get("voices", [row.get("voice")]):
            name = row["name"] if "voice" in row else f"{row['name']}-{voice.partition('+')[2].partition('@')[0]}"
            rows.append(
                {key: row[key] for key in ("engine", "table", "language", "minutes", "licence")}
                | {"name": name, "voice": voice}
            )
    return rows


def said(row: dict[str, Any], scale: float, seed: int) -> Iterator[Utterance]:
    """Utterances until the voice has spoken its minutes. Raises VoiceError when the engine or the voice is not
    installed."""
    if not engine(row["engine"]).available():
        raise VoiceError(f"{row['engine']} is not installed")
    wanted, done, batch = row["minutes"] * 60 * SAMPLE_RATE * scale, 0, 0
    while done < wanted:
        before = done
        some = texts(row["language"], TEXTS_AT_ONCE, hash_seed(row["name"], seed, batch))
        for utterance in engine(row["engine"]).speak(row["voice"], row["table"], some):
            done += len(utterance.samples)
            yield utterance
            if done >= wanted:
                return
        if done == before:
            raise VoiceError(
                f"{row['engine']} spoke none of {TEXTS_AT_ONCE} texts; is its voice {row['voice']} installed?"
            )
        batch += 1


def hash_seed(name: str, seed: int, batch: int) -> int:
    """A seed of its own for every voice and batch, the same on every machine."""
    return seed * 1_000_003 + sum(ord(ch) * (i + 1) for i, ch in enumerate(name)) * 1009 + batch


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the minutes in voices.yaml")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--engines", nargs="+", choices=sorted(ENGINES), default=sorted(ENGINES), help="voices of these alone"
    )
    options = parser.parse_args()
    rows = voice_rows()
    build(options.out, [row for row in rows if row["engine"] in options.engines], options.scale, options.seed)
    _write_manifest(options.out, rows)


def build(folder: Path, rows: list[dict[str, Any]], scale: float = 1.0, seed: int = 0) -> None:
    """Make the voices that are missing in `folder`, one printed line each. A voice that this machine lacks is left
    out."""
    folder.mkdir(parents=True, exist_ok=True)
    complete = set(voices(folder))
    progress = Progress(len(rows), sum(row["minutes"] for row in rows) * 60 * scale)
    for row in rows:
        if row["name"] in complete:
            progress.had(row["minutes"] * 60 * scale)
            continue
        try:
            progress.made(row["name"], write_voice(folder, row["name"], row, said(row, scale, seed)))
        except VoiceError as error:
            progress.left_out(row["name"], row["minutes"] * 60 * scale, str(error))


class Progress:
    """Lines like "12/104 festival-dita: 30.0 min (8.30 of 20.10 h, 6 min left)"."""

    def __init__(self, count: int, seconds: float) -> None:
        """count: voices; seconds: of sound wanted in all."""
        self._count, self._wanted = count, seconds
        self._index, self._seconds, self._made, self._began = 0, 0.0, 0.0, time.monotonic()

    def had(self, seconds: float) -> None:
        """Count a voice that exists already."""
        self._index, self._seconds = self._index + 1, self._seconds + seconds

    def made(self, name: str, seconds: float) -> None:
        """Count a new voice and print its line."""
        self.had(seconds)
        self._made += seconds
        left = (self._wanted - self._seconds) * (time.monotonic() - self._began) / max(self._made, 1e-9)
        hours = f"{self._seconds / 3600:.2f} of {self._wanted / 3600:.2f} h"
        print(
            f"{self._index}/{self._count} {name}: {seconds / 60:.1f} min ({hours}, {max(left, 0) / 60:.0f} min left)",
            flush=True,
        )

    def left_out(self, name: str, seconds: float, why: str) -> None:
        """Count a voice that this machine lacks and print its line."""
        self._index, self._wanted = self._index + 1, self._wanted - seconds
        print(f"{self._index}/{self._count} {name}: left out: {why}", flush=True)


def _write_manifest(folder: Path, rows: list[dict[str, Any]]) -> None:
    have = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["seconds"] for name in voices(folder)
    }
    table = [row | {"seconds": have[row["name"]]} for row in rows if row["name"] in have]
    (folder / "manifest.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
    print(f"{len(table)} voices, {sum(have.values()) / 3600:.2f} h")


if __name__ == "__main__":
    main()
