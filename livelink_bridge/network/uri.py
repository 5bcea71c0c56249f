"""`SCHEME://HOST:PORT?OPTION=VALUE&...`: where a sink sends, and how it is to send."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from livelink_bridge.errors import UsageError

_DELIVERY = frozenset({"interface", "ttl", "rate", "deadband", "timetag", "listen"})
"""Options of any scheme that say how a receiver is sent what it is sent."""
_SLATE = re.compile(r"\?slate=[^?]+$")

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
    """The parts of `uri`; `options` are those that its scheme knows. Raises UsageError with what is missing or
    wrong."""
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


def place_of(uri: str) -> tuple[object, ...]:
    """What makes two URIs the same receiver, however they are written: scheme, host and port, or a take's folder, and
    the options that say what it is sent. How it is sent there, such as `rate` and `ttl`, makes no other receiver. Never
    raises.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "take":
        return scheme, Path(_SLATE.sub("", rest)).absolute()
    try:
        parts = urlsplit(uri)
        host, port = host_of(parts.hostname or ""), parts.port
    except ValueError:
        return (uri,)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    kept = {name: text for name, text in options.items() if name not in _DELIVERY}
    if is_many(host):  # one group, or one link's address, on two networks
        kept["interface"] = options.get("interface", "")
    return scheme, host, port, tuple(sorted(kept.items()))


def host_of(name: str) -> str:
    """A host as it is compared: an address in its shortest form, a name in lower case; `localhost` is 127.0.0.1."""
    host = name.lower().rstrip(".")
    try:
        return str(ip_address(host))
    except ValueError:
        return "127.0.0.1" if host == "localhost" else host


def is_many(host: str) -> bool:
    """Whether an address means another receiver on each network."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return found.is_multicast or found.is_link_local


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
