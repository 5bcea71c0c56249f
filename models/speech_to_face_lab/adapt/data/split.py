"""Splits takes into training and held-out ones by their audio, so that the split stays when takes are renamed or
added."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from speech_to_face.base import ModelError
from speech_to_face_lab.adapt.data.takes import LeftOut, Take

ONE_IN = 6
FEWEST = 3
"""Takes: one to judge on and two to learn from."""


def split(takes: Sequence[Take], left: Sequence[LeftOut] = ()) -> tuple[list[Take], list[Take]]:
    """(training, held out). ModelError for too few; `left` are those that were left out, for its text."""
    if len(takes) < FEWEST:
        why = f"; left out: {left[0].name} ({left[0].reason}){' and others' if len(left) > 1 else ''}" if left else ""
        raise ModelError(f"{len(takes)} takes can be used, expected {FEWEST} or more, one of them to judge on{why}")
    keys = {take: key_of(take) for take in takes}
    by_key = sorted(takes, key=lambda take: (keys[take], take.name))
    most = max(1, len(takes) // 3)
    held = [take for take in by_key if keys[take] % ONE_IN == 0][:most] or by_key[:1]
    twins = {keys[take] for take in held}  # copies of one sound under two names stand on one side
    learnt = [take for take in takes if keys[take] not in twins]
    if not learnt:
        raise ModelError(f"all {len(takes)} takes have the same audio, expected {FEWEST} different ones or more")
    return learnt, [take for take in takes if keys[take] in twins]


def key_of(take: Take) -> int:
    """A number derived from the first seconds of its audio."""
    return crc32(np.round(take.samples[:160_000] * 32768).astype(np.int16).tobytes())
