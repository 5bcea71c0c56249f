"""Access control and rate limits for WebSocket clients. No socket, no clock."""

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
"""A client that sends only refused messages for this long does not read its errors: its connection is closed."""
_REFUSED_PAUSE_S = 2.0
"""A pause this long resets the count: a person who tries messages by hand."""
_REPEAT_S = 1.0
"""Interval at which a repeated error is sent again."""
_ANSWERED_AT_ONCE = 10
"""Different errors answered without delay before the interval applies to them too."""
_SHORTEST_TOKEN = 16
"""Characters. A client that can reach the port may try any number of tokens."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits per server and connection, so that no client can starve the others."""

    clients: int = 4
    """Concurrent connections, 1 to 64."""
    message_bytes: int = 1 << 20
    """Longest message; a longer one ends its connection (close code 1009)."""
    messages_per_s: int = 500
    """Messages read per second and connection, after a first burst of as many; further ones wait in the socket."""
    idle_s: float = 20.0
    """A client that is silent for this long gets a ping, and is dropped if it does not answer for as long again."""

    def __post_init__(self) -> None:
        if self.clients not in CLIENTS:
            raise UsageError(f"--clients: got {self.clients}, expected {CLIENTS}")


@dataclass(frozen=True, slots=True)
class Access:
    """Which clients may connect. Raises UsageError for a host other than this machine without a token, and for an
    invalid token."""

    host: str = LOOPBACK
    """Address or name that the server binds to."""
    token: str | None = None
    """Shared secret, at least 16 printable ASCII characters without a space; None admits only this machine."""

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
        """The status and text with which to refuse a handshake; None admits it.

        Parameters
        ----------
        path : requested path with its query
        authorization, origins : values of the headers `Authorization` and `Origin`; a browser always sends the origin
            of its page
        """
        if self.token is not None:
            if any(_same(offered, self.token) for offered in _offered(path, authorization)):
                return None
            return HTTPStatus.UNAUTHORIZED, "expected the token, as Authorization: Bearer TOKEN or ?token=TOKEN\n"
        if all(_is_local(origin) for origin in origins):
            return None
        return HTTPStatus.FORBIDDEN, "without a token only pages of this machine (http://localhost) may connect\n"


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TokenBucket:
    """Rate limit for messages: a bucket that fills at `per_s` and holds one second's worth."""

    def __init__(self, per_s: int, now_s: float) -> None:
        """
        Parameters
        ----------
        per_s : messages per second
        now_s : current time, seconds of any monotonic clock
        """
        self._per_s = per_s
        self._left = float(per_s)
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Take one message from the bucket at `now_s`; returns the seconds to wait before processing it."""
        self._left = min(float(self._per_s), self._left + (now_s - self._at_s) * self._per_s) - 1.0
        self._at_s = now_s
        return max(0.0, -self._left / self._per_s)


class ErrorReplies:
    """Rate-limits the errors sent to a client, and tells when to close a connection that sends only errors."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        """Time of the first refused message since the last accepted one."""
        self._newest_s = self._replied_s = -math.inf
        self._reply = ""
        self._answered = self._suppressed = 0

    def accepted(self) -> None:
        """A message was accepted: forget the refused ones before it."""
        self._since_s = None

    def refused(self, problem: str, now_s: float, *, audio: bool) -> str | None:
        """Count a refused message.

        Parameters
        ----------
        problem : error text
        now_s : current time, seconds
        audio : whether the message was audio

        Returns
        -------
        The error to send, with the number of suppressed ones; None when it is suppressed: errors about audio, repeated
        errors and, after the first ten, different ones are sent once a second
        """
        if self._since_s is None or now_s - self._newest_s > _REFUSED_PAUSE_S:
            self._since_s, self._answered = now_s, 0
        self._newest_s = now_s
        limited = audio or problem == self._reply or self._answered >= _ANSWERED_AT_ONCE
        if limited and now_s - self._replied_s < _REPEAT_S:
            self._suppressed += 1
            return None
        note = f" ({self._suppressed} more messages were refused)" if self._suppressed else ""
        self._reply, self._replied_s, self._suppressed = problem, now_s, 0
        self._answered += 1
        return problem + note

    def should_close(self, now_s: float) -> bool:
        """Whether all messages of the last REFUSED_S seconds were refused, so that the connection should be closed."""
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
