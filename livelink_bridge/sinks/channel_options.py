"""Readers for URI options that name channels or OSC addresses."""

from __future__ import annotations

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, index_of
from arkit_mapping.character.groups import GROUPS

SHAPES = tuple(range(SHAPE_COUNT))
"""Wire indices of the 52 blend shapes, without the angles of head and eyes."""

_GROUPS = {**GROUPS, "shapes": CHANNELS_61[:SHAPE_COUNT]}
_LONGEST_ADDRESS = 200
_SPECIAL = " #*,?[]{}"
"""Characters with a special meaning in OSC 1.0 addresses."""


def channels(text: str) -> tuple[int, ...]:
    """Parse comma-separated channels and groups into ascending wire indices. Raises ValueError."""
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
    """Check an OSC address. Raises ValueError."""
    plain = text.isascii() and text.isprintable() and set(text).isdisjoint(_SPECIAL)
    if not plain or not text.startswith("/") or len(text) > _LONGEST_ADDRESS:
        raise ValueError(
            f"an OSC address: a / and up to {_LONGEST_ADDRESS - 1} ASCII characters other than spaces and "
            f"{_SPECIAL.strip()}"
        )
    return text


def template(text: str) -> str:
    """Check an OSC address with {name} in place of a channel's name. Raises ValueError."""
    if text.count("{name}") != 1:
        raise ValueError("an OSC address with {name} once, where a channel's name belongs, such as /arkit/{name}")
    address(text.replace("{name}", "name"))
    return text
