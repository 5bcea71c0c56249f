"""The optional tongue channel: out on th and less far on l, as the text branch recognizes them.

A rule over phones, not learned: no face in the training data has a tongue. ARKit's `tongueOut` is how far the tongue is
out of the mouth and nothing else (1 is as far as ARKit tracks). So an l, whose tip is up behind the upper teeth, comes
forward half as far as a th, whose tip is between them (American English; often behind them in Britain).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHANNEL = "tongueOut"
REACH = {"TH": 0.4, "L": 0.2}
"""tongueOut by phone. A th shows the tip alone: TalkingHead's Blender script, for one, uses 0.4 for it when it makes
visemes of ARKit's shapes, and 0.2 for the tip behind the teeth. A character's gain on TongueOut changes both."""
UNSURE, SURE = np.array([0.15, 0.3]), np.array([0.35, 0.6])
"""By phone, probabilities up to which the tongue stays in, and from which on it is fully out. Chosen with
`benchmarks/bench_tongue.py` so that in the speech of unseen speakers it is falsely out at most 1 % of the time. Lower
thresholds would show more of their th, whose probability hardly passes 0.1, with more false ones."""


class Tongue:
    """How far the tongue is out, step by step; portions of any size give the same."""

    def __init__(self, phones: tuple[str, ...]) -> None:
        """`phones`: the names of the columns of `push`, with those of REACH among them."""
        self._columns = [phones.index(name) for name in REACH]
        self.reset()

    def reset(self) -> None:
        """Back to a tongue that is in."""
        self._heard, self._wanted = np.zeros((1, len(REACH))), np.zeros(1)

    def push(self, log_phones: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (steps, phones), log-probabilities -> float32 (steps,) in [0, 1], one step late.

        Probabilities jump from step to step. The thresholds apply to the mean of two steps, against false peaks, and
        the result is again the mean of two, for smooth motion; each adds half a step of delay.
        """
        heard = np.concatenate([self._heard, np.exp(log_phones[:, self._columns], dtype=np.float64)])
        part = np.clip(((heard[1:] + heard[:-1]) / 2 - UNSURE) / (SURE - UNSURE), 0.0, 1.0)
        wanted = np.concatenate([self._wanted, (part * part * (3 - 2 * part) * list(REACH.values())).max(axis=1)])
        self._heard, self._wanted = heard[-1:], wanted[-1:]
        return np.asarray((wanted[1:] + wanted[:-1]) / 2, np.float32)
