"""What was seen, counted by kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Entry:
    """One kind of thing."""

    count: int
    text: str
    """What the latest was, on one line."""
    remedy: str
    sender: str | None


class WarningCounter:
    """Counts per reason, with the latest's text. Reasons are a few fixed keys, so memory is bounded."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def count(self, reason: str, text: str, remedy: str, sender: str | None = None) -> None:
        before = self._entries.get(reason)
        self._entries[reason] = Entry(before.count + 1 if before else 1, text, remedy, sender)

    def listed(self) -> list[dict[str, object]]:
        """{reason, count, text, remedy, sender} of each kind, in the order in which they were first seen."""
        return [
            {"reason": reason, "count": entry.count, "text": entry.text, "remedy": entry.remedy, "sender": entry.sender}
            for reason, entry in self._entries.items()
        ]
