"""The best path through a transcript: words with alternatives and optional pauses as a graph of phones, and Viterbi
over it.

The usual length of each phone counts too: without it a weak network extends one phone over a whole syllable and
squeezes the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from speech_to_face.phones import CLASSES, INDEX, VOWELS
from speech_to_face_lab.corpus.pronounce import Word

Shares = NDArray[np.float32]
SILENCE = INDEX["SIL"]
FRAMES_OF_A_CONSONANT, FRAMES_OF_A_VOWEL, FRAMES_OF_A_PAUSE = 2, 3, 3
"""Least length of a phone, in frames of 1/60 s."""
USUAL_CONSONANT, USUAL_VOWEL = 4.5, 6.0
"""Median frames of a phone."""
SPREAD = 0.4
"""Standard deviation of the logarithm of a phone's length."""
LONGEST = 24
"""Frames up to which a phone's length is counted; each further one costs `LONGER`."""
LONGER = -0.3
PAUSE = -1.0
"""Log-likelihood of a pause between two words over none."""


@dataclass(slots=True)
class Lattice:
    """Phones in the order spoken."""

    classes: list[int] = field(default_factory=list)
    word: list[int] = field(default_factory=list)
    """Index of the phone's word; -1 for a pause."""
    before: list[list[int]] = field(default_factory=list)
    """Possible predecessors."""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Phones that may be the first and the last."""

    def add(self, name: str, word: int, before: Sequence[int]) -> int:
        """Append one phone; its number."""
        self.classes.append(INDEX[name])
        self.word.append(word)
        self.before.append(list(before))
        return len(self.classes) - 1


def lattice(words: Sequence[Word]) -> Lattice:
    """Words in order, one variant of each, with a pause allowed before, after and between."""
    graph = Lattice()
    exits = [graph.add("SIL", -1, [])]
    graph.starts.append(0)
    for i, word in enumerate(words):
        reached, exits = exits, []
        for variant in word.variants:
            first, last = len(graph.classes), reached
            for name in variant:
                last = [graph.add(name, i, last)]
            exits += last
            graph.starts += [first] if i == 0 else []
        graph.ends = list(exits)
        exits.append(graph.add("SIL", -1, exits))
    graph.ends.append(exits[-1])
    return graph


def best_path(graph: Lattice, emissions: Shares, quick: bool = False) -> NDArray[np.int64] | None:
    """int64 (frames,): the likeliest phone of `graph` at each frame; None when no path fits into the frames.

    emissions: float32 (frames, phones), log-likelihoods; -inf where a phone is not allowed. `quick` lets a phone last
    one frame.
    """
    steps = _Steps(graph, quick)
    history = np.full((len(emissions), len(steps.phone)), -np.inf, np.float32)
    history[0, steps.first[graph.starts]] = emissions[0, graph.starts]
    for k in range(1, len(emissions)):
        history[k] = steps.advance(history[k - 1]) + emissions[k, steps.phone]
    return _trace(graph, steps, history)


class _Steps:
    """Every phone as a row of steps, one a frame of its length; the last step repeats. A phone may be left from any
    step, at a cost."""

    def __init__(self, graph: Lattice, quick: bool) -> None:
        costs = [_leaving(name, quick) for name in graph.classes]
        self.first = np.cumsum([0, *(len(c) for c in costs[:-1])])
        self.last = np.array([f + len(c) - 1 for f, c in zip(self.first, costs, strict=True)])
        self.phone = np.repeat(np.arange(len(costs)), [len(c) for c in costs])
        self.leaving = np.concatenate(costs)
        self.staying = np.array([0.0 if c == SILENCE else LONGER for c in graph.classes], np.float32)
        self._before = np.full((len(costs), max(1, *map(len, graph.before))), len(costs), np.int64)
        for phone, sources in enumerate(graph.before):
            self._before[phone, : len(sources)] = sources
        between = [c == SILENCE and 0 < p < len(costs) - 1 for p, c in enumerate(graph.classes)]
        self.entering = np.where(between, np.float32(PAUSE), np.float32(0))

    def advance(self, score: Shares) -> Shares:
        """float32 (steps,): best log-likelihood of each step one frame later, without that frame's own."""
        left = np.append(np.maximum.reduceat(score + self.leaving, self.first), np.float32(-np.inf))
        out = np.concatenate([[np.float32(-np.inf)], score[:-1]])
        out[self.last] = np.maximum(
            np.where(self.last == self.first, -np.inf, out[self.last]), score[self.last] + self.staying
        )
        out[self.first] = np.maximum(left[self._before].max(axis=1) + self.entering, self._stayed(score))
        return out

    def _stayed(self, score: Shares) -> Shares:
        """Phones of a single step may stay in it."""
        return np.where(self.last == self.first, score[self.last] + self.staying, np.float32(-np.inf))


@cache
def _leaving(name: int, quick: bool) -> Shares:
    """float32 (steps,): log-likelihood of a phone being over after 1, 2, ... frames; log-normal, flat for pauses."""
    least = (
        FRAMES_OF_A_PAUSE
        if name == SILENCE
        else FRAMES_OF_A_VOWEL
        if CLASSES[name] in VOWELS
        else FRAMES_OF_A_CONSONANT
    )
    length = np.arange(1, (least if name == SILENCE else LONGEST) + 1)
    usual = USUAL_VOWEL if CLASSES[name] in VOWELS else USUAL_CONSONANT
    cost = np.zeros(len(length)) if name == SILENCE else -((np.log(length / usual) / SPREAD) ** 2) / 2
    return np.asarray(np.where(length < (1 if quick else least), -np.inf, cost), np.float32)


def _trace(graph: Lattice, steps: _Steps, history: Shares) -> NDArray[np.int64] | None:
    """Backwards from the best end: at each frame the step that gave the score of the next one."""
    at = max((_exit(steps, phone, history[-1]) for phone in graph.ends), key=lambda end: end[1])
    if not np.isfinite(at[1]):
        return None
    step, path = at[0], np.empty(len(history), np.int64)
    for k in range(len(history) - 1, -1, -1):
        path[k] = steps.phone[step]
        if k:
            step = _source(graph, steps, step, history[k - 1])
    return path


def _exit(steps: _Steps, phone: int, score: Shares) -> tuple[int, float]:
    """The step from which a phone is best left, and the score with that."""
    first, last = steps.first[phone], steps.last[phone] + 1
    left = score[first:last] + steps.leaving[first:last]
    return int(first + left.argmax()), float(left.max())


def _source(graph: Lattice, steps: _Steps, step: int, score: Shares) -> int:
    phone = int(steps.phone[step])
    ways: list[tuple[int, float]] = []
    if step == steps.last[phone]:
        ways.append((step, float(score[step] + steps.staying[phone])))
    if step > steps.first[phone]:
        ways.append((step - 1, float(score[step - 1])))
    else:
        entering = float(steps.entering[phone])
        ways += [(at, value + entering) for at, value in (_exit(steps, p, score) for p in graph.before[phone])]
    return max(ways, key=lambda way: way[1])[0]
