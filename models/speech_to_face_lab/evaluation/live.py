"""Compares a voice in pieces, as they arrive live, with the whole recording."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from speech_to_face.base import Samples, SpeechToFace

LONGEST_CHUNK = 8000
"""Samples: half a second."""
SECONDS = 12


def stream_difference(model: SpeechToFace, samples: Samples, seed: int = 0) -> float:
    """The largest difference of any coefficient over the first 12 s, cut at random; infinite when the frames are not as
    many."""
    samples = samples[: SECONDS * model.sample_rate]
    whole, stream = model.animate(samples), model.stream()
    live = np.concatenate([*(stream.push(chunk) for chunk in chunks(samples, seed)), stream.flush()])
    return float(np.abs(live - whole).max(initial=0.0)) if live.shape == whole.shape else float("inf")


def chunks(samples: Samples, seed: int) -> Iterator[Samples]:
    """Pieces from one sample to half a second, as often short as long."""
    rng, at = np.random.default_rng(seed), 0
    while at < len(samples):
        size = int(np.exp(rng.uniform(0, np.log(LONGEST_CHUNK))))
        yield samples[at : at + size]
        at += size
