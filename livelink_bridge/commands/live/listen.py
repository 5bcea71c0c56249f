"""`listen`: a WebSocket server on which speech engines move faces."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.options import interruptible
from livelink_bridge.core.limits import BUFFER, CLIENTS, PORT

if TYPE_CHECKING:
    from livelink_bridge.audio.input.input_chain import InputChain
    from livelink_bridge.console.terminal import Show
    from livelink_bridge.core.clock import Clock
    from livelink_bridge.face.face import Face
    from livelink_bridge.reporting.metrics import Status
    from livelink_bridge.session.outputs import Outputs
    from livelink_bridge.settings.table import Settings
    from livelink_bridge.sources.paced_pcm import PcmSource
    from speech_to_face.base import SpeechToFace

_MAX_LINES = 200
"""Lines about voices that have left that may wait to be printed; beyond them the oldest are dropped."""


def listen(
    settings: Settings,
    port: Annotated[
        int, typer.Option(metavar="N", min=round(PORT.lowest), max=round(PORT.highest), help="TCP port. Default 8765.")
    ] = 8765,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Address to listen at; any but this machine's own needs --token. Default 127.0.0.1."
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Secret that clients must send, 16 characters or more.")
    ] = None,
    clients: Annotated[int, typer.Option(metavar="N", help=f"Connections at a time, {CLIENTS}. Default 4.")] = 4,
    buffer: Annotated[
        int,
        typer.Option(
            metavar="MS",
            min=round(BUFFER.lowest),
            max=round(BUFFER.highest),
            help="Prebuffer: audio that must have arrived before a face begins to speak. Default 100 ms.",
        ),
    ] = 100,
) -> None:
    """Move faces with speech that programs send over a WebSocket.

    Runs until Ctrl-C. Each connection moves a face of its own. The protocol is in docs/listen.md.
    """
    from livelink_bridge.console.terminal import status_lines
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.core.workers import Runner, every, steady_interpreter
    from livelink_bridge.network.access import Access, Limits
    from livelink_bridge.session import build
    from livelink_bridge.session.live import STATUS_S
    from livelink_bridge.session.model_thread import warm_up
    from livelink_bridge.speech_server.server import Server

    clock, access, limits = MonotonicClock(), Access(host, token), Limits(clients=clients)
    with (
        interruptible() as stop,
        status_lines(clock, log_file=settings.log_file, metrics_port=settings.metrics_port) as show,
    ):
        board = Board(show, typer.echo)
        model = build.live_model_of(settings, typer.echo)
        open_voice = voices_of(settings, model, buffer / 1000, clock, board)
        build.face_of(settings, clock)  # report what is wrong with it before the first connection
        warm_up(model)
        server = Server(open_voice, access, port=port, limits=limits, clock=clock)
        typer.echo(f"{server.url} -> {model.name} on {model.device} -> {', '.join(settings.targets)}; Ctrl-C ends")
        try:
            with steady_interpreter(), Runner(clock) as runner:
                runner.start("server", server.run, cancel=server.stop)
                runner.watch("server", stop, every(STATUS_S, clock, board.draw))
        finally:
            board.draw()


def voices_of(
    settings: Settings, model: SpeechToFace, enough_s: float, clock: Clock, board: Board
) -> Callable[[str | None, str | None], FollowedVoice]:
    """A function that opens the voice of a connection, from its subject and its mood; None is that of the settings.

    It raises ConfigError for a mood that does not exist. `enough_s` is that of `FollowedVoice`.
    """
    from livelink_bridge.session import build
    from livelink_bridge.settings.moods import read_mood

    outputs = build.outputs_of(settings)

    def open_voice(subject: str | None, mood: str | None) -> FollowedVoice:
        wanted = settings if mood is None else replace(settings, mood=str(read_mood(mood)))
        face, chain = build.face_of(wanted, clock), build.input_chain_of(settings, None, model.lookahead_s)
        return FollowedVoice(model, face, chain, _named(outputs, subject), enough_s, clock, board)

    return open_voice


class Board:
    """Statuses of all connected voices: each voice's thread updates its own, `draw` shows them together.

    Drawing may block, on a stopped terminal (Ctrl-S) for as long as it is stopped. No voice blocks with it.
    """

    def __init__(self, show: Show, say: Callable[[str], None]) -> None:
        """`say` prints a line. Only `draw` calls `show` and `say`."""
        self._show, self._say = show, say
        self._latest: dict[str, Status] = {}
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._lock = threading.Lock()
        self._new = False

    def update(self, subject: str, status: Status) -> None:
        """Set the newest status of a voice. For any thread."""
        with self._lock:
            self._latest[subject] = status
            self._new = True

    def leave(self, subject: str, line: str | None = None) -> None:
        """Show a voice no longer, and print `line` about it. Harmless twice, and for an unknown subject. For any
        thread."""
        with self._lock:
            self._new |= self._latest.pop(subject, None) is not None
            if line is not None:
                self._lines.append(line)

    def draw(self) -> None:
        """Show what has changed since the last call. For one thread."""
        with self._lock:
            latest = self._latest.copy() if self._new else None
            lines, self._new = list(self._lines), False
            self._lines.clear()
        for line in lines:
            self._say(line)
        if latest is not None:
            self._show(latest)


class FollowedVoice:
    """The voice of one client; it goes the same way as a microphone's."""

    def __init__(
        self,
        model: SpeechToFace,
        face: Face,
        chain: InputChain,
        outputs: Outputs,
        prebuffer_s: float,
        clock: Clock,
        board: Board,
    ) -> None:
        """`enough_s` seconds of audio must have arrived before the face begins to speak."""
        self._model = model
        self._face, self._chain = face, chain
        self._outputs = outputs
        self._prebuffer_s = prebuffer_s
        self._clock = clock
        self._board = board

    @property
    def subject(self) -> str:
        """Name in Unreal's Live Link window."""
        return self._outputs.subject

    def source(self, echo: bool) -> PcmSource:
        """The audio source that the connection feeds; with `echo` it gives the audio back as it is played."""
        from livelink_bridge.sources.paced_pcm import PcmSource

        return PcmSource(self.subject, clock=self._clock, prebuffer_s=self._prebuffer_s, echo=echo)

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        """Move the face with `source` until it ends or `stop` is set."""
        from livelink_bridge.session import build
        from livelink_bridge.session.modes.follow import follow
        from livelink_bridge.session.outputs import open_sinks

        line: str | None = None
        try:
            with open_sinks(self._outputs) as sinks:
                summary = follow(
                    source,
                    self._model,
                    self._face,
                    self._outputs,
                    sinks,
                    clock=self._clock,
                    stop=stop,
                    chain=self._chain,
                    on_status=partial(self._board.update, self.subject),
                    timing=source,
                )
            line = f"{self.subject}: {build.summary_line(summary)}"
        finally:
            self._board.leave(self.subject, line)

    def set_mood(self, mood: str) -> None:
        """Change to another mood. Raises ConfigError for one that does not exist."""
        from livelink_bridge.settings.moods import read_mood

        self._face.set_mood(read_mood(mood))


def _named(outputs: Outputs, subject: str | None) -> Outputs:
    return outputs if subject is None else replace(outputs, subject=subject)
