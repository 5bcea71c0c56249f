"""The WebSocket server: one thread with one event loop, and a bounded number of clients."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.access import Access, Limits
from livelink_bridge.speech_server.connection import Connection, OpenVoice, Subjects

PORT = 8765
_HANDSHAKE_S = 5.0
_CLOSE_S = 1.0
"""Time limit of the closing handshake; all clients must be closed before `Runner` gives up on the thread."""
_MAX_QUEUED_MESSAGES = 4
"""Messages queued per client, of at most `Limits.message_bytes` each; beyond that its socket is not read."""

_log = logging.getLogger(__name__)


class Server:
    """The speech server. The constructor opens the port; `run` is the thread's body and `stop` ends it, for a `Runner`.

    A face that fails with anything but a BridgeError is a bug: the server stops and `run` raises the exception.
    """

    def __init__(
        self, open_voice: OpenVoice, access: Access, *, port: int = PORT, limits: Limits | None = None, clock: Clock
    ) -> None:
        """
        Parameters
        ----------
        open_voice : opens a client's face
        access : address to listen on, token and allowed origins
        port : TCP port; 0 takes any free one
        limits : clients, message rate and size, idle time; None is the default
        clock : monotonic clock

        Raises BridgeError if the port cannot be opened.
        """
        self._open_voice = open_voice
        self._access = access
        self._limits = limits or Limits()
        self._clock = clock
        self._socket = _open_port(access.host, port)
        self.port: int = self._socket.getsockname()[1]
        self._subjects = Subjects()
        self._clients = 0
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._failures: list[BaseException] = []

    @property
    def url(self) -> str:
        """The server's address, ws://HOST:PORT."""
        host = f"[{self._access.host}]" if ":" in self._access.host else self._access.host
        return f"ws://{host}:{self.port}"

    @property
    def clients(self) -> int:
        """Connections open now."""
        return self._clients

    def run(self) -> None:
        """Serve until `stop`. Every face is neutral when it returns."""
        try:
            asyncio.run(self._serve())
        finally:
            self._socket.close()
        if self._failures:
            raise self._failures[0]

    def stop(self) -> None:
        """End `run`. Thread-safe, idempotent, and allowed before `run`."""
        self._stopping.set()
        if self._loop is None:
            self._socket.close()
            return
        assert self._wake is not None
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._limits.clients, thread_name_prefix="voice"))
        self._wake = asyncio.Event()
        self._loop = loop
        if self._stopping.is_set():
            return
        # The library's own pings would time out while a client's audio waits unread in the socket: `Connection` pings
        # instead.
        async with serve(
            self._serve_client,
            sock=self._socket,
            process_request=self._admit,
            max_size=self._limits.message_bytes,
            max_queue=_MAX_QUEUED_MESSAGES,
            compression=None,
            ping_interval=None,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_CLOSE_S,
            server_header=None,
            logger=_silent_logger(),
        ):
            await self._wake.wait()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        headers = request.headers
        refusal = self._access.refusal(request.path, headers.get_all("Authorization"), headers.get_all("Origin"))
        if refusal is None and self._clients >= self._limits.clients:
            refusal = (
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._clients} clients are connected, the maximum; see --clients\n",
            )
        if refusal is not None:
            _log.info("refused a client: %s", refusal[1].strip())
            return connection.respond(*refusal)
        return None

    async def _serve_client(self, client: ServerConnection) -> None:
        if self._clients >= self._limits.clients:  # several were admitted at the same time
            await client.close(1013, "too many clients")
            return
        self._clients += 1
        try:
            await Connection(client, self._open_voice, self._subjects, self._limits, self._clock).run()
        except Exception as failure:
            failure.add_note("in the face of a client")
            self._failures.append(failure)
            self.stop()
        finally:
            self._clients -= 1


def _open_port(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BridgeError(
            f"port {port} on {host} cannot be opened: {reason}; close the program that holds it or choose another "
            "with --port"
        ) from None


def _silent_logger() -> logging.Logger:
    """A silent logger: the library logs a traceback for every port scanner. This package logs what users can act on."""
    logger = logging.getLogger(f"{__name__}.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
