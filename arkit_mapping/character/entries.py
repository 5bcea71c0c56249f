"""Checks single entries of a character file; errors are one line, in the words of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import index_of, nearest

Poses = NDArray[np.float32]
"""float32 (61,) or (frames, 61), wire order."""


class CharacterError(ValueError):
    """A character file that cannot be read or has an invalid entry. The text is one line for the user."""


def channel_index(key: str, channel: object) -> int:
    """Wire index of a channel, its first letter in either case. Raises CharacterError; `key` leads its text."""
    try:
        return index_of(str(channel))
    except KeyError as error:
        raise CharacterError(f"{key}: {error.args[0]}") from None


def number(what: str, value: object, lowest: float, highest: float) -> float:
    """A number within its range, ends included. Raises CharacterError, also for NaN and booleans; `what` leads its
    text."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= highest:
        raise CharacterError(f"{what}: got {value!r}, expected a number from {lowest:.4g} to {highest:.4g}")
    return float(value)


def entries(key: str, entry: object, expected: str) -> dict[Any, Any]:
    """The mapping under a key, its values unchecked; empty for a key without a value.

    Parameters
    ----------
    key
        For the message.
    entry
        Parsed YAML.
    expected
        What the key takes, for the message.

    Raises
    ------
    CharacterError
        `entry` is not a mapping.
    """
    if entry is None:
        return {}
    if not isinstance(entry, dict):
        raise CharacterError(f"{key}: got {entry!r}, expected {expected}")
    return entry


def known(what: str, word: object, words: tuple[str, ...]) -> str:
    """Check that a word is one of `words`. Raises CharacterError; `what` leads its text: `unknown key`, `preset:
    unknown name`."""
    if word not in words:
        raise CharacterError(f"{what} {str(word)!r}{nearest(str(word), words)}; known are {', '.join(words)}")
    return str(word)
