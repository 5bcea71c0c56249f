"""Readers of URI options that name channels or OSC addresses."""

from __future__ import annotations

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, index_of
from arkit_mapping.character.groups import GROUPS

SHAPES = tuple(range(SHAPE_COUNT))
"""The 52 blend shapes, without the angles of head and eyes."""

_GROUPS = {**GROUPS, "shapes": CHANNELS_61[:SHAPE_COUNT]}
_LONGEST_ADDRESS = 200
_SPECIAL = " #*,?[]{}"
"""Characters with a meaning of their own in OSC 1.0 addresses."""


def channels(text: str) -> tuple[int, ...]:
    """Channels and groups of them, with commas between: their positions, in wire order."""
    found: set[int] = set()
    for name in text.split(","):
        try:
            found |= set(map(index_of, _GROUPS.get(name, (name,))))
        except KeyError as error:
            raise ValueError(
                f"channels or groups ({', '.join(_GROUPS)}) with commas between: {error.args[0]}"
            ) from None
    return tuple(sorted(found))


def address(text: str) -> str:
    """An OSC address."""
    plain = text.isascii() and text.isprintable() and set(text).isdisjoint(_SPECIAL)
    if not plain or not text.startswith("/") or len(text) > _LONGEST_ADDRESS:
        raise ValueError(
            f"an OSC address: a / and up to {_LONGEST_ADDRESS - 1} ASCII characters other than spaces and "
            f"{_SPECIAL.strip()}"
        )
    return text


def template(text: str) -> str:
    """An OSC address with {name} where a channel's name belongs."""
    if text.count("{name}") != 1:
        raise ValueError("an OSC address with {name} once, where a channel's name belongs, such as /arkit/{name}")
    address(text.replace("{name}", "name"))
    return text
