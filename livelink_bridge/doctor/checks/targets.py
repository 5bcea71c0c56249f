"""Parses and resolves the targets' URIs, and checks for conflicts between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.network.udp_route import ResolvedAddress, resolve
from livelink_bridge.network.uri import Address, read_uri
from livelink_bridge.wire.sniff import WIRE_NAMES, WIRE_OF_PORT

DATAGRAMS = ("livelink", "osc", "vmc", "ifacialmocap")
"""Schemes that send frames to a host and port."""
LOCAL_SINKS = {"take": "a folder for takes", "preview": "this program's own page"}
"""Schemes that need no network, with descriptions."""


@dataclass(frozen=True, slots=True)
class Target:
    """A UDP receiver with its resolved address."""

    uri: str
    """As given by the user."""
    scheme: str
    """Protocol, one of DATAGRAMS."""
    host: str
    """Name or IP address."""
    port: int
    """UDP port."""
    found: ResolvedAddress
    """The resolved address."""

    @property
    def local(self) -> bool:
        """Whether it is a loopback address of this machine."""
        return self.found.ip.is_loopback


def local_sink(uri: str) -> Finding | None:
    """Finding for a target that needs no network; None for others."""
    description = LOCAL_SINKS.get(uri.partition(":")[0])
    return None if description is None else Finding("ok", uri, description)


def find(uri: str) -> Target:
    """Parse a URI and resolve its host. Raises UsageError for an invalid URI, SinkError for an unknown host."""
    scheme, _, _ = uri.partition(":")
    if scheme not in DATAGRAMS:
        known = ", ".join(f"{scheme}://HOST:PORT" for scheme in DATAGRAMS)
        raise UsageError(f"unknown receiver {uri!r}; expected {known} or take:FOLDER")
    address = _address(uri)
    return Target(uri, scheme, address.host, address.port, resolve(address))


def _address(uri: str) -> Address:
    """Host and port, without the options, which only the sink knows."""
    plain = read_uri(uri.partition("?")[0])
    return Address(uri, plain.host, plain.port)


def malformed(uri: str, error: BridgeError) -> Finding:
    """Finding for a URI that cannot be parsed or resolved; `error` has the text."""
    return Finding("fail", "receiver" if isinstance(error, UsageError) else uri, str(error))


def check_conflicts(targets: Sequence[Target]) -> Iterator[Finding]:
    """Find duplicate receivers, and ports that usually belong to another protocol."""
    seen: dict[tuple[str, int, str], str] = {}
    for target in targets:
        key = str(target.found.ip), target.port, target.scheme
        if key in seen:
            yield Finding(
                "warn", target.uri, f"is the same receiver as {seen[key]}: every frame arrives twice; leave one out"
            )
        seen.setdefault(key, target.uri)
        owner = WIRE_OF_PORT.get(target.port)
        if owner is not None and owner != target.scheme:
            text = (
                f"port {target.port} is usually {WIRE_NAMES[owner]}'s; if nothing moves, use "
                f"{owner}://{target.host}:{target.port}"
            )
            yield Finding("warn", target.uri, text)
