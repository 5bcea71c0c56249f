"""A real server on loopback and real clients; every wait has a limit."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from websockets.sync.client import ClientConnection, connect

from arkit_mapping import CHANNELS_61
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.workers import Runner
from livelink_bridge.errors import UsageError
from livelink_bridge.face.face import Face
from livelink_bridge.network.access import Access, Limits
from livelink_bridge.session.modes.follow import follow
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.speech_server.server import Server
from livelink_bridge.testing.stand_ins import CollectSink, LoudnessModel

JAW = CHANNELS_61.index("JawOpen")
RATE = 16000
CLOCK = MonotonicClock()
START = {"type": "start", "format": "s16le", "rate": RATE, "channels": 1}


class TimedSink(CollectSink):
    """Also keeps when each pose came."""

    def __init__(self) -> None:
        super().__init__()
        self.times_s: list[float] = []

    def send(self, weights, stamp) -> None:
        super().send(weights, stamp)
        self.times_s.append(CLOCK.now())


class FakeVoice:
    """The real way from sound to sink, with a model without weights."""

    def __init__(self, subject: str | None, mood: str | None, buffer_s: float = 30.0, delay_s: float = 0.0) -> None:
        self.subject = subject or "Talker"
        self.moods = [mood]
        self.sink = TimedSink()
        self.ended = threading.Event()
        self._buffer_s = buffer_s
        self._delay_s = delay_s

    def source(self, echo: bool) -> PcmSource:
        return PcmSource(self.subject, clock=CLOCK, echo=echo, buffer_s=self._buffer_s)

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        outputs = Outputs((), self.subject, delay_s=self._delay_s)
        follow(source, LoudnessModel(), Face(), outputs, [self.sink], clock=CLOCK, stop=stop, timing=source)
        self.ended.set()

    def set_mood(self, mood: str) -> None:
        if not mood.startswith("happy"):
            raise UsageError(f"mood: got {mood!r}, expected happy")
        self.moods.append(mood)


class Serving:
    """A server with what its voices did."""

    def __init__(self, make=FakeVoice, access: Access | None = None, limits: Limits | None = None) -> None:
        self.voices: list[FakeVoice] = []
        self._make = make
        self.server = Server(self._open, access or Access(), port=0, limits=limits, clock=CLOCK)

    def _open(self, subject, mood):
        self.voices.append(self._make(subject, mood))
        return self.voices[-1]

    def connect(self, path: str = "", **options) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.server.port}{path}", proxy=None, **options)


@contextmanager
def serving(**options) -> Iterator[Serving]:
    served = Serving(**options)
    with Runner(CLOCK) as runner:
        runner.start("server", served.server.run, cancel=served.server.stop)
        yield served


def tone(seconds: float) -> bytes:
    wave = 0.3 * np.sin(np.arange(round(seconds * RATE)) / 12)
    return (wave * 32767).astype("<i2").tobytes()


def say(client: ClientConnection, **message) -> None:
    client.send(json.dumps(message))


def hear(client: ClientConnection, kind: str) -> dict:
    """The next message of a kind; others are passed over."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        message = client.recv(timeout=10)
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return json.loads(message)
    raise AssertionError(f"no {kind} came")


def begin(client: ClientConnection, **more) -> dict:
    client.send(json.dumps(START | more))
    return hear(client, "ready")


@contextmanager
def mute_client(served: Serving) -> Iterator[socket.socket]:
    """A client that answers no ping."""
    with socket.create_connection(("127.0.0.1", served.server.port), 5) as mute:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        mute.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        yield mute
