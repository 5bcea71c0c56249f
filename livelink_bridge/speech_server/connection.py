"""One client of the speech server: receives its messages, runs its face, sends replies and reports."""

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
"""Time between position reports during playout."""
REFUSED = 1008
"""Close code for a client that keeps sending refused messages (RFC 6455: "policy violation")."""
_POLL_S = 0.05
_CLAIM_S = 1.0
"""How long a start waits for a subject whose last client has just left: its face takes half a second to decay."""

_log = logging.getLogger(__name__)


class Voice(Protocol):
    """One client's face."""

    @property
    def subject(self) -> str:
        """The name in Unreal."""
        ...

    def source(self, echo: bool) -> PcmSource:
        """The source that takes the client's audio; `echo` keeps what is played, to be sent back."""
        ...

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        """Animate `source` until `stop` is set, then leave the face neutral. Runs on its own thread. Raises
        BridgeError."""
        ...

    def set_mood(self, mood: str) -> None:
        """Change the mood. Raises UsageError for an unknown one."""
        ...


OpenVoice = Callable[[str | None, str | None], Voice]
"""Called with subject and mood, each None for the default. Raises BridgeError, also for an unknown mood."""


class Subjects:
    """The subjects in use, one client each. Compared without case, as receivers do; see `device_id`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    async def claim(self, subject: str) -> None:
        """Reserve a subject, waiting up to a second for it. Raises ProtocolError if another client holds it."""
        for _ in range(round(_CLAIM_S / _POLL_S)):
            if subject.casefold() not in self._taken:
                self._taken.add(subject.casefold())
                return
            await asyncio.sleep(_POLL_S)
        raise ProtocolError(f"subject {subject!r} is another client's; choose another name, or close that connection")

    def release(self, subject: str) -> None:
        """Free a subject for other clients."""
        self._taken.discard(subject.casefold())


class Connection:
    """Handles a client's messages in order and reports playout. However it ends, the face ends neutral."""

    def __init__(
        self, socket: ServerConnection, open_voice: OpenVoice, subjects: Subjects, limits: Limits, clock: Clock
    ) -> None:
        """
        Parameters
        ----------
        socket : the client's WebSocket
        open_voice : opens the client's face at its first start
        subjects : the subjects in use, shared by all clients
        limits : message rate and idle time
        clock : monotonic clock
        """
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
        self._changed = asyncio.Event()
        """Set when there may be something to report."""
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Serve the client until it disconnects or its face fails."""
        try:
            while True:
                await self._wait_for_room()
                message = await self._receive()
                await asyncio.sleep(self._allowance.wait_s(self._clock.now()))
                await self._handle(message)
        except ConnectionClosed:
            pass
        finally:
            await self._close()

    async def _handle(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                self._push_audio(message)
            else:
                await self._handle_text(message)
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

    def _push_audio(self, data: bytes) -> None:
        layout = self._conversation.sound_format()
        assert self._source is not None
        self._source.push_bytes(data, layout)
        self._changed.set()

    async def _handle_text(self, text: str) -> None:
        message = self._conversation.text(text)
        if isinstance(message, Start):
            await self._start(message)
            return
        assert self._source is not None and self._voice is not None
        if isinstance(message, End):
            self._source.end()
        elif isinstance(message, Interrupt):
            self._source.interrupt()
        elif isinstance(message, Mood):
            self._voice.set_mood(message.mood)
        self._changed.set()

    async def _start(self, start: Start) -> None:
        """The first start opens the face; a later one changes the format, and the mood if it contains one."""
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
        # In a thread: reading a character file and creating a VAD must not delay the audio of other clients.
        voice = await asyncio.to_thread(self._open_voice, start.subject, start.mood)
        await self._subjects.claim(voice.subject)
        self._voice, self._source = voice, voice.source(bool(start.echo))
        loop = asyncio.get_running_loop()
        self._source.on_progress = lambda: _wake(loop, self._changed)
        self._tasks = [
            asyncio.create_task(self._run_voice(voice, self._source)),
            asyncio.create_task(self._send_reports(self._source)),
        ]

    async def _run_voice(self, voice: Voice, source: PcmSource) -> None:
        """Run the face on its thread. Its failure ends the connection; a BridgeError is sent to the client."""
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
        if failure:  # in a thread: a terminal stopped with Ctrl-S blocks the logging thread
            await asyncio.to_thread(_log.error, "%s: %s", voice.subject, failure)

    async def _send_reports(self, source: PcmSource) -> None:
        """Send the playout position, ended utterances and the echo, as long as there are any."""
        due_s = self._clock.now()
        await self._changed.wait()
        try:
            while True:
                self._changed.clear()
                await self._send_echo(source)
                ended, where, idle = source.take_ended(), source.position(), source.idle()
                if ended or idle or self._clock.now() >= due_s:
                    due_s = self._clock.now() + POSITION_S
                    await self._socket.send(protocol.position(where))
                for one in ended:
                    await self._socket.send(protocol.done(one))
                await self._wait_for_change(None if idle else min(due_s, source.next_end_s() or due_s))
        except ConnectionClosed:
            pass

    async def _wait_for_change(self, until_s: float | None) -> None:
        """Wait for a change, at most until this clock time; None waits without limit."""
        timeout_s = None if until_s is None else max(0.0, until_s - self._clock.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()

    async def _send_echo(self, source: PcmSource) -> None:
        started = self._conversation.started
        for block, in_s in source.take_echo():
            assert started is not None
            layout = PcmFormat(started.format.encoding, block.sample_rate, block.samples.shape[1])
            await self._socket.send(protocol.audio(layout, len(block.samples), in_s))
            await self._socket.send(layout.encode(block.samples))

    async def _wait_for_room(self) -> None:
        """Stop reading while the buffer is full: TCP flow control then blocks the client."""
        while self._source is not None and self._source.full() and self._socket.state is State.OPEN:
            await asyncio.sleep(_POLL_S)

    async def _receive(self) -> str | bytes:
        """The next message. A silent client is pinged; if it does not answer, the connection is closed.

        Messages are read meanwhile: any message counts as an answer, and the pong arrives after those sent before it.
        """
        ping: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(self._limits.idle_s):
                        return await self._socket.recv()
                except TimeoutError:
                    if ping is None or ping.done():
                        ping = asyncio.create_task(self._ping())
                    else:
                        await self._socket.close(1011, "no answer to a ping")
        finally:
            if ping is not None:
                ping.cancel()

    async def _ping(self) -> None:
        """Send a ping and wait for its pong."""
        with suppress(ConnectionClosed):
            await (await self._socket.ping())

    async def _close(self) -> None:
        """Let the face decay to neutral on its thread; the subject is free after that."""
        self._stop.set()
        if self._source is not None:
            self._source.close()
            running, reporting = self._tasks
            reporting.cancel()
            await asyncio.wait(self._tasks)
            running.result()


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set an event of a loop from another thread, which may outlive the loop."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)
