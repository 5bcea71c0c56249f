"""The lag of each take's face, from the jaw that the untouched network makes of its audio; takes that do not match are
left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face_lab import metrics
from speech_to_face_lab.adapt.data.takes import Curves, LeftOut, Take, put_right
from speech_to_face_lab.metrics import Pair

REACH = 30
"""Frames that a face may be early or late: half a second."""
LEAST_R = 0.3
"""Least correlation of both jaws where the audio is the face's own; other audio of eight seconds reaches 0.25 by
chance."""
LEAST_MORE = 0.5
"""Divided by the square root of the seconds: the margin over LEAST_R that a short take must reach, since the search for
a lag finds one by chance."""
OWN_LAG_S = 8.0
"""Takes shorter than this share a lag that is found over all of them."""
HALVES_S = 40.0
MAX_DRIFT = 6
"""Frames by which the lags of a long take's halves may differ."""
JAW = MOUTH_32.index("jawOpen")


def timed(takes: Sequence[Take], face_of: Callable[[Take], Curves]) -> tuple[list[Take], list[LeftOut]]:
    """Takes with their faces aligned to their audio, and those that cannot be aligned."""
    pairs = {take: _jaws(face_of(take), take) for take in takes}
    short = [take for take in takes if take.seconds < OWN_LAG_S]
    shared = metrics.best_lag([pairs[take] for take in short], -REACH, REACH)[1] if short else 0
    kept: list[Take] = []
    left: list[LeftOut] = []
    for take in takes:
        lag, reason = _own(pairs[take], take.seconds) if take.seconds >= OWN_LAG_S else _at(pairs[take], shared)
        if reason:
            left.append(LeftOut(take.name, reason))
        else:
            kept.append(put_right(take, -lag))
    return kept, left


def _jaws(predicted: Curves, take: Take) -> Pair:
    return predicted[:, JAW].astype(np.float64), take.curves[:, JAW].astype(np.float64)


def _own(pair: Pair, seconds: float) -> tuple[int, str]:
    """The lag of the prediction in frames, and why the take cannot be used; empty when it can."""
    r, lag = metrics.best_lag([pair], -REACH, REACH)
    wanted = LEAST_R + LEAST_MORE / seconds**0.5
    if not r >= wanted:
        return lag, _strange(r, wanted)
    if abs(lag) == REACH:
        return lag, f"mistimed: face and audio are {REACH / FRAME_RATE:g} s apart or more"
    if seconds >= HALVES_S and (apart := _drift(pair)) > MAX_DRIFT:
        return (
            lag,
            f"mistimed: face and audio drift apart by {1000 * apart / FRAME_RATE:.0f} ms from its first half to its "
            "second",
        )
    return lag, ""


def _at(pair: Pair, lag: int) -> tuple[int, str]:
    """A short take at the lag of all of them."""
    r = metrics.correlation(*metrics.pooled([metrics.shifted(pair, lag)]))
    if abs(lag) == REACH:
        return lag, f"mistimed: faces and audio of the short takes are {REACH / FRAME_RATE:g} s apart or more"
    return lag, "" if r >= LEAST_R else _strange(r, LEAST_R)


def _strange(r: float, wanted: float) -> str:
    if np.isnan(r):
        return "the jaw does not move, or there is no speech"
    return f"mistimed or with other audio: jaw and voice agree by r {r:.2f}, expected {wanted:.2f} or more"


def _drift(pair: Pair) -> int:
    half = len(pair[1]) // 2
    lags = [
        metrics.best_lag([(pair[0][part], pair[1][part])], -REACH, REACH)[1]
        for part in (slice(None, half), slice(half, None))
    ]
    return abs(lags[0] - lags[1])
