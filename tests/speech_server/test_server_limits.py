"""Access, limits, and replies to invalid messages."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest
from talk import START, FakeVoice, begin, hear, mute_client, say, serving, tone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.workers import wait_for
from livelink_bridge.network import access
from livelink_bridge.network.access import Access, Limits

TOKEN = "correct-horse-battery"


def test_malformed_messages_are_answered_and_the_connection_goes_on():
    with serving() as served, served.connect() as client:
        for message in ["", "{", "[]", '{"type": "dance"}', '{"type": "end"}', json.dumps(START | {"rate": 1})]:
            client.send(message)
            assert hear(client, "error")["error"]
        begin(client)
        say(client, type="mood", mood="grim")
        assert hear(client, "error")["error"] == "mood: got 'grim', expected happy"
        say(client, type="mood", mood="happy:1")
        client.send(tone(0.05))
        say(client, type="end")
        assert hear(client, "done")["played_s"] == 0.05
        assert served.voices[0].moods == [None, "happy:1"]


def test_a_refused_client_that_goes_on_hears_an_error_a_second_and_is_closed(monkeypatch):
    monkeypatch.setattr(access, "REFUSED_S", 1.2)
    errors = []
    with serving() as served, served.connect() as client:
        client.send(json.dumps(START | {"rate": 1}))
        errors.append(hear(client, "error")["error"])
        begun_s = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            while time.monotonic() - begun_s < 10:
                client.send(tone(0.02))
                with suppress(TimeoutError):
                    errors.append(json.loads(client.recv(timeout=0.02))["error"])
        took_s = time.monotonic() - begun_s
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
    assert 1.0 < took_s < 5
    assert len(errors) <= 2 + took_s
    assert "rate: got 1" in errors[0]
    assert errors[1].startswith("got audio before a start was accepted") and "more messages were refused" in errors[1]


def test_a_client_whose_face_takes_long_to_open_holds_up_no_other():
    opening, opened = threading.Event(), threading.Event()

    def make(subject, mood):
        if subject == "Slow":
            opening.set()
            assert opened.wait(10)
        return FakeVoice(subject, mood)

    with serving(make=make) as served, served.connect() as slow, served.connect() as other:
        slow.send(json.dumps(START | {"subject": "Slow"}))
        assert opening.wait(5)
        try:
            begin(other, subject="Ada")
            other.send(tone(0.05))
            say(other, type="end")
            assert hear(other, "done")["played_s"] == 0.05
        finally:
            opened.set()
        assert hear(slow, "ready")["subject"] == "Slow"


def test_one_client_too_many_is_turned_away_and_may_come_back():
    with serving(limits=Limits(clients=1)) as served:
        with served.connect() as first, pytest.raises(InvalidStatus) as refusal:
            begin(first)
            served.connect().__enter__()
        assert refusal.value.response.status_code == 503
        wait_for(lambda: not served.server.clients, MonotonicClock(), threading.Event(), at_most_s=5)
        with served.connect() as later:
            begin(later)


def test_only_clients_with_the_token_are_accepted():
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
            client.send(json.dumps(START))
        for _ in range(75):
            hear(client, "ready")
        assert time.monotonic() - begun_s > 0.45


def test_sound_beyond_the_buffer_waits_in_the_socket():
    with (
        serving(make=lambda subject, mood: FakeVoice(subject, mood, buffer_s=0.3)) as served,
        served.connect() as client,
    ):
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


def test_a_client_that_answers_no_ping_is_dropped():
    with serving(limits=Limits(idle_s=0.05)) as served, mute_client(served) as mute:
        received = b""
        while data := mute.recv(4096):
            received += data
        assert received.startswith(b"HTTP/1.1 101")
        assert b"no answer to a ping" in received


def heard_for(client: socket.socket, seconds: float) -> bytes:
    """What arrives in the next so many seconds, or until the other side closes."""
    received, until_s = b"", time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        client.settimeout(left_s)
        try:
            data = client.recv(4096)
        except TimeoutError:
            break
        if not data:
            break
        received += data
    return received


def test_messages_are_read_while_a_ping_is_not_answered_and_count_as_its_answer():
    text = json.dumps(START).encode()
    message = (
        b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text
    )  # a text frame, masked with zeros as clients have to
    with serving(limits=Limits(idle_s=0.5)) as served, mute_client(served) as mute:
        received = heard_for(mute, 0.7)
        for _ in range(10):
            mute.sendall(message)
            received += heard_for(mute, 0.1)
        mute.shutdown(socket.SHUT_WR)
        received += heard_for(mute, 5)
    assert received.count(b"\x89\x04") == 1, "it was asked once"
    assert received.count(b'"type": "ready"') == 10
    assert b"no answer" not in received


def test_what_is_no_websocket_is_refused_without_a_word(caplog):
    with serving() as served, socket.create_connection(("127.0.0.1", served.server.port), 5) as other:
        other.sendall(b"\x16\x03\x01 not http at all\r\n\r\n")
        while other.recv(4096):
            pass
        with served.connect() as client:
            begin(client)
    assert caplog.records == []
