"""Who may connect, and how fast they may talk. No socket, no clock."""

from __future__ import annotations

import hmac
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from livelink_bridge.core.limits import CLIENTS
from livelink_bridge.errors import UsageError

LOOPBACK = "127.0.0.1"
REFUSED_S = 5.0
"""A client that sends nothing but what is refused for so long does not read its errors."""
_REFUSED_PAUSE_S = 2.0
"""Whoever sends nothing for so long begins anew: a person who tries messages by hand."""
_SAID_AGAIN_S = 1.0
_ANSWERED_AT_ONCE = 10
_SHORTEST_TOKEN = 16
"""Characters. Whoever reaches the port can try as often as they like."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is bounded, so that no client can take more than its part."""

    clients: int = 4
    """Connections at a time."""
    message_bytes: int = 1 << 20
    """Longest message; a longer one ends its connection (close code 1009)."""
    messages_per_s: int = 500
    """Messages read per second and connection, after a first burst of as many; what is beyond waits in the socket."""
    idle_s: float = 20.0
    """A client that says nothing for so long is asked, and dropped if it does not answer for as long again."""

    def __post_init__(self) -> None:
        if self.clients not in CLIENTS:
            raise UsageError(f"--clients: got {self.clients}, expected {CLIENTS}")


@dataclass(frozen=True, slots=True)
class Access:
    """The door. Raises UsageError for a host that is not this machine without a token, and for a token that is none."""

    host: str = LOOPBACK
    token: str | None = None

    def __post_init__(self) -> None:
        if self.token is None:
            if not is_loopback(self.host):
                raise UsageError(
                    f"--host {self.host} lets other machines in and needs --token TEXT beside it; give both, or neither"
                )
        elif len(self.token) < _SHORTEST_TOKEN or not (
            self.token.isascii() and self.token.isprintable() and " " not in self.token
        ):
            raise UsageError(f"--token: expected at least {_SHORTEST_TOKEN} printable ASCII characters without a space")

    def refusal(self, path: str, authorization: Sequence[str], origins: Sequence[str]) -> tuple[HTTPStatus, str] | None:
        """Why a handshake is refused; None lets it in.

        Parameters
        ----------
        path : what was asked for, with its query
        authorization, origins : the values of the headers `Authorization` and `Origin`; a browser always sends its
        page's origin
        """
        if self.token is not None:
            known = any(_same(offered, self.token) for offered in _offered(path, authorization))
            return (
                None
                if known
                else (HTTPStatus.UNAUTHORIZED, "expected the token, as Authorization: Bearer TOKEN or ?token=TOKEN\n")
            )
        if all(_is_local(origin) for origin in origins):
            return None
        return HTTPStatus.FORBIDDEN, "without a token only pages of this machine (http://localhost) may connect\n"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Allowance:
    """So many messages a second: a bucket that fills at `per_s` and holds a second's worth."""

    def __init__(self, per_s: int, now_s: float) -> None:
        self._per_s = per_s
        self._left = float(per_s)
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Take one; seconds to wait before it may be had."""
        self._left = min(float(self._per_s), self._left + (now_s - self._at_s) * self._per_s) - 1.0
        self._at_s = now_s
        return max(0.0, -self._left / self._per_s)


class Refusals:
    """What is answered to messages that are refused: errors at a pace that a client can read, and in the end its
    connection is closed."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        """When the first of the refused messages came that no other message has followed."""
        self._newest_s = self._said_s = -math.inf
        self._said = ""
        self._answered = self._unsaid = 0

    def accepted(self) -> None:
        """A message was obeyed: what was refused before it does not count any more."""
        self._since_s = None

    def refused(self, problem: str, now_s: float, *, sound: bool) -> str | None:
        """The error to answer with; None where the client was told enough: of sound once a second, of the same text
        message too, and of different ones after the first ten."""
        if self._since_s is None or now_s - self._newest_s > _REFUSED_PAUSE_S:
            self._since_s, self._answered = now_s, 0
        self._newest_s = now_s
        often = sound or problem == self._said or self._answered >= _ANSWERED_AT_ONCE
        if often and now_s - self._said_s < _SAID_AGAIN_S:
            self._unsaid += 1
            return None
        more = f" ({self._unsaid} more messages were refused)" if self._unsaid else ""
        self._said, self._said_s, self._unsaid = problem, now_s, 0
        self._answered += 1
        return problem + more

    def enough(self, now_s: float) -> bool:
        """Whether nothing but refused messages has come for so long that the connection is to be closed."""
        return self._since_s is not None and now_s - self._since_s >= REFUSED_S


def _offered(path: str, authorization: Sequence[str]) -> list[str]:
    bearers = [value.split(" ", 1)[1].strip() for value in authorization if value.lower().startswith("bearer ")]
    return [*bearers, *parse_qs(urlsplit(path).query).get("token", [])]


def _same(offered: str, token: str) -> bool:
    return hmac.compare_digest(offered.encode("utf-8", "replace"), token.encode())


def _is_local(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False
