"""Who may talk to the page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("starlette", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")

from livelink_bridge.preview.server.guard import Guard

PORT = 8090


async def _hello(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def ask(
    headers: dict[str, str], *, host: str = "127.0.0.1", token: str | None = None, kind: str = "http", query: str = ""
) -> dict[str, Any]:
    """The first message of the answer, its headers as a dict."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect" if kind == "websocket" else "http.request"}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": "GET", "path": "/", "query_string": query.encode(), "headers": pairs}
    asyncio.run(Guard(_hello, host, PORT, token)(scope, receive, send))
    first = said[0]
    first["headers"] = {name.decode(): value.decode() for name, value in first.get("headers", [])}
    return first


def test_this_machines_browser_is_welcome() -> None:
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert ask({"host": f"{name}:{PORT}"})["status"] == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8090", "127.0.0.1:9", "127.0.0.1", "", "127.0.0.1:x", "192.168.1.7:8090"]
)
def test_a_name_that_is_not_ours_is_refused_whatever_it_points_to(host: str) -> None:
    assert ask({"host": host})["status"] == 421
    assert ask({"host": host}, kind="websocket")["type"] == "websocket.close"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "http://localhost:8090"])
def test_another_site_may_neither_ask_nor_open_a_websocket(origin: str) -> None:
    headers = {"host": f"127.0.0.1:{PORT}", "origin": origin}
    assert ask(headers)["status"] == 403
    assert ask(headers, kind="websocket")["type"] == "websocket.close"


def test_the_pages_own_websocket_is_welcome() -> None:
    headers = {"host": f"127.0.0.1:{PORT}", "origin": f"http://127.0.0.1:{PORT}"}
    assert ask(headers, kind="websocket")["type"] == "websocket.accept"


def test_another_site_cannot_show_the_sound_but_may_link_to_the_page() -> None:
    headers = {"host": f"127.0.0.1:{PORT}", "sec-fetch-site": "cross-site"}
    assert ask({**headers, "sec-fetch-mode": "no-cors"})["status"] == 403
    assert ask({**headers, "sec-fetch-mode": "navigate"})["status"] == 200


def test_elsewhere_the_token_is_asked_for_once_and_kept_in_a_cookie() -> None:
    there = {"host": f"192.168.1.7:{PORT}"}
    assert ask(there, host="0.0.0.0", token="secret")["status"] == 401
    assert ask(there, host="0.0.0.0", token="secret", query="token=wrong")["status"] == 401
    assert (
        ask(there, host="0.0.0.0", token="secret", kind="websocket", query="token=secret")["type"] == "websocket.close"
    )
    answer = ask(there, host="0.0.0.0", token="secret", query="token=secret&x=1")
    assert (answer["status"], answer["headers"]["location"]) == (303, "/?x=1")
    cookie = answer["headers"]["set-cookie"]
    assert "httponly" in cookie.lower() and "samesite=strict" in cookie.lower()
    kept = {**there, "cookie": cookie.partition(";")[0]}
    assert ask(kept, host="0.0.0.0", token="secret")["status"] == 200
    assert ask(kept, host="0.0.0.0", token="secret", kind="websocket")["type"] == "websocket.accept"
    assert ask({**there, "cookie": f"livelink_preview_{PORT}=wrong"}, host="0.0.0.0", token="secret")["status"] == 401


def test_served_to_every_address_it_answers_to_addresses_and_not_to_foreign_names() -> None:
    assert ask({"host": f"evil.example:{PORT}"}, host="0.0.0.0", token="secret")["status"] == 421
