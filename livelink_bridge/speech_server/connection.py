"""One client of the server: its messages, its voice, its answers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.audio.resample import prepare
from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.access import REFUSED_S, ErrorReplies, Limits, TokenBucket
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.speech_server import protocol
from livelink_bridge.speech_server.protocol import Conversation, End, Interrupt, Mood, ProtocolError, Start

POSITION_S = 0.2
"""Between two positions, while sound is played."""
REFUSED = 1008
"""Close code for a client that goes on with messages that are refused (RFC 6455: "policy violation")."""
_FULL_LOOK_S = 0.05
_ONE_FACE_S = 1.0
"""How long a start waits for a subject whose last client has just left: its face takes half a second to rest."""

_log = logging.getLogger(__name__)


class Voice(Protocol):
    """One client's face."""

    @property
    def subject(self) -> str:
        """Its name in Unreal."""
        ...

    def source(self, echo: bool) -> PcmSource:
        """Where its sound goes."""
        ...

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        """Follow `source` until `stop` is set, then leave the face neutral. On a thread of its own. Raises
        BridgeError."""
        ...

    def set_mood(self, mood: str) -> None:
        """Change the mood. Raises UsageError for one that does not exist."""
        ...


OpenVoice = Callable[[str | None, str | None], Voice]
"""Subject, or None for the default; mood, or None. Raises BridgeError, also for a mood that does not exist."""


class Subjects:
    """The names that are being spoken for: one voice each. Receivers tell no names apart by case; see `device_id`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    async def claim(self, subject: str) -> None:
        """Raises ProtocolError where somebody else keeps it."""
        for _ in range(round(_ONE_FACE_S / _FULL_LOOK_S)):
            if subject.casefold() not in self._taken:
                self._taken.add(subject.casefold())
                return
            await asyncio.sleep(_FULL_LOOK_S)
        raise ProtocolError(f"subject {subject!r} is another client's; choose another name, or close that connection")

    def release(self, subject: str) -> None:
        self._taken.discard(subject.casefold())


class Connection:
    """Reads messages in order, obeys them, and reports; ends with a neutral face whatever ends it."""

    def __init__(
        self, socket: ServerConnection, open_voice: OpenVoice, subjects: Subjects, limits: Limits, clock: Clock
    ) -> None:
        self._socket = socket
        self._open_voice = open_voice
        self._subjects = subjects
        self._limits = limits
        self._clock = clock
        self._conversation = Conversation()
        self._allowance = TokenBucket(limits.messages_per_s, clock.now())
        self._refusals = ErrorReplies()
        self._voice: Voice | None = None
        self._source: PcmSource | None = None
        self._stop = threading.Event()
        self._news = asyncio.Event()
        """Set when there may be something to report."""
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Until the client leaves, or its voice fails."""
        try:
            while True:
                await self._wait_for_room()
                message = await self._receive()
                await asyncio.sleep(self._allowance.wait_s(self._clock.now()))
                await self._answer(message)
        except ConnectionClosed:
            pass
        finally:
            await self._leave()

    async def _answer(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                self._hear(message)
            else:
                await self._obey(message)
        except BridgeError as error:
            await self._refuse(str(error), audio=isinstance(message, bytes))
        else:
            self._refusals.accepted()

    async def _refuse(self, problem: str, *, audio: bool) -> None:
        now_s = self._clock.now()
        answer = self._refusals.refused(problem, now_s, audio=audio)
        if answer is not None:
            await self._socket.send(protocol.error(answer))
        if self._refusals.should_close(now_s):
            await self._socket.close(REFUSED, f"nothing but refused messages for {REFUSED_S:g} s")

    def _hear(self, data: bytes) -> None:
        layout = self._conversation.sound_format()
        assert self._source is not None
        self._source.push_bytes(data, layout)
        self._news.set()

    async def _obey(self, text: str) -> None:
        message = self._conversation.text(text)
        if isinstance(message, Start):
            await self._begin(message)
            return
        assert self._source is not None and self._voice is not None
        if isinstance(message, End):
            self._source.end()
        elif isinstance(message, Interrupt):
            self._source.interrupt()
        elif isinstance(message, Mood):
            self._voice.set_mood(message.mood)
        self._news.set()

    async def _begin(self, start: Start) -> None:
        """The first start opens the voice; a later one changes the format, and the mood if it names one."""
        if self._voice is None:
            await self._open(start)
        elif start.mood is not None:
            self._voice.set_mood(start.mood)
        assert self._voice is not None and self._source is not None
        await asyncio.to_thread(prepare, start.format.rate)
        self._source.drop_partial_sample()
        self._conversation.accept(start, self._voice.subject)
        await self._socket.send(protocol.ready(self._voice.subject, self._source.buffer_s))

    async def _open(self, start: Start) -> None:
        # In a thread: a character file is read and a detector made, and other clients' sound is not to wait for that.
        voice = await asyncio.to_thread(self._open_voice, start.subject, start.mood)
        await self._subjects.claim(voice.subject)
        self._voice, self._source = voice, voice.source(bool(start.echo))
        loop = asyncio.get_running_loop()
        self._source.on_progress = lambda: _wake(loop, self._news)
        self._tasks = [
            asyncio.create_task(self._speak(voice, self._source)),
            asyncio.create_task(self._report(self._source)),
        ]

    async def _speak(self, voice: Voice, source: PcmSource) -> None:
        """The voice's thread, from here. Its failure ends the connection, with the reason where it is the user's to
        know."""
        failure = ""
        try:
            await asyncio.to_thread(voice.run, source, self._stop)
        except BridgeError as error:
            failure = str(error)
            with suppress(ConnectionClosed):
                await self._socket.send(protocol.error(failure))
        finally:
            self._subjects.release(voice.subject)
            await self._socket.close(1011, "the voice ended")
        if failure:  # in a thread: a terminal that is stopped (Ctrl-S) stops whoever prints there
            await asyncio.to_thread(_log.error, "%s: %s", voice.subject, failure)

    async def _report(self, source: PcmSource) -> None:
        """Say what is played, what is over, and send back the sound, while anything is."""
        due_s = self._clock.now()
        await self._news.wait()
        try:
            while True:
                self._news.clear()
                await self._echo(source)
                over, where, idle = source.take_ended(), source.position(), source.idle()
                if over or idle or self._clock.now() >= due_s:
                    due_s = self._clock.now() + POSITION_S
                    await self._socket.send(protocol.position(where))
                for one in over:
                    await self._socket.send(protocol.done(one))
                await self._wait_for_news(None if idle else min(due_s, source.next_end_s() or due_s))
        except ConnectionClosed:
            pass

    async def _wait_for_news(self, until_s: float | None) -> None:
        """Until there are, or until this clock time."""
        left_s = None if until_s is None else max(0.0, until_s - self._clock.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._news.wait()

    async def _echo(self, source: PcmSource) -> None:
        started = self._conversation.started
        for block, in_s in source.take_echo():
            assert started is not None
            layout = PcmFormat(started.format.encoding, block.sample_rate, block.samples.shape[1])
            await self._socket.send(protocol.audio(layout, len(block.samples), in_s))
            await self._socket.send(layout.encode(block.samples))

    async def _wait_for_room(self) -> None:
        """What is not read stays in the socket, and its sender has to wait."""
        while self._source is not None and self._source.full() and self._socket.state is State.OPEN:
            await asyncio.sleep(_FULL_LOOK_S)

    async def _receive(self) -> str | bytes:
        """The next message. A client that says nothing is asked whether it is there; one that does not answer is gone.

        Messages are read meanwhile: one of them is as good an answer, and the pong comes behind those sent before it.
        """
        asked: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(self._limits.idle_s):
                        return await self._socket.recv()
                except TimeoutError:
                    if asked is None or asked.done():
                        asked = asyncio.create_task(self._ask())
                    else:
                        await self._socket.close(1011, "no answer to a ping")
        finally:
            if asked is not None:
                asked.cancel()

    async def _ask(self) -> None:
        """Send a ping and wait for its pong."""
        with suppress(ConnectionClosed):
            await (await self._socket.ping())

    async def _leave(self) -> None:
        """The face eases to neutral on its thread; the subject is free when it has."""
        self._stop.set()
        if self._source is not None:
            self._source.close()
            speaking, reporting = self._tasks
            reporting.cancel()
            await asyncio.wait(self._tasks)
            speaking.result()


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """From another thread, which may outlive the loop."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)
