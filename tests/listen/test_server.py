"""A real server on loopback and real clients; every wait has a limit."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from arkit_mapping import CHANNELS_61
from livelink_bridge.clock import MonotonicClock
from livelink_bridge.errors import BridgeError, SinkError, UsageError
from livelink_bridge.face import Face
from livelink_bridge.listen.access import Access, Limits
from livelink_bridge.listen.server import Server
from livelink_bridge.pipeline import Outputs, follow
from livelink_bridge.runner import Runner
from livelink_bridge.sources.pcm import PcmSource
from livelink_bridge.testing import CollectSink, LoudnessModel

JAW = CHANNELS_61.index("JawOpen")
RATE = 16000
TOKEN = "correct-horse-battery"
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

    def feel(self, mood: str) -> None:
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
    with Runner() as runner:
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


def test_speech_that_comes_at_once_moves_the_face_at_its_own_pace_and_is_done():
    with serving() as served, served.connect() as client:
        assert begin(client, subject="Ada", mood="happy:0.4") == {"type": "ready", "protocol": 1, "subject": "Ada", "buffer_s": 30.0}
        sent_s = CLOCK.now()
        client.send(tone(0.6))
        say(client, type="end")
        first = hear(client, "position")
        done = hear(client, "done")
        took_s = CLOCK.now() - sent_s
        assert first["utterance"] == 1 and first["buffered_s"] > 0.3
        assert done == {"type": "done", "utterance": 1, "reason": "end", "played_s": 0.6}
        assert 0.6 < took_s < 2.0
        client.close()
        (voice,) = served.voices
        assert voice.ended.wait(5)
    jaw = voice.sink.weights[:, JAW]
    assert (voice.subject, voice.moods) == ("Ada", ["happy:0.4"])
    assert 25 < (jaw > 0.2).sum() < 60
    assert not voice.sink.weights[-12:].any()


def test_an_interrupted_face_is_neutral_soon_and_the_client_is_told():
    with serving() as served, served.connect() as client:
        begin(client)
        client.send(tone(5.0))
        while hear(client, "position")["played_s"] < 0.2:
            pass
        interrupted_s = CLOCK.now()
        say(client, type="interrupt")
        done = hear(client, "done")
        assert done["reason"] == "interrupt" and 0.2 <= done["played_s"] < 3
        say(client, type="end")
        assert hear(client, "done") == {"type": "done", "utterance": 2, "reason": "end", "played_s": 0.0}
        client.close()
        sink = served.voices[0].sink
        assert served.voices[0].ended.wait(5)
    after = [(at_s, float(weights[JAW])) for at_s, weights in zip(sink.times_s, sink.weights, strict=True) if at_s > interrupted_s]
    assert after[0][1] > 0.2
    neutral_s = next(at_s for at_s, jaw in after if jaw == 0) - interrupted_s
    assert neutral_s < 0.25, "0.13 s, and what a busy machine adds"
    assert not any(jaw for at_s, jaw in after if at_s - interrupted_s > neutral_s)


def test_a_delayed_face_closes_as_soon_and_stays_closed():
    with serving(make=lambda subject, mood: FakeVoice(subject, mood, delay_s=0.4)) as served, served.connect() as client:
        begin(client)
        client.send(tone(5.0))
        while hear(client, "position")["played_s"] < 0.8:
            pass
        interrupted_s = CLOCK.now()
        say(client, type="interrupt")
        hear(client, "done")
        assert not served.voices[0].ended.wait(1.0)
        client.close()
        sink = served.voices[0].sink
        assert served.voices[0].ended.wait(5)
    after = [(at_s - interrupted_s, float(weights[JAW])) for at_s, weights in zip(sink.times_s, sink.weights, strict=True)]
    jaws = [jaw for at_s, jaw in after if at_s > 0]
    assert jaws[0] > 0.2
    assert (np.diff(jaws) <= 0.01).all(), "it only closes"
    assert next(at_s for at_s, jaw in after if at_s > 0 and jaw == 0) < 0.25, "0.13 s, and what a busy machine adds"


def test_malformed_messages_are_answered_and_the_connection_goes_on():
    with serving() as served, served.connect() as client:
        for message in ["", "{", "[]", '{"type": "dance"}', '{"type": "end"}', b"\0\0", json.dumps(START | {"rate": 1})]:
            client.send(message)
            assert hear(client, "error")["error"]
        begin(client)
        client.send(b"\0\0\0")
        assert "multiple of 2" in hear(client, "error")["error"]
        say(client, type="mood", mood="grim")
        assert hear(client, "error")["error"] == "mood: got 'grim', expected happy"
        say(client, type="mood", mood="happy:1")
        client.send(tone(0.05))
        say(client, type="end")
        assert hear(client, "done")["played_s"] == 0.05
        assert served.voices[0].moods == [None, "happy:1"]


def test_a_client_that_vanishes_leaves_a_neutral_face_and_its_name():
    with serving() as served:
        with served.connect() as client:
            begin(client, subject="Ada")
            client.send(tone(5.0))
            while hear(client, "position")["played_s"] < 0.2:
                pass
            client.socket.shutdown(socket.SHUT_RDWR)
            first = served.voices[0]
            assert first.ended.wait(5)
        assert first.sink.weights[:, JAW].max() > 0.2
        assert not first.sink.weights[-12:].any()
        with served.connect() as again:
            begin(again, subject="Ada")


def test_each_subject_has_one_voice():
    with serving() as served, served.connect() as first, served.connect() as second:
        begin(first, subject="Ada")
        for same in ("Ada", "ADA"):
            second.send(json.dumps(START | {"subject": same}))
            assert f"subject {same!r} is another client's" in hear(second, "error")["error"]
        assert begin(second, subject="Bob")["subject"] == "Bob"


def test_a_later_start_may_name_the_default_subject_and_leave_the_echo_out():
    with serving() as served, served.connect() as client:
        begin(client, echo=True)
        assert begin(client, subject="Talker")["subject"] == "Talker"
        assert begin(client, rate=24000)["subject"] == "Talker"


def test_one_client_too_many_is_turned_away_and_may_come_back():
    with serving(limits=Limits(clients=1)) as served:
        with served.connect() as first, pytest.raises(InvalidStatus) as refusal:
            begin(first)
            served.connect().__enter__()
        assert refusal.value.response.status_code == 503
        deadline_s = time.monotonic() + 5
        while served.server.clients and time.monotonic() < deadline_s:
            time.sleep(0.01)
        with served.connect() as later:
            begin(later)


def test_only_who_knows_the_token_comes_in():
    with serving(access=Access("127.0.0.1", TOKEN)) as served:
        for path, headers in [("", {}), ("/?token=wrong", {}), ("", {"Authorization": "Bearer wrong"})]:
            with pytest.raises(InvalidStatus) as refusal:
                served.connect(path, additional_headers=headers).__enter__()
            assert refusal.value.response.status_code == 401
        with served.connect(f"/?token={TOKEN}", origin="https://studio.example") as client:
            begin(client, subject="Ada")
        with served.connect(additional_headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            begin(client, subject="Bob")


def test_a_page_from_elsewhere_may_not_speak():
    with serving() as served:
        for origin in ("https://evil.example", "null"):
            with pytest.raises(InvalidStatus) as refusal:
                served.connect(origin=origin).__enter__()
            assert refusal.value.response.status_code == 403
        with served.connect(origin="http://localhost:8000") as client:
            begin(client)


def test_a_message_that_is_too_long_ends_its_connection_alone():
    with serving(limits=Limits(message_bytes=1000)) as served, served.connect() as fine, served.connect() as long:
        begin(fine)
        begin(long, subject="Bob")
        long.send(bytes(1002))
        with pytest.raises(ConnectionClosed) as closed:
            hear(long, "done")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
        say(fine, type="end")
        hear(fine, "done")


def test_messages_are_read_no_faster_than_allowed():
    with serving(limits=Limits(messages_per_s=50)) as served, served.connect() as client:
        begun_s = time.monotonic()
        for _ in range(75):
            client.send("{}")
        for _ in range(75):
            hear(client, "error")
        assert time.monotonic() - begun_s > 0.45


def test_sound_beyond_the_buffer_waits_in_the_socket():
    with serving(make=lambda subject, mood: FakeVoice(subject, mood, buffer_s=0.3)) as served, served.connect() as client:
        assert begin(client)["buffer_s"] == 0.3
        for _ in range(10):
            client.send(tone(0.1))
        say(client, type="end")
        buffered = []
        while True:
            message = json.loads(client.recv(timeout=10))
            if message["type"] == "done":
                break
            buffered.append(message["buffered_s"])
        assert message["played_s"] == pytest.approx(1.0)
        assert 0.2 < max(buffered) <= 0.4


def test_the_echo_is_the_sound_with_the_time_until_it_is_heard():
    with serving() as served, served.connect() as client:
        begin(client, echo=True)
        sent = tone(0.5)
        client.send(sent)
        say(client, type="end")
        echoed, head = b"", None
        while True:
            message = client.recv(timeout=10)
            if isinstance(message, bytes):
                assert head is not None and len(message) == 2 * head["samples"]
                echoed, head = echoed + message, None
                continue
            content = json.loads(message)
            if content["type"] == "done":
                break
            if content["type"] == "audio":
                head = content
                assert (head["format"], head["rate"], head["channels"]) == ("s16le", RATE, 1)
                assert head["in_s"] < 0.26
        assert echoed == sent


class FailingVoice(FakeVoice):
    failure: Exception = SinkError("take Ada.csv cannot be written: no space left")

    def run(self, source: PcmSource, stop: threading.Event) -> None:
        raise self.failure


def test_a_voice_that_cannot_go_on_says_why_and_closes():
    with serving(make=FailingVoice) as served, served.connect() as client:
        client.send(json.dumps(START))
        assert "no space left" in hear(client, "error")["error"]
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1011
        with served.connect():
            pass


def test_a_bug_in_a_voice_stops_the_server_and_is_raised():
    class Broken(FailingVoice):
        failure = ArithmeticError("no more")

    with pytest.raises(ArithmeticError, match="no more") as error, serving(make=Broken) as served, served.connect() as client:
        client.send(json.dumps(START))
        with pytest.raises(ConnectionClosed):
            hear(client, "done")
        served.voices.clear()
    assert error.value.__notes__ == ["in a voice", "in stage 'server'"]


def test_stopping_leaves_every_face_neutral_and_no_thread():
    with ExitStack() as stack:
        with serving() as served:
            clients = [stack.enter_context(served.connect()) for _ in range(2)]
            for client, name in zip(clients, ("Ada", "Bob"), strict=True):
                begin(client, subject=name)
                client.send(tone(5.0))
            for client in clients:
                while hear(client, "position")["played_s"] < 0.2:
                    pass
            stopped_s = time.monotonic()
        assert time.monotonic() - stopped_s < 4
    for voice in served.voices:
        assert voice.ended.is_set()
        assert not voice.sink.weights[-12:].any()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("voice", "model", "sender", "server"))]


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


def test_a_client_that_answers_no_ping_is_dropped():
    with serving(limits=Limits(idle_s=0.05)) as served, mute_client(served) as mute:
        received = b""
        while data := mute.recv(4096):
            received += data
        assert received.startswith(b"HTTP/1.1 101")
        assert b"no answer to a ping" in received


def test_messages_are_read_while_a_ping_is_not_answered_and_count_as_its_answer():
    message = b"\x81\x82\0\0\0\0{}"  # a text frame, masked with zeros as clients have to
    with serving(limits=Limits(idle_s=0.5)) as served, mute_client(served) as mute:
        time.sleep(0.7)
        for _ in range(10):
            mute.sendall(message)
            time.sleep(0.1)
        mute.shutdown(socket.SHUT_WR)
        received = b""
        while data := mute.recv(4096):
            received += data
    assert received.count(b"\x89\x04") == 1, "it was asked once"
    assert received.count(b'"type": "error"') == 10
    assert b"no answer" not in received


def test_a_port_that_is_taken_is_one_line():
    with serving() as served, pytest.raises(BridgeError, match=f"port {served.server.port} on 127.0.0.1 cannot be opened"):
        Server(served._open, Access(), port=served.server.port, clock=CLOCK)


def test_a_server_that_is_stopped_before_it_runs_never_does():
    server = Serving().server
    server.stop()
    server.stop()
    server.run()
    assert server.clients == 0


def test_what_is_no_websocket_is_refused_without_a_word(caplog):
    with serving() as served, socket.create_connection(("127.0.0.1", served.server.port), 5) as other:
        other.sendall(b"\x16\x03\x01 not http at all\r\n\r\n")
        while other.recv(4096):
            pass
        with served.connect() as client:
            begin(client)
    assert caplog.records == []
