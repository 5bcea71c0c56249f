"""Real people, where development data is at hand: LIVELINK_BRIDGE_DATA names a folder whose `val.json` indexes clips
with word times."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import MOUTH_32
from speech_to_face.loading import load_model

BILABIAL = {"bin", "blue", "by", "place", "please", "b", "p", "m"}
"""Words of the GRID sentences that begin with closed lips."""
SILENCE = {"sil", "sp"}
SEALED = 0.03
"""Openings below this look closed: a thirtieth of the jaw's whole travel."""
BEFORE_S, AFTER_S = 0.06, 0.13

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def clips() -> list[tuple[np.ndarray, list[tuple[float, float, str]]]]:
    folder = os.environ.get("LIVELINK_BRIDGE_DATA")
    if not folder or not (Path(folder) / "val.json").is_file():
        pytest.skip(
            "no development data: set LIVELINK_BRIDGE_DATA to a folder with val.json to check the model on real speech"
        )
    rows = json.loads((Path(folder) / "val.json").read_text(encoding="utf-8"))
    return [
        (soundfile.read(Path(folder) / row["wav"], dtype="float32")[0], row["words"]) for row in rows if "words" in row
    ]


def opening(mouth: np.ndarray) -> np.ndarray:
    """(frames,): how far the lips are apart; 0 is sealed."""
    c = {name: mouth[:, i] for i, name in enumerate(MOUTH_32)}
    lips = c["mouthLowerDownLeft"] + c["mouthLowerDownRight"] + c["mouthUpperUpLeft"] + c["mouthUpperUpRight"]
    return c["jawOpen"] - c["mouthClose"] + lips / 4


def narrowest(clips) -> tuple[np.ndarray, np.ndarray]:
    """Smallest opening around the onset of words that begin with p, b, m, and of all other words."""
    model, closed, others = load_model(device="cpu"), [], []
    for sound, words in clips:
        gap = opening(model.animate(sound))
        for start, _, word in words:
            if word not in SILENCE:
                around = gap[max(0, int((start - BEFORE_S) * 60)) : int((start + AFTER_S) * 60) + 1]
                (closed if word in BILABIAL else others).append(around.min())
    return np.array(closed), np.array(others)


def test_lips_close_on_most_words_that_begin_with_p_b_m_and_on_fewer_others(clips, capsys):
    closed, others = narrowest(clips)
    hits, false = float((closed < SEALED).mean()), float((others < SEALED).mean())
    with capsys.disabled():
        print(f"\nlips closed at {hits:.0%} of {len(closed)} p, b, m words and at {false:.0%} of {len(others)} others")  # noqa: T201
    assert hits > 0.6 and false < 0.6 * hits


def test_the_jaw_moves_with_the_words_and_rests_between_them(clips):
    model, spoken, silent = load_model(device="cpu"), [], []
    for sound, words in clips:
        jaw = model.animate(sound)[:, MOUTH_32.index("jawOpen")]
        for start, end, word in words:
            if end - start > 0.1:
                (silent if word in SILENCE else spoken).append(
                    jaw[int((start + 0.05) * 60) : int((end - 0.05) * 60) + 1].max()
                )
    assert np.median(spoken) > 3 * np.median(silent)
