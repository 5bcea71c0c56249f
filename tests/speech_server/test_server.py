"""What a client receives and what its face does, from start to end of a connection."""

import json
import socket
import threading
from contextlib import ExitStack

import numpy as np
import pytest
from talk import CLOCK, JAW, RATE, START, FakeVoice, Serving, begin, hear, say, serving, tone
from websockets.exceptions import ConnectionClosed

from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.errors import BridgeError, SinkError
from livelink_bridge.network.access import Access
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.speech_server.server import Server

CLOSED_WITHIN = 8
"""Frames that a face may take to close after an interruption, 0.13 s; benchmarks/bench_listen.py measures the time."""


def closing(jaws: list[float]) -> int:
    """Frames from the first in which the jaw is clearly less open than in the first of all to the first in which it is
    shut. A busy machine skips frames, and makes them fewer."""
    less = next(at for at, jaw in enumerate(jaws) if jaw < 0.8 * jaws[0])
    return jaws.index(0.0) - less


def test_speech_sent_at_once_moves_the_face_in_real_time_and_ends_with_done():
    with serving() as served, served.connect() as client:
        assert begin(client, subject="Ada", mood="happy:0.4") == {
            "type": "ready",
            "protocol": 1,
            "subject": "Ada",
            "buffer_s": 30.0,
        }
        sent_s = CLOCK.now()
        client.send(tone(0.6))
        say(client, type="end")
        first = hear(client, "position")
        done = hear(client, "done")
        took_s = CLOCK.now() - sent_s
        assert first["utterance"] == 1 and first["buffered_s"] > 0.3
        assert done == {"type": "done", "utterance": 1, "reason": "end", "played_s": 0.6}
        assert took_s > 0.6
        client.close()
        (voice,) = served.voices
        assert voice.ended.wait(5)
    jaw = voice.sink.weights[:, JAW]
    assert (voice.subject, voice.moods) == ("Ada", ["happy:0.4"])
    assert 25 < (jaw > 0.2).sum() < 60
    assert not voice.sink.weights[-12:].any()


def test_an_interrupted_face_is_neutral_soon_and_the_client_is_notified():
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
    after = [
        (at_s, float(weights[JAW]))
        for at_s, weights in zip(sink.times_s, sink.weights, strict=True)
        if at_s > interrupted_s
    ]
    jaws = [jaw for _, jaw in after]
    assert jaws[0] > 0.2
    assert 0 < closing(jaws) <= CLOSED_WITHIN
    assert not any(jaws[jaws.index(0.0) :])


def test_a_delayed_face_closes_as_soon_and_stays_closed():
    with (
        serving(make=lambda subject, mood: FakeVoice(subject, mood, delay_s=0.4)) as served,
        served.connect() as client,
    ):
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
    after = [
        (at_s - interrupted_s, float(weights[JAW])) for at_s, weights in zip(sink.times_s, sink.weights, strict=True)
    ]
    jaws = [jaw for at_s, jaw in after if at_s > 0]
    assert jaws[0] > 0.2
    assert (np.diff(jaws) <= 0.01).all(), "it only closes"
    assert 0 < closing(jaws) <= CLOSED_WITHIN


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


def test_the_echo_is_the_audio_with_the_time_until_it_is_played():
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


@pytest.mark.parametrize(
    "layout", [PcmFormat("s16le", RATE, 1), PcmFormat("s16le", RATE, 2), PcmFormat("f32le", RATE, 2)], ids=str
)
def test_messages_may_end_within_a_sample(layout):
    wave = PcmFormat("s16le", RATE, 1).decode(tone(0.2))
    data = layout.encode(np.repeat(wave, layout.channels, axis=1))
    with serving() as served, served.connect() as client:
        begin(client, echo=True, format=layout.encoding, channels=layout.channels)
        for at in range(0, len(data), 1001):
            client.send(data[at : at + 1001])
        client.send(b"\x01")
        say(client, type="end")
        echoed, where = b"", {}
        for message in iter(lambda: client.recv(timeout=10), None):
            if isinstance(message, bytes):
                echoed += message
                continue
            content = json.loads(message)
            assert content["type"] != "error", content
            where = content if content["type"] == "position" else where
            if content["type"] == "done":
                break
    assert echoed == data
    assert (content["played_s"], where["dropped_bytes"]) == (0.2, 1)


class Asked(PcmSource):
    """Counts how often somebody looks at what is played."""

    looks = 0

    def position(self):
        self.looks += 1
        return super().position()


class AskedVoice(FakeVoice):
    def source(self, echo: bool) -> PcmSource:
        self.made = Asked(self.subject, clock=CLOCK, echo=echo)
        return self.made


def test_what_is_played_is_looked_at_only_when_there_is_something_to_report():
    with serving(make=AskedVoice) as served, served.connect() as client:
        begin(client)
        client.send(tone(1.0))
        say(client, type="end")
        positions = 0
        while (message := json.loads(client.recv(timeout=10)))["type"] != "done":
            positions += message["type"] == "position"
        looks = served.voices[0].made.looks
    assert message["played_s"] == 1.0
    assert looks <= 2 * positions + 4, "one for each position, and a few for news; every 10 ms would be a hundred"


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

    with (
        pytest.raises(ArithmeticError, match="no more") as error,
        serving(make=Broken) as served,
        served.connect() as client,
    ):
        client.send(json.dumps(START))
        with pytest.raises(ConnectionClosed):
            hear(client, "done")
        served.voices.clear()
    assert error.value.__notes__ == ["in the face of a client", "in stage 'server'"]


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
    for voice in served.voices:
        assert voice.ended.is_set()
        assert not voice.sink.weights[-12:].any()
    assert not [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith(("voice", "model", "sender", "server"))
    ]


def test_a_port_that_is_taken_is_one_line():
    with (
        serving() as served,
        pytest.raises(BridgeError, match=f"port {served.server.port} on 127.0.0.1 cannot be opened"),
    ):
        Server(served._open, Access(), port=served.server.port, clock=CLOCK)


def test_a_server_that_is_stopped_before_it_runs_never_does():
    server = Serving().server
    server.stop()
    server.stop()
    server.run()
    assert server.clients == 0
