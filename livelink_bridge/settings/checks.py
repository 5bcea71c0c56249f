"""Checks of single values: the raw value in, from YAML, the environment, a flag or a program; the checked value out.

Every check raises ValueError whose text ends the sentence "expected ...".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from livelink_bridge.core.limits import CHANNEL, PACKET_RATE, PORT, SEED, Range
from livelink_bridge.core.whole_numbers import as_whole
from livelink_bridge.timing.timecode import RATES

Check = Callable[[object], Any]

LONGEST_SUBJECT = 100
"""Bytes of UTF-8. Unreal takes 512, but a name has to fit a list in a window."""
_MAX_DIGITS = 10
"""Of a whole number that is given as text; no setting has more."""
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def expectation(error: Exception) -> str:
    """What a check expected, without what it got: `MoodError` keeps that beside its full text."""
    return str(getattr(error, "expected", error))


def targets(value: object) -> tuple[str, ...]:
    """One URI or several. Whether each can be opened is for `open_sink` to say."""
    uris = [value] if isinstance(value, str) else value
    if not isinstance(uris, list | tuple) or not uris or not all(isinstance(uri, str) and uri for uri in uris):
        raise ValueError("one URI or a list of them, such as livelink://127.0.0.1:11111")
    return tuple(uris)


def path(value: object) -> Path:
    """A file or folder, whether it exists or not."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("a path")
    return Path(value)


def text(value: object) -> str:
    """Text that is more than spaces."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a name")
    return value


def subject(value: object) -> str:
    """A name that Unreal's Live Link window can show."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a name of printable characters")
    if len(value.encode()) > LONGEST_SUBJECT:
        raise ValueError(f"a name of at most {LONGEST_SUBJECT} bytes of UTF-8")
    if value.casefold() == "none":
        raise ValueError("another name: Unreal takes this one for no name at all")
    return value


def fps(value: object) -> Fraction:
    """Packets per second; 23.976, 29.97 and 59.94 are the film and television rates of that name."""
    written = str(value)
    if written in RATES:
        return RATES[written].exact
    try:
        rate = Fraction(written)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if isinstance(value, bool) or rate not in PACKET_RATE:
        raise ValueError(f"a number from {PACKET_RATE}, such as 24, 29.97 or 60")
    return rate


def one_of(*allowed: object) -> Check:
    """A check that takes a member of `allowed`, also as text."""
    known = {str(one): one for one in allowed}

    def check(value: object) -> object:
        whole = as_whole(value)
        written = str(value if whole is None else whole)
        if isinstance(value, bool) or written not in known:
            raise ValueError(" or ".join(known))
        return known[written]

    return check


def switch(value: object) -> bool:
    """True or false, also as yes, no, on, off, 1 and 0."""
    if str(value).lower() not in _SWITCH:
        raise ValueError("true or false")
    return _SWITCH[str(value).lower()]


def within(limits: Range) -> Callable[[object], float]:
    """A check that takes a number in a range, also as text."""

    def check(value: object) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if isinstance(value, bool) or number not in limits:
            raise ValueError(f"a number from {limits}")
        return number

    return check


def seed(value: object) -> int:
    """A whole number of 32 bits."""
    return _whole_within(value, SEED, f"a whole number from {SEED}")


def port(value: object) -> int:
    """A UDP or TCP port; 0 is none."""
    return _whole_within(value, PORT, f"a port from {PORT}")


def channels(value: object) -> tuple[int, ...]:
    """Audio channels, counted from 1: a number, a list of them, or text such as "1,2"."""
    parts: Any = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, str):
        parts = value.replace(",", " ").split()
    return tuple(_whole_within(part, CHANNEL, f"channel numbers from {CHANNEL}, such as 3 or 1,2") for part in parts)


def peers(value: object) -> tuple[str, ...]:
    """IPv4 addresses and networks, as a list or as text with spaces or commas between them."""
    from livelink_bridge.network.peers import read_peers

    texts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):
        raise ValueError("IPv4 addresses or networks, such as 192.168.1.20 or 192.168.1.0/24")
    read_peers(texts)
    return tuple(texts)


def mood(value: object) -> str:
    """The text of a mood that exists. Raises MoodError, which is a ValueError."""
    from arkit_mapping.liveliness.moods import Mood

    Mood.parse(str(value))
    return str(value)


def _whole_within(value: object, limits: Range, expected: str) -> int:
    """A whole number, also as text or as a float such as 7.0."""
    if isinstance(value, str):
        found = int(value) if value.isdecimal() and len(value) <= _MAX_DIGITS else None
    else:
        found = as_whole(value)
    if found is None or found not in limits:
        raise ValueError(expected)
    return found
