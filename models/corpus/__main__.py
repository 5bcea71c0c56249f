"""Build the training corpus: `python -m models.corpus --out DIR`. Stops and resumes voice by voice."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from models.corpus.engines import SAMPLE_RATE, Utterance, engine
from models.corpus.store import voices, write_voice
from models.corpus.text import texts

TEXTS_AT_ONCE = 40


def voice_rows() -> list[dict[str, Any]]:
    """One row a voice from voices.yaml; a row with several `voices` is spread out."""
    rows = []
    for row in yaml.safe_load(files("models.corpus").joinpath("voices.yaml").read_text(encoding="utf-8")):
        for voice in row.get("voices", [row.get("voice")]):
            name = row["name"] if "voice" in row else f"{row['name']}-{voice.partition('+')[2].partition('@')[0]}"
            rows.append({key: row[key] for key in ("engine", "table", "language", "minutes", "licence")} | {"name": name, "voice": voice})
    return rows


def said(row: dict[str, Any], scale: float, seed: int) -> Iterator[Utterance]:
    """Utterances until the voice has spoken its minutes."""
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
            raise RuntimeError(f"{row['name']}: {row['engine']} said none of {TEXTS_AT_ONCE} texts")
        batch += 1


def hash_seed(name: str, seed: int, batch: int) -> int:
    """A seed of its own for every voice and batch, the same on every machine."""
    return seed * 1_000_003 + sum(ord(ch) * (i + 1) for i, ch in enumerate(name)) * 1009 + batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the minutes in voices.yaml")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = voice_rows()
    for i, row in enumerate(rows, 1):
        if row["name"] in voices(options.out):
            continue
        if not engine(row["engine"]).available():
            print(f"[{i}/{len(rows)}] {row['name']}: {row['engine']} is not installed, left out")
            continue
        seconds = write_voice(options.out, row["name"], row, said(row, options.scale, options.seed))
        print(f"[{i}/{len(rows)}] {row['name']}: {seconds / 60:.1f} min", flush=True)
    _write_manifest(options.out, rows)


def _write_manifest(folder: Path, rows: list[dict[str, Any]]) -> None:
    have = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["seconds"] for name in voices(folder)}
    table = [row | {"seconds": have[row["name"]]} for row in rows if row["name"] in have]
    (folder / "manifest.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
    print(f"{len(table)} voices, {sum(have.values()) / 3600:.2f} h")


if __name__ == "__main__":
    main()
