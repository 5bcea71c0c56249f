"""One entry of a character file, checked. What is wrong with it is said on one line, in the file's own words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import index_of, nearest

Poses = NDArray[np.float32]
"""float32 (61,) or (frames, 61), wire order."""


class CharacterError(ValueError):
    """A character file that cannot be read or asks for the impossible. The text is one line for the user."""


def channel_index(key: str, channel: object) -> int:
    """Position in wire order of a channel that `key` names, its first letter in either case."""
    try:
        return index_of(str(channel))
    except KeyError as error:
        raise CharacterError(f"{key}: {error.args[0]}") from None


def number(what: str, value: object, lowest: float, highest: float) -> float:
    """A number within its range, ends included. NaN and truth values are none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= highest:
        raise CharacterError(f"{what}: got {value!r}, expected a number from {lowest:.4g} to {highest:.4g}")
    return float(value)


def entries(key: str, entry: object, expected: str) -> dict[Any, Any]:
    """A key's own lines, their values not yet checked. A key with nothing after it is as good as left out."""
    if entry is None:
        return {}
    if not isinstance(entry, dict):
        raise CharacterError(f"{key}: got {entry!r}, expected {expected}")
    return entry


def known(what: str, word: object, words: tuple[str, ...]) -> str:
    """One of the words that may stand here. `what` leads the error: `unknown key`, `preset: unknown name`."""
    if word not in words:
        raise CharacterError(f"{what} {str(word)!r}{nearest(str(word), words)}; known are {', '.join(words)}")
    return str(word)
