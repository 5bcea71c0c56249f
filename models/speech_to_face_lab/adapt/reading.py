"""The actor's takes, read, timed and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from speech_to_face_lab.adapt.data.split import split
from speech_to_face_lab.adapt.data.takes import LeftOut, Take, TakeFile, read_takes
from speech_to_face_lab.adapt.data.timing import timed
from speech_to_face_lab.adapt.data.untouched import UntouchedNetwork
from speech_to_face_lab.adapt.options import AdaptOptions, Say, Show
from speech_to_face_lab.adapt.verdict import speech_s


@dataclass(frozen=True, slots=True)
class SortedTakes:
    """The takes of an adaptation."""

    learnt: list[Take]
    """To train on, aligned with their audio."""
    held: list[Take]
    """To judge on, aligned too."""
    left: list[LeftOut]
    """Not used."""


def sorted_takes(
    order: AdaptOptions, files: Sequence[TakeFile], untouched: UntouchedNetwork, show: Show, say: Say
) -> SortedTakes:
    """Read, align and split the takes; each that is left out is reported through `say`. ModelError for too few."""
    at = iter(range(1, len(files) + 1))
    takes, left = read_takes(files, lambda: show("reading takes", next(at), len(files)), allow_cut=order.allow_cut)
    for take in takes:
        if take.said:
            say(f"{take.name}: {take.said}")
    done = iter(range(1, len(takes) + 1))

    def face(take: Take) -> Any:
        curves = untouched.answer(take.samples).curves
        show("timing takes", next(done), len(takes))
        return curves

    good, strange = timed(takes, face)
    left += strange
    for each in left:
        say(f"left out: {each.name}: {each.reason}")
    found = SortedTakes(*split(good, left), left)
    say(_counted(found, sorted(take.late_s for take in good)))
    return found


def _counted(found: SortedTakes, late_s: Sequence[float]) -> str:
    """A line for the user. late_s: lags of the faces, rising."""
    return (
        f"{len(found.learnt)} takes to learn from ({_minutes(found.learnt)}), "
        f"{len(found.held)} held out ({_minutes(found.held)}), {len(found.left)} left out; "
        f"faces come {_after(late_s[0])} to {_after(late_s[-1])} their audio"
    )


def _after(late_s: float) -> str:
    return f"{1000 * abs(late_s):.0f} ms {'before' if late_s < 0 else 'after'}"


def _minutes(takes: Sequence[Take]) -> str:
    return f"{sum(take.seconds for take in takes) / 60:.1f} min, {speech_s(takes):.0f} s of speech"
