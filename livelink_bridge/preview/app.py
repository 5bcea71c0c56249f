"""The web application: NiceGUI's pages, the session's own routes, and the guard around both; and how it is served."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.types import ASGIApp

from livelink_bridge.preview.editor.state import EditorState
from livelink_bridge.preview.page import compare, live_page, page
from livelink_bridge.preview.server.guard import Guard
from livelink_bridge.preview.server.listening_socket import address
from livelink_bridge.preview.server.live_frames import add_live
from livelink_bridge.preview.server.routes import Routes

RECONNECT_S = 30.0
"""How long a tab may be disconnected, on a busy machine or asleep, before its page is rebuilt."""
TITLE = "livelink-bridge preview"


def application(
    session: EditorState, *, host: str, port: int, token: str | None = None, first: Path | None = None
) -> ASGIApp:
    """Everything that is served. NiceGUI has one set of pages per process: a second call puts its session in place of
    the first."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    Routes(session).add_to(app)
    add_live(app, session)
    ui.page("/", title=TITLE)(lambda: live_page.build(session, session.show) if session.show else page.build(session))
    ui.page("/compare", title=f"{TITLE}: which is better?")(lambda: compare.build(session))
    ui.run_with(
        app,
        title=TITLE,
        dark=True,
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_S,
    )
    nicegui_app.on_shutdown(session.close)
    if first is not None:
        nicegui_app.on_startup(lambda: page.open_first(session, first))
    return Guard(app, host, port, token)


class Server:
    """Serves one session until stopped. `run` on the main thread ends with Ctrl-C; `start` and `stop` are for tests and
    sinks."""

    def __init__(
        self,
        session: EditorState,
        listening: socket.socket,
        *,
        host: str = "127.0.0.1",
        token: str | None = None,
        first: Path | None = None,
    ) -> None:
        """`first` is opened as soon as the page is served."""
        port: int = listening.getsockname()[1]
        self.url = address(host, port, token)
        self._listening = listening
        app = application(session, host=host, port=port, token=token, first=first)
        # One message of the page is small: sound and faces come by other ways, which bound themselves.
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="error",
                ws="websockets-sansio",
                ws_max_size=1 << 20,
                timeout_graceful_shutdown=1,
                lifespan="on",
            )
        )
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve until Ctrl-C, which is raised again as KeyboardInterrupt."""
        self._server.run(sockets=[self._listening])

    def start(self) -> None:
        """Serve on a thread of its own."""
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name="page", daemon=True
        )
        self._thread.start()

    def stop(self, within_s: float = 10.0) -> None:
        """Stop serving and close the socket; waits at most `within_s` seconds for the thread."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join(within_s)
        self._listening.close()
