"""What a target's URI means: whom it names, and whether several get in each other's way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.network.udp_route import ResolvedAddress, resolve
from livelink_bridge.network.uri import Address, read_uri
from livelink_bridge.wire.sniff import WIRE_NAMES, WIRE_OF_PORT

DATAGRAMS = ("livelink", "osc", "vmc", "ifacialmocap")
"""Schemes whose poses go to a host and port."""
AT_HOME = {"take": "a folder for takes", "preview": "a page of this program's own"}
"""Those that need no network, and what they are."""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver of datagrams, found."""

    uri: str
    scheme: str
    host: str
    port: int
    found: ResolvedAddress

    @property
    def local(self) -> bool:
        return self.found.ip.is_loopback


def at_home(uri: str) -> Finding | None:
    """For a target that needs no network, that it is one."""
    said = AT_HOME.get(uri.partition(":")[0])
    return None if said is None else Finding("ok", uri, said)


def find(uri: str) -> Target:
    """Look a receiver up. Raises UsageError for what is no address, SinkError for a host that nobody knows."""
    scheme, _, _ = uri.partition(":")
    if scheme not in DATAGRAMS:
        known = ", ".join(f"{scheme}://HOST:PORT" for scheme in DATAGRAMS)
        raise UsageError(f"unknown receiver {uri!r}; expected {known} or take:FOLDER")
    address = _address(uri)
    return Target(uri, scheme, address.host, address.port, resolve(address))


def _address(uri: str) -> Address:
    """Its host and port. Its options are left to the sink, which knows them."""
    plain = read_uri(uri.partition("?")[0])
    return Address(uri, plain.host, plain.port)


def malformed(uri: str, error: BridgeError) -> Finding:
    return Finding("fail", "receiver" if isinstance(error, UsageError) else uri, str(error))


def together(targets: Sequence[Target]) -> Iterator[Finding]:
    """Receivers that are one, and ports that belong to another wire."""
    seen: dict[tuple[str, int, str], str] = {}
    for target in targets:
        key = str(target.found.ip), target.port, target.scheme
        if key in seen:
            yield Finding(
                "warn", target.uri, f"is the same receiver as {seen[key]}: every pose arrives twice; leave one out"
            )
        seen.setdefault(key, target.uri)
        owner = WIRE_OF_PORT.get(target.port)
        if owner is not None and owner != target.scheme:
            text = (
                f"port {target.port} is usually {WIRE_NAMES[owner]}'s; if nothing moves, use "
                f"{owner}://{target.host}:{target.port}"
            )
            yield Finding("warn", target.uri, text)
