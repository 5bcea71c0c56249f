"""Parser for sink URIs: `SCHEME://HOST:PORT?OPTION=VALUE&...`."""

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
"""Options of any scheme that change how frames are sent, not what is sent."""
_SLATE = re.compile(r"\?slate=[^?]+$")

Reader = Callable[[str], Any]
"""Parses an option's text. Raises ValueError with what was expected, worded to follow "expected"."""


@dataclass(frozen=True, slots=True)
class Address:
    """A receiver as the user specified it."""

    uri: str
    """The URI as given."""
    host: str
    """A name or an IP address; IPv6 without brackets."""
    port: int
    """1 to 65535."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options given, parsed; others are absent."""


def read_uri(uri: str, options: Mapping[str, Reader] | None = None) -> Address:
    """Parse a sink URI.

    Parameters
    ----------
    uri : text as given by the user
    options : option readers of its scheme, by name

    Raises
    ------
    UsageError : something is missing or malformed; the message states what
    """
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


def receiver_key(uri: str) -> tuple[object, ...]:
    """Key that is equal for two URIs of the same receiver, however they are written: scheme, host and port, or a take's
    folder, and the options that select what is sent. Options of delivery, such as `rate` and `ttl`, do not count. Never
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
    content = {name: text for name, text in options.items() if name not in _DELIVERY}
    if is_per_network(host):
        content["interface"] = options.get("interface", "")
    return scheme, host, port, tuple(sorted(content.items()))


def host_of(name: str) -> str:
    """A host in canonical form: an IP address in its shortest form, a name in lower case; `localhost` is 127.0.0.1."""
    host = name.lower().rstrip(".")
    try:
        return str(ip_address(host))
    except ValueError:
        return "127.0.0.1" if host == "localhost" else host


def is_per_network(host: str) -> bool:
    """Whether an IP address means a different receiver on each network: multicast or link-local."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return found.is_multicast or found.is_link_local


def _options(uri: str, parts: SplitResult, readers: Mapping[str, Reader]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in readers:
            hint = "".join(f", did you mean {known!r}?" for known in difflib.get_close_matches(name, readers, 1))
            raise UsageError(f"{uri!r}: unknown option {name!r}{hint}; there are {', '.join(readers)}")
        try:
            read[name] = readers[name](text)
        except ValueError as error:
            raise UsageError(f"{uri!r}: {name} is {text!r}, expected {error}") from None
    return read


def number(lowest: float, highest: float, unit: str = "") -> Reader:
    """Reader for a number from `lowest` to `highest`, both included; `unit` is for the error message."""

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
    """Reader for one of `names`."""

    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return read


def switch(text: str) -> bool:
    """Reader for `on` or `off`."""
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"
