"""The actor's takes, read, timed and split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from speech_to_face_lab.adapt.data.hearing import Ear
from speech_to_face_lab.adapt.data.split import split
from speech_to_face_lab.adapt.data.takes import LeftOut, Take, TakeFile, read_takes
from speech_to_face_lab.adapt.data.timing import timed
from speech_to_face_lab.adapt.options import AdaptOptions, Say, Show
from speech_to_face_lab.adapt.verdict import speech_s


def sorted_takes(
    order: AdaptOptions, files: Sequence[TakeFile], ear: Ear, show: Show, say: Say
) -> tuple[list[Take], list[Take], list[LeftOut]]:
    """Training takes and held-out takes, aligned with their audio, and those that were left out, each reported through
    `say`."""
    at = iter(range(1, len(files) + 1))
    takes, left = read_takes(files, lambda: show("reading takes", next(at), len(files)), allow_cut=order.allow_cut)
    for take in takes:
        if take.said:
            say(f"{take.name}: {take.said}")
    done = iter(range(1, len(takes) + 1))

    def face(take: Take) -> Any:
        curves = ear.hear(take.samples).curves
        show("timing takes", next(done), len(takes))
        return curves

    good, strange = timed(takes, face)
    left += strange
    for each in left:
        say(f"left out: {each.name}: {each.reason}")
    learnt, held = split(good, left)
    late = sorted(take.late_s for take in good)
    say(
        f"{len(learnt)} takes to learn from ({_minutes(learnt)}), {len(held)} held out ({_minutes(held)}), "
        f"{len(left)} left out; "
        f"faces come {_after(late[0])} to {_after(late[-1])} their sound"
    )
    return learnt, held, left


def _after(late_s: float) -> str:
    return f"{1000 * abs(late_s):.0f} ms {'before' if late_s < 0 else 'after'}"


def _minutes(takes: Sequence[Take]) -> str:
    return f"{sum(take.seconds for take in takes) / 60:.1f} min, {speech_s(takes):.0f} s of speech"
