"""Result of a blind comparison: which side is preferred, by how many votes, and how certain that is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from livelink_bridge.preview.editor.votes import QUESTIONS, Blind, Vote

Z_95 = 1.959963984540054
"""The normal distribution's 97.5 % point."""


@dataclass(frozen=True, slots=True)
class Preference:
    """The answers to one question."""

    question: str
    a: int
    b: int
    ties: int
    share_a: float
    """Of the answers that saw a difference, the part that prefers A; NaN where none did."""
    low: float
    high: float
    """95 % confidence interval of it (`wilson`)."""
    voters: int

    @property
    def decided(self) -> bool:
        """Whether the interval leaves out one half: fewer than one in twenty comparisons without a difference come out
        so."""
        return self.low > 0.5 or self.high < 0.5


def report(votes: Iterable[Vote]) -> list[Preference]:
    """What people prefer, question by question. Of one voter's answers to the same question the last counts."""
    last = {(vote.voter, vote.trial, vote.question): vote for vote in votes}
    out = []
    for question in QUESTIONS:
        answers = [vote for vote in last.values() if vote.question == question]
        a, b, ties = (sum(vote.prefers == side for vote in answers) for side in ("a", "b", "tie"))
        low, high = wilson(a, a + b)
        share = a / (a + b) if a + b else math.nan
        out.append(Preference(question, a, b, ties, share, low, high, len({vote.voter for vote in answers})))
    return out


def sentences(blind: Blind, preferences: Iterable[Preference]) -> list[str]:
    """The report for a reader, a line for each question."""
    return [_sentence(blind, found) for found in preferences]


def wilson(hits: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """Confidence interval of a share, hits of so many: (0, 1) where there are none.

    E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927): the shares p for
    which
    |hits / of - p| is at most z standard deviations, sqrt(p (1 - p) / of), of their own. Unlike the usual p +- z s
    it stays within
    [0, 1] and is right for a handful of votes. Votes of one person count as if they knew nothing of each other.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"got {hits} hits of {of}, expected 0 to {of}")
    if not of:
        return 0.0, 1.0
    share, weight = hits / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight * weight / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def _sentence(blind: Blind, found: Preference) -> str:
    voters = f"{found.voters} voter{'s' if found.voters != 1 else ''}"
    counts = f"{blind.a} {found.a}, {blind.b} {found.b}, no difference {found.ties}; {voters}"
    if math.isnan(found.share_a):
        why = "every answer is no difference" if found.ties else "no votes yet"
        return f"{found.question}: undecided, {why} ({counts})"
    better, share, low, high = blind.a, found.share_a, found.low, found.high
    if share < 0.5:
        better, share, low, high = blind.b, 1 - share, 1 - high, 1 - low
    interval = f"{100 * share:.0f} % (95 % confidence: {100 * low:.0f} to {100 * high:.0f} %)"
    if found.decided:
        return f"{found.question}: {better} is preferred by {interval} ({counts})"
    standing = f"even, {interval} each" if found.a == found.b else f"{better} has {interval}, which may be chance"
    return f"{found.question}: undecided, {standing} ({counts})"
