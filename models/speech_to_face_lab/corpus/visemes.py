"""Timed phones to ARKit mouth curves: dominance blending after Cohen & Massaro (1993), then hard holds after JALI
(2016).

The numbers are data: `visemes.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face.phones import CLASSES, INDEX, Phone
from speech_to_face_lab.corpus.engines import SAMPLE_RATE

RAMP_S = 0.028
"""Seconds of a hold's ramps: lips close within two frames."""
SMOOTH_S = 0.016
EFFORT_S = 0.04
"""Smoothing of the curves, and of the loudness that they follow (standard deviations)."""
EDGE_S = 0.06
"""Longest transition from a phone to its neighbour, however long the phone is."""
LOUDNESS_PER_DB, LOUDNESS_RANGE = 0.018, (0.3, 1.15)
"""Opening per decibel against the utterance's own loud parts, and its limits."""

Curves = NDArray[np.float32]
"""float32 (frames, 32), MOUTH_32 order, [0, 1], 60 Hz."""


@cache
def _table() -> dict[str, Any]:
    return yaml.safe_load(files("speech_to_face_lab.corpus").joinpath("visemes.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


STYLES: tuple[str, ...] = tuple(_table()["styles"])


@cache
def _bases() -> tuple[str, ...]:
    """Channel names of the table: MOUTH_32 with one name for a Left and Right pair; sideways jaw and mouth have a name
    a side."""
    return tuple(name for group in _table()["groups"].values() for name in group["channels"])


@cache
def _spread() -> NDArray[np.float32]:
    """(bases, 32): how much of a channel a base drives; faces are slightly asymmetric, so one side gets a little
    more."""
    names, lead = _bases(), _table()["lead"]
    matrix = np.zeros((len(names), len(MOUTH_32)), np.float32)
    for column, channel in enumerate(MOUTH_32):
        base = channel.removesuffix("Left").removesuffix("Right")
        if channel in names:
            matrix[names.index(channel), column] = 1.0
        elif base in names:
            matrix[names.index(base), column] = 1.0 + lead.get(base, 0.0) * (1 if channel.endswith("Left") else -1)
    return matrix


@cache
def _targets() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Targets and weights (classes, bases), time constants before and after (bases,), seconds."""
    names, classes, groups = _bases(), _table()["classes"], _table()["groups"]
    group_of = {channel: key for key, group in groups.items() for channel in group["channels"]}
    targets = np.array([[classes[c].get(name, 0.0) for name in names] for c in CLASSES], np.float32)
    weights = np.array([[classes[c]["weight"][group_of[name]] for name in names] for c in CLASSES], np.float32)
    before = np.array([groups[group_of[name]]["before_ms"] / 1000 for name in names], np.float32)
    after = np.array([groups[group_of[name]]["after_ms"] / 1000 for name in names], np.float32)
    return targets, weights, before, after


def labels(phones: Sequence[Phone], frames: int, outside: int = INDEX["SIL"]) -> NDArray[np.int64]:
    """int64 (frames,): the class spoken at each frame's time k / 60, `outside` where no phone is."""
    out = np.full(frames, outside, np.int64)
    times = np.arange(frames) / FRAME_RATE
    for phone in phones:
        out[(times >= phone.start_s) & (times < phone.end_s)] = INDEX[phone.name]
    return out


def loudness_db(samples: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """float32 (frames,): level of the 50 ms around each frame's time."""
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = np.arange(frames) * SAMPLE_RATE // FRAME_RATE
    low, high = np.clip(centre - 400, 0, len(samples)), np.clip(centre + 400, 0, len(samples))
    return np.asarray(10 * np.log10((power[high] - power[low]) / np.maximum(high - low, 1) + 1e-8), np.float32)


def curves(phones: Sequence[Phone], frames: int, loudness_db: NDArray[np.float32] | None = None) -> Curves:
    """Mouth curves of timed phones.

    loudness_db: float32 (frames,), level of the sound at each frame; opening follows it relative to its 80th
    percentile.
    """
    if not phones:
        return np.zeros((frames, len(MOUTH_32)), np.float32)
    base = _smooth(_blend(seen(phones), frames))
    if loudness_db is not None:
        effort = np.clip(1 + LOUDNESS_PER_DB * (loudness_db - np.percentile(loudness_db, 80)), *LOUDNESS_RANGE)
        opening = [_bases().index(name) for name in ("jawOpen", "mouthLowerDown", "mouthUpperUp")]
        base[:, opening] *= _smooth(effort[:, None].astype(np.float32), EFFORT_S)
    return held(np.clip(base, 0, 1) @ _spread(), phones)


def seen(phones: Sequence[Phone]) -> list[Phone]:
    """The phones at the times of their lips: a stop opens with its burst, before its audio ends, and closes inaudibly
    after a pause."""
    out = list(phones)
    for i, phone in enumerate(phones):
        rule = _table()["stops"].get(phone.name)
        if rule is None:
            continue
        if i and phones[i - 1].name == "SIL":
            _move(
                out,
                i - 1,
                out[i].start_s
                - min(rule["after_silence_ms"] / 1000, (phones[i - 1].end_s - phones[i - 1].start_s) / 2),
            )
        if i + 1 < len(phones) and phones[i + 1].name != "SIL":
            _move(out, i, phone.start_s + rule["opens_at"] * (phone.end_s - phone.start_s))
    return out


def _move(phones: list[Phone], at: int, time_s: float) -> None:
    """Move the border between a phone and the next one to `time_s`, in place."""
    first, second = phones[at], phones[at + 1]
    phones[at], phones[at + 1] = Phone(first.name, first.start_s, time_s), Phone(second.name, time_s, second.end_s)


def held(mouth: Curves, phones: Sequence[Phone]) -> Curves:
    """`mouth` with the hard rules of the phones applied: rule-made curves and captured ones alike must seal at p, b and
    m."""
    out, phones = mouth.copy(), seen(phones)
    for name, rule in _table()["holds"].items():
        hold = _window(name, phones, len(out))[:, None]
        for base, limit in rule.get("at_most", {}).items():
            out[:, _columns(base)] -= hold * np.maximum(out[:, _columns(base)] - limit, 0)
        for base, limit in rule.get("at_least", {}).items():
            out[:, _columns(base)] += hold * np.maximum(limit - out[:, _columns(base)], 0)
        if rule.get("seal"):
            close, jaw = _columns("mouthClose"), _columns("jawOpen")
            out[:, close] += hold * (out[:, jaw] - out[:, close])
    return np.clip(out, 0, 1)


@cache
def _columns(base: str) -> list[int]:
    """Channels of MOUTH_32 that `base` drives."""
    return np.flatnonzero(_spread()[_bases().index(base)]).tolist()


def styled(mouth: Curves, style: str) -> Curves:
    """`mouth` in the style `style`. Seals stay sealed: jaw and closure scale alike."""
    row = _table()["styles"][style]
    offset = np.array([row.get("offset", {}).get(name, 0.0) for name in _bases()], np.float32) @ _spread()
    return np.clip(mouth * np.float32(row["gain"]) + offset, 0, 1).astype(np.float32)


def sealed(phones: Sequence[Phone], frames: int) -> NDArray[np.float32]:
    """float32 (frames,): 1 while p, b or m must be closed, with the ramps of the curves."""
    phones = seen(phones)
    return np.maximum(_window("PB", phones, frames), _window("M", phones, frames))


def _blend(phones: Sequence[Phone], frames: int) -> NDArray[np.float32]:
    """Dominance-weighted targets. A phone is at full strength except at its edges (EDGE_S or a quarter of it) and
    decays from there."""
    targets, weights, before, after = _targets()
    ids = np.array([INDEX[p.name] for p in phones])
    starts = np.array([p.start_s for p in phones], np.float32)
    ends = np.array([p.end_s for p in phones], np.float32)
    edge = np.minimum((ends - starts) / 4, EDGE_S)
    times = np.clip(np.arange(frames, dtype=np.float32) / FRAME_RATE, starts[0], ends[-1])[:, None]
    early, late = np.maximum(starts + edge - times, 0), np.maximum(times - ends + edge, 0)
    out = np.empty((frames, len(before)), np.float32)
    for group in np.unique(np.stack([before, after], 1), axis=0):
        columns = np.flatnonzero((before == group[0]) & (after == group[1]))
        decay = np.exp(-early / group[0] - late / group[1])
        strength = decay @ weights[ids][:, columns]
        out[:, columns] = (decay @ (weights[ids] * targets[ids])[:, columns]) / np.maximum(strength, 1e-9)
    return out


def _smooth(values: NDArray[np.float32], width_s: float = SMOOTH_S) -> NDArray[np.float32]:
    """Gaussian along time, edges held."""
    radius = max(1, int(np.ceil(3 * width_s * FRAME_RATE)))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (width_s * FRAME_RATE)) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    return np.asarray(windows @ kernel, np.float32)


def _window(name: str, phones: Sequence[Phone], frames: int) -> NDArray[np.float32]:
    """(frames,) in [0, 1]: 1 while a phone of class `name` is held, ramps on either side."""
    out, times = np.zeros(frames, np.float32), np.arange(frames) / FRAME_RATE
    shortest = _table()["holds"][name]["min_ms"] / 1000
    for phone in phones:
        if phone.name == name:
            grow = max(0.0, shortest - (phone.end_s - phone.start_s)) / 2
            outside = np.maximum(np.maximum(phone.start_s - grow - times, times - phone.end_s - grow), 0)
            out = np.maximum(out, 1 - outside / RAMP_S).astype(np.float32)
    return out
