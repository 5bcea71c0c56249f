"""Several performers: one voice and one face each, with settings of their own over those of the file."""

from __future__ import annotations

from dataclasses import replace

from livelink_bridge.errors import ConfigError
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
