"""What `performers` may hold: for each performer its microphone, its subject and settings of its own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from livelink_bridge.settings import checks
from livelink_bridge.settings.setting import Setting


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
