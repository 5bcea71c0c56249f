"""Access to the page: browsers on this machine, and from elsewhere only clients with the token. Every request and the
WebSocket.

A page of another site that is open in the same browser can send requests to 127.0.0.1, and a name it owns can be made
to point there (DNS rebinding). So the Host header must be one of ours, and an Origin header, which browsers send with
every WebSocket and every request of a script that writes, must be the same as the Host.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Guard:
    """ASGI around the application. `token` is None on this machine alone."""

    def __init__(self, app: ASGIApp, host: str, port: int, token: str | None) -> None:
        self._app = app
        self._names = {*LOOPBACK, host, socket.gethostname().lower()}
        self._any_address = host in ("0.0.0.0", "::")
        self._port = port
        self._token = token
        self._cookie = f"livelink_preview_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        """Why not, as an answer; None when welcome."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return _no(f"this page is not {host[:80]!r}; open the address that `livelink-bridge preview` printed", 421)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return _no("another site may not talk to this page", 403)
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return _no("another site may not read this page", 403)
        return None if self._token is None else self._without_token(scope, headers)

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = (parts.hostname or "").lower(), parts.port or 80
        except ValueError:
            return False
        return port == self._port and (name in self._names or (self._any_address and _is_address(name)))

    def _without_token(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        """The token is in the address once, then in a cookie that scripts cannot read and other sites cannot
        send."""
        if self._is_token(_cookie(headers.get("cookie", ""), self._cookie)):
            return None
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        given = dict(query).get("token", "")
        if scope["type"] == "http" and scope["method"] == "GET" and self._is_token(given):
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            answer = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(self._cookie, given, httponly=True, samesite="strict")
            return answer
        return _no("this page asks for a token: open it as http://HOST:PORT/?token=TOKEN", 401)

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())


def _no(why: str, status: int) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
