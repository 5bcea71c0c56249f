"""Characters: per-channel gain, curve, limits and smoothing, and the rules for closing lips."""

from __future__ import annotations

from arkit_mapping.character.character import (
    Character,
    CharacterError,
    CharacterStream,
    Closure,
    Head,
    LipRule,
    Poses,
    Smoothing,
    closed_lips,
    load_character,
)

__all__ = [
    "Character",
    "CharacterError",
    "CharacterStream",
    "Closure",
    "Head",
    "LipRule",
    "Poses",
    "Smoothing",
    "closed_lips",
    "load_character",
]
