"""The socket and address of the page. Imports nothing heavy: the browser can open and wait while the rest loads."""

from __future__ import annotations

import socket

from livelink_bridge.errors import BridgeError


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any. Raises BridgeError where it cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise BridgeError(
            f"cannot serve the page at {host}:{port} ({error.strerror or error}); choose another with --port"
        ) from error


def address(host: str, port: int, token: str | None) -> str:
    """What to open in a browser."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/" + (f"?token={token}" if token else "")
