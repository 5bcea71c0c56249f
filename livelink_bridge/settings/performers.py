"""Several performers: one voice and one face each, with settings of their own over those of the file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from livelink_bridge.errors import ConfigError
from livelink_bridge.settings import checks

if TYPE_CHECKING:
    from livelink_bridge.settings.setting import Setting
    from livelink_bridge.settings.table import Settings


def performers_of(settings: Settings) -> list[tuple[str | None, Settings]]:
    """For each performer its microphone, None for the default one, and its settings.

    Seeds count on from the file's, so that no two faces blink together. Raises ConfigError where two are the same
    subject.
    """
    found = []
    for number, given in enumerate(settings.performers):
        own = {"seed": settings.seed + number} | {key: value for key, value in given.items() if key != "mic"}
        found.append((None if given.get("mic") is None else str(given["mic"]), replace(settings, performers=(), **own)))  # type: ignore[arg-type]
    subjects = [one.subject.casefold() for _, one in found]
    for number, (_, one) in enumerate(found):
        if subjects.index(one.subject.casefold()) != number:
            raise ConfigError(f"performers: two are called {one.subject!r}, expected a subject of its own for each")
    return found


def check_performers(value: object, table: Mapping[str, Setting]) -> tuple[Mapping[str, object], ...]:
    """A list of performers, each with keys that a performer may have, checked. Raises ValueError as every check
    does."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
        raise ValueError("a list of performers, each with keys such as mic and subject")
    return tuple(_performer(number, one, table) for number, one in enumerate(value, 1))


def _performer(number: int, given: Mapping[object, object], table: Mapping[str, Setting]) -> Mapping[str, object]:
    """One performer's own settings, checked."""
    known = ("mic", "subject", *(row.name for row in table.values() if row.per_performer and row.name != "subject"))
    checked: dict[str, object] = {}
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"of performer {number} {', '.join(known)}, not {key}{hint}")
        try:
            checked[str(key)] = _microphone(value) if key == "mic" else table[str(key)].check(value)
        except (ValueError, TypeError) as error:
            expected = checks.expectation(error)
            raise ValueError(f"{key} of performer {number} to be {expected}, not {value!r}") from None
    return checked


def _microphone(value: object) -> str | None:
    """An index or part of a name; None is the default one."""
    return None if value is None else checks.text(str(value))
