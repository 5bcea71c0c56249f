"""Writes a character as the YAML file that `--character` reads: short, and unchanged when opened and saved again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character
from arkit_mapping.character.closure import MOUTH_CLOSE
from arkit_mapping.character.curves import Curve
from arkit_mapping.character.groups import GROUPS, by_channel
from arkit_mapping.character.smoothing import Smoothing
from arkit_mapping.character.symmetry import PAIRS, by_pair

_LIPS = CHANNELS_61[MOUTH_CLOSE]
_HEADER = (
    "# A character, made in livelink-bridge preview. Every key is explained in what `livelink-bridge character "
    "init` writes.\n"
)


def character_yaml(character: Character) -> str:
    """The file's text. Only what differs from a face as predicted is in it."""
    content = {key: value for key, value in _entries(character).items() if value not in ({}, "", None)}
    body = (
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
        if content
        else ""
    )
    return f"{_HEADER}{body}"


def _entries(character: Character) -> dict[str, Any]:
    """What a file says of a character, in the starter's order."""
    head = {key: value for key in ("yaw", "pitch", "roll", "gain") if (value := getattr(character.head, key)) != 1}
    return {
        "name": character.name,
        "gain": dict(character.gain),
        "offset": dict(character.offset),
        "curve": {name: _plain(curve) for name, curve in character.curve.items()},
        "limits": {name: [float(value) for value in pair] for name, pair in character.limits.items()},
        "smoothing": {name: _numbers(smoothing) for name, smoothing in _grouped(character.smoothing).items()},
        "symmetry": _paired(character.symmetry),
        "closure": character.closure if character.closure != "auto" else None,
        "head": head,
    }


def _grouped(smoothings: Mapping[str, Smoothing | None]) -> dict[str, Smoothing | None]:
    """The same by group where most of a group are alike: lines that a person can read instead of sixty."""
    given = by_channel(smoothings)
    wanted = {name: given.get(name) for name in CHANNELS_61}
    out: dict[str, Smoothing | None] = {}
    for group, names in GROUPS.items():
        common, count = (
            Counter(wanted[name] for name in names if name in wanted).most_common(1)[0] if wanted else (None, 0)
        )
        if common is not None and count > (len(names) - 1 if group == "all" else len(names) / 2):
            out[group] = common
            wanted = {name: smoothing for name, smoothing in wanted.items() if name not in names or smoothing != common}
    grouped = {name for group in out for name in GROUPS[group]}
    own = {name: smoothing for name, smoothing in wanted.items() if smoothing is not None or name in grouped}
    if "JawOpen" in own:
        own[_LIPS] = given.get(_LIPS)  # else it would follow JawOpen
    return {**out, **own}


def _paired(symmetry: Mapping[str, float]) -> dict[str, float]:
    """The same with `all` where every pair is pulled, and the pairs that differ."""
    pulls = by_pair(symmetry)
    if len(pulls) < len(PAIRS):
        return pulls
    common = Counter(pulls.values()).most_common(1)[0][0]
    return {"all": common, **{pair: pull for pair, pull in pulls.items() if pull != common}}


def _plain(curve: Curve) -> float | list[list[float]]:
    return float(curve) if isinstance(curve, int | float) else [[float(value) for value in point] for point in curve]


def _numbers(smoothing: Smoothing | None) -> dict[str, float] | bool:
    return {"min_cutoff_hz": smoothing.min_cutoff_hz, "beta": smoothing.beta} if smoothing else False
