"""`SCHEME://HOST:PORT?OPTION=VALUE&...`: where a sink sends, and how it is to send."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from livelink_bridge.errors import UsageError

Reader = Callable[[str], Any]
"""Makes an option's value of its text. Raises ValueError that says what was expected, to stand after "expected"."""


@dataclass(frozen=True, slots=True)
class Address:
    """A receiver as the user wrote it."""

    uri: str
    host: str
    """A name or an address; IPv6 without its brackets."""
    port: int
    options: Mapping[str, Any] = field(default_factory=dict)
    """Those that were given, read; the others are missing."""


def read_uri(uri: str, options: Mapping[str, Reader] | None = None) -> Address:
    """The parts of `uri`; `options` are those that its scheme knows. Raises UsageError with what is missing or wrong."""
    expected = f"expected {uri.partition(':')[0]}://HOST:PORT with a port from 1 to 65535"
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{uri!r} is not an address; {expected}") from None
    if not host or not parts.netloc:
        raise UsageError(f"{uri!r} names no host; {expected}")
    if parts.path not in ("", "/") or parts.fragment or parts.username or (parts.query and not options):
        raise UsageError(f"{uri!r} has more than a host and a port; {expected}")
    if not port:
        raise UsageError(f"{uri!r} {'names no port' if port is None else 'has port 0'}; {expected}")
    return Address(uri, host, port, _options(uri, parts, options or {}))


def _options(uri: str, parts: SplitResult, readers: Mapping[str, Reader]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in readers:
            near = "".join(f", did you mean {known!r}?" for known in difflib.get_close_matches(name, readers, 1))
            raise UsageError(f"{uri!r}: unknown option {name!r}{near}; there are {', '.join(readers)}")
        try:
            read[name] = readers[name](text)
        except ValueError as error:
            raise UsageError(f"{uri!r}: {name} is {text!r}, expected {error}") from None
    return read


def number(lowest: float, highest: float, unit: str = "") -> Reader:
    """A number within bounds, both allowed."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not lowest <= value <= highest:
            raise ValueError(f"a number from {lowest:g} to {highest:g}{unit and f' {unit}'}")
        return value

    return read


def choice(*names: str) -> Reader:
    """One of a few words."""

    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return read


def switch(text: str) -> bool:
    """on or off."""
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"
