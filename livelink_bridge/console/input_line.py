"""An input line below a panel, typed key by key: the panel would draw over the terminal's own echo."""

from __future__ import annotations

LONGEST = 200
"""Characters: no command is longer, and a stuck key does not fill the memory."""

_ENTER, _BACKSPACE, _CLEAR = {"\r", "\n"}, {"\x7f", "\b"}, {"\x15", "\x1b"}
"""Ctrl-U and Escape clear the line."""


class InputLine:
    """A line of text, edited one key at a time."""

    def __init__(self) -> None:
        self.text = ""
        """What is typed and not yet entered."""

    def press(self, key: str) -> str | None:
        """Take one key; return the finished line if it was Enter, else None.

        `key` is one character, or a whole escape sequence, which does nothing.
        """
        if key in _ENTER:
            done, self.text = self.text, ""
            return done
        if key in _BACKSPACE:
            self.text = self.text[:-1]
        elif key in _CLEAR:
            self.text = ""
        elif len(key) == 1 and key.isprintable():
            self.text = (self.text + key)[:LONGEST]
        return None


def split_keys(text: str) -> list[str]:
    """The keys in what a terminal sent at once: an arrow or function key is one, however many characters it sends."""
    keys: list[str] = []
    at = 0
    while at < len(text):
        end = at + 1
        if text.startswith(("\x1b[", "\x1bO"), at):
            end = at + 2
            while end < len(text) and not "@" <= text[end] <= "~":
                end += 1
            end = min(end + 1, len(text))
        keys.append(text[at:end])
        at = end
    return keys
