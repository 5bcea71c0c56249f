"""The WebSocket server: one thread, one event loop, a bounded number of clients."""

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
"""How long a client has to answer that it leaves; all have to be gone before `Runner` gives up on the thread."""
_FEW_MESSAGES = 4
"""Messages read ahead per client, at most `Limits.message_bytes` each; then its socket is not read."""

_log = logging.getLogger(__name__)


class Server:
    """Listening from the moment it is made; `run` is the thread's body and `stop` its cancel, for a `Runner`.

    A voice that fails with something else than a BridgeError is a bug: the server stops and `run` raises it.
    """

    def __init__(
        self, open_voice: OpenVoice, access: Access, *, port: int = PORT, limits: Limits | None = None, clock: Clock
    ) -> None:
        """`port` 0 takes any that is free. Raises BridgeError where the port cannot be opened."""
        self._open_voice = open_voice
        self._access = access
        self._limits = limits or Limits()
        self._clock = clock
        self._socket = _listen(access.host, port)
        self.port: int = self._socket.getsockname()[1]
        self._subjects = Subjects()
        self._clients = 0
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._failures: list[BaseException] = []

    @property
    def url(self) -> str:
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
        """End `run`, from any thread. Harmless twice, and before it has begun."""
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
        # Pings of the library's own would go unanswered while a client's sound waits in the socket: `Connection` asks
        # instead.
        async with serve(
            self._follow,
            sock=self._socket,
            process_request=self._admit,
            max_size=self._limits.message_bytes,
            max_queue=_FEW_MESSAGES,
            compression=None,
            ping_interval=None,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_CLOSE_S,
            server_header=None,
            logger=_quiet(),
        ):
            await self._wake.wait()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        headers = request.headers
        refusal = self._access.refusal(request.path, headers.get_all("Authorization"), headers.get_all("Origin"))
        if refusal is None and self._clients >= self._limits.clients:
            refusal = (
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._clients} clients are connected, which is the most; see --clients\n",
            )
        if refusal is not None:
            _log.info("refused a client: %s", refusal[1].strip())
            return connection.respond(*refusal)
        return None

    async def _follow(self, client: ServerConnection) -> None:
        if self._clients >= self._limits.clients:  # several were admitted at the same time
            await client.close(1013, "too many clients")
            return
        self._clients += 1
        try:
            await Connection(client, self._open_voice, self._subjects, self._limits, self._clock).run()
        except Exception as failure:
            failure.add_note("in a voice")
            self._failures.append(failure)
            self.stop()
        finally:
            self._clients -= 1


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BridgeError(
            f"port {port} on {host} cannot be opened: {reason}; close what holds it or choose another with --port"
        ) from None


def _quiet() -> logging.Logger:
    """The library reports every port scanner with a traceback; what a user can do something about is said by us."""
    logger = logging.getLogger(f"{__name__}.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
