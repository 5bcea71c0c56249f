"""`listen`: speech engines move faces over a WebSocket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.common import interruptible

if TYPE_CHECKING:
    from speech_to_face.base import SpeechToFace

    from arkit_mapping.moods import Mood
    from livelink_bridge.clock import Clock
    from livelink_bridge.commands.status import Show
    from livelink_bridge.config import Settings
    from livelink_bridge.face import Face
    from livelink_bridge.metrics import Status, Summary
    from livelink_bridge.outputs import Outputs
    from livelink_bridge.sources.pcm import PcmSource
    from livelink_bridge.voice_front import VoiceFront


def listen(
    settings: Settings,
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="TCP port. Default 8765.")] = 8765,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen at; another than 127.0.0.1 needs --token.")] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(metavar="TEXT", help="What clients have to know, 16 characters or more.")] = None,
    clients: Annotated[int, typer.Option(metavar="N", help="Connections at a time, 1 to 64. Default 4.")] = 4,
    buffer: Annotated[int, typer.Option(metavar="MS", min=80, max=2000, help="Sound that has to be there before a face begins.")] = 100,
) -> None:
    """Take speech from programs over a WebSocket and move a face with each, until Ctrl-C.

    The protocol is in docs/listen.md.
    """
    from livelink_bridge.clock import MonotonicClock
    from livelink_bridge.commands import session
    from livelink_bridge.commands.status import status_lines
    from livelink_bridge.inference import warm_up
    from livelink_bridge.listen.access import Access, Limits
    from livelink_bridge.listen.server import Server
    from livelink_bridge.runner import Runner, steady_interpreter

    clock, access, limits = MonotonicClock(), Access(host, token), Limits(clients=clients)
    with interruptible() as stop, status_lines(clock, log_file=settings.log_file, metrics_port=settings.metrics_port) as show:
        board = Board(show)
        model, outputs = session.live_model_of(settings), session.outputs_of(settings)
        session.face_of(settings, clock)  # what is wrong with it is said before anybody connects
        warm_up(model)

        def open_voice(subject: str | None, mood: str | None) -> FollowedVoice:
            wanted = settings if mood is None else replace(settings, mood=str(_mood(mood)))
            front = session.front_of(settings, None, model.lookahead_s)
            return FollowedVoice(model, session.face_of(wanted, clock), front, _named(outputs, subject), buffer / 1000, clock, board, _say)

        server = Server(open_voice, access, port=port, limits=limits, clock=clock)
        typer.echo(f"{server.url} -> {model.name} on {model.device} -> {', '.join(settings.targets)}; Ctrl-C ends")
        with steady_interpreter(), Runner() as runner:
            runner.start("server", server.run, cancel=server.stop)
            runner.watch("server", stop, lambda: None)


class Board:
    """The statuses of voices that come and go, each told from a thread of its own, shown together."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._latest: dict[str, Status] = {}
        self._lock = threading.Lock()

    def update(self, subject: str, status: Status) -> None:
        with self._lock:
            new = subject not in self._latest
            self._latest[subject] = status
            # Once for each status of whoever has been here longest: every showing draws all of them.
            if new or subject == next(iter(self._latest)):
                self._show(self._latest.copy())

    def leave(self, subject: str) -> None:
        """It is not shown any more. Harmless twice, and for one that was never told of."""
        with self._lock:
            if self._latest.pop(subject, None) is not None:
                self._show(self._latest.copy())


class FollowedVoice:
    """A client's voice, on the same way as a microphone's."""

    def __init__(self, model: SpeechToFace, face: Face, front: VoiceFront, outputs: Outputs, enough_s: float, clock: Clock,
                 board: Board, say: Callable[[str, Summary], None]) -> None:  # fmt: skip
        self._model = model
        self._face, self._front = face, front
        self._outputs = outputs
        self._enough_s = enough_s
        self._clock = clock
        self._board = board
        self._say = say

    @property
    def subject(self) -> str:
        return self._outputs.subject

    def source(self, echo: bool) -> PcmSource:
        from livelink_bridge.sources.pcm import PcmSource

        return PcmSource(self.subject, clock=self._clock, enough_s=self._enough_s, echo=echo)

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        from livelink_bridge.outputs import open_sinks
        from livelink_bridge.pipeline import follow

        try:
            with open_sinks(self._outputs) as sinks:
                summary = follow(source, self._model, self._face, self._outputs, sinks, clock=self._clock, stop=stop, front=self._front,
                                 on_status=partial(self._board.update, self.subject), timing=source)  # fmt: skip
        finally:
            self._board.leave(self.subject)
        self._say(self.subject, summary)

    def feel(self, mood: str) -> None:
        """Go over to another mood. Raises UsageError for one that is not known."""
        self._face.feel(_mood(mood))


def _mood(text: str) -> Mood:
    from arkit_mapping.moods import Mood, MoodError
    from livelink_bridge.errors import UsageError

    try:
        return Mood.parse(text)
    except MoodError as error:
        raise UsageError(str(error)) from None


def _named(outputs: Outputs, subject: str | None) -> Outputs:
    return outputs if subject is None else replace(outputs, subject=subject)


def _say(subject: str, summary: Summary) -> None:
    from livelink_bridge.commands import session

    typer.echo(f"{subject}: {session.summary_line(summary)}")
