"""Counts warnings by kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Entry:
    """One kind of warning."""

    count: int
    """How often it occurred."""
    text: str
    """Text of the latest, one line."""
    remedy: str
    """How to fix it."""
    sender: str | None
    """HOST:PORT of the latest, if known."""


class WarningCounter:
    """Counts warnings per reason, with the text of the latest. Reasons are a few fixed keys, so memory is bounded."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def count(self, reason: str, text: str, remedy: str, sender: str | None = None) -> None:
        """Count one warning.

        Parameters
        ----------
        reason : stable key
        text : what was found, one line
        remedy : how to fix it
        sender : HOST:PORT, if known
        """
        before = self._entries.get(reason)
        self._entries[reason] = Entry(before.count + 1 if before else 1, text, remedy, sender)

    def listed(self) -> list[dict[str, object]]:
        """{reason, count, text, remedy, sender} of each kind, in the order of their first occurrence."""
        return [
            {"reason": reason, "count": entry.count, "text": entry.text, "remedy": entry.remedy, "sender": entry.sender}
            for reason, entry in self._entries.items()
        ]
