"""`stream_to`: audio from a program to packets, with the pipeline of `listen`."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from livelink_bridge import animate, stream_to
from livelink_bridge.api.talking import TalkingFace
from livelink_bridge.errors import BridgeError, ConfigError, SinkError, UsageError
from livelink_bridge.face.face import Face
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.testing.stand_ins import LoudnessModel, ManualClock
from livelink_bridge.wire.livelink import Packet, decode
from speech_to_face.base import ModelError

pytestmark = pytest.mark.usefixtures("own_home", "nothing_left_running")
RATE = 24000
JAW = CHANNELS_61.index("JawOpen")
MODEL = LoudnessModel()
PLAIN = {"model": MODEL, "sample_rate": RATE, "gate": "off", "level_control": False, "liveliness": False}
LIMIT_S = 10


class Receiver:
    """What Unreal's port would hear."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(LIMIT_S)
        self.uri = f"livelink://127.0.0.1:{self._socket.getsockname()[1]}"

    def next(self) -> Packet:
        return decode(self._socket.recv(2000))

    def until_open(self) -> Packet:
        """The first packet whose mouth is open."""
        return next(packet for packet in iter(self.next, None) if packet.values[JAW] > 0.3)

    def rest(self) -> list[Packet]:
        """Whatever has come by now."""
        self._socket.setblocking(False)
        packets = []
        try:
            while True:
                packets.append(self.next())
        except BlockingIOError:
            return packets

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def tone(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(np.arange(round(seconds * RATE)) / 12)).astype(np.float32)


def as_engines_give_it(wave: np.ndarray) -> Iterator[np.ndarray | bytes | list[float]]:
    """A sound in six chunks, each of another kind."""
    parts = np.array_split(wave, 6)
    whole = [np.rint(part * 32767).astype("<i2") for part in parts]
    yield from (
        parts[0],
        parts[1].astype(np.float64),
        parts[2][:, None],
        parts[3].tolist(),
        whole[4],
        whole[5].tobytes(),
    )


@pytest.mark.usefixtures("shared_clock")
def test_the_frames_sent_are_those_of_animate_and_leaving_waits_until_all_audio_is_played(receiver, tmp_path):
    with stream_to([receiver.uri, f"take:{tmp_path / 'takes'}"], subject="Ada", **PLAIN) as face:
        for chunk in as_engines_give_it(tone(0.6)):
            face.say(chunk)
            if isinstance(chunk, np.ndarray):
                chunk[:] = 0  # the caller's buffer, which may be used again at once
        face.end()
        assert face.subject == "Ada" and face.summary is None
    packets = receiver.rest()
    assert {packet.subject for packet in packets} == {"Ada"}
    assert not any(packet.values.any() for packet in packets[-10:]), "it rests before it leaves"
    assert face.summary.sent == len(packets) and face.summary.seconds == pytest.approx(0.6)
    [csv] = (tmp_path / "takes").rglob("*Ada.csv")
    shown = read_take(csv).values[:, JAW]
    wanted = animate(tone(0.6), RATE, model=MODEL, liveliness=False).poses[:36, JAW]
    # A machine that stalls repeats a pose or leaves one out; it never shows another one.
    nearest = np.abs(shown[:, None] - wanted[None, :]).min(axis=0)
    assert (
        np.quantile(nearest, 0.8) < 1e-3 and shown.max() == pytest.approx(wanted.max(), abs=1e-3) and wanted.max() > 0.3
    )
    for again in (lambda: face.say(tone(0.1)), face.end, face.interrupt):
        with pytest.raises(BridgeError, match="Ada: the face has stopped"):
            again()


def test_an_interruption_discards_the_buffer_and_the_rest_of_a_blocked_say(receiver):
    with stream_to(receiver.uri, subject="Ada", **PLAIN) as face, ThreadPoolExecutor(1) as thread:
        saying = thread.submit(face.say, np.tile(tone(1.0), 40))
        receiver.until_open()
        assert not saying.done(), "30 s may wait, the rest is not taken yet"
        face.interrupt()
        saying.result(LIMIT_S)
        assert face.position.buffered_s == 0
        face.say(tone(0.2))  # somebody speaks again
        face.end()
        face.wait()
        assert face.position.played_s == pytest.approx(0.2, abs=0.01)
    assert face.summary.seconds < 8


def test_an_exception_does_not_wait_and_leaves_a_neutral_face(receiver):
    with pytest.raises(KeyError), stream_to(receiver.uri, subject="Ada", **PLAIN) as face:
        face.say(np.tile(tone(1.0), 20))
        receiver.until_open()
        raise KeyError("the caller's own")
    assert face.summary.seconds < 10
    assert not receiver.rest()[-1].values.any()


@pytest.mark.usefixtures("shared_clock")
def test_a_model_that_fails_is_raised_when_the_block_is_left_and_ends_what_waits(receiver):
    class Failing(LoudnessModel):
        def stream(self):
            stream = super().stream()
            push = stream.push

            def heard(samples):
                if samples.any():
                    raise ArithmeticError("no more")
                return push(samples)

            stream.push = heard
            return stream

    with (
        pytest.raises(ArithmeticError, match="no more"),
        stream_to(receiver.uri, subject="Ada", **(PLAIN | {"model": Failing()})) as face,
    ):
        face.say(tone(0.5))


@pytest.mark.usefixtures("shared_clock")
def test_several_faces_share_one_model(receiver):
    with stream_to(receiver.uri, subject="Ada", **PLAIN) as ada, stream_to(receiver.uri, subject="Ben", **PLAIN) as ben:
        ada.say(tone(0.2)), ben.say(tone(0.2))
    assert {packet.subject for packet in receiver.rest() if packet.values[JAW] > 0.3} == {"Ada", "Ben"}


@pytest.mark.usefixtures("shared_clock")
def test_the_interpreter_is_the_callers(receiver):
    """Neither its switch interval nor the objects that it set aside from garbage collection are touched."""
    interval_s = sys.getswitchinterval()
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with stream_to(receiver.uri, subject="Ada", **PLAIN) as ada, stream_to(receiver.uri, subject="Ben", **PLAIN):
            ada.say(tone(0.1))
            inside = sys.getswitchinterval(), gc.get_freeze_count()
        animate(tone(0.1), RATE, model=MODEL)
        assert inside[0] == sys.getswitchinterval() == interval_s
        # Frozen objects may still be freed one by one; thawing would leave none, freezing again would add the
        # session's.
        assert all(frozen / 2 < count <= frozen for count in (inside[1], gc.get_freeze_count()))
    finally:
        gc.unfreeze()


@pytest.mark.usefixtures("shared_clock")
def test_a_program_that_set_nothing_aside_finds_nothing_set_aside(receiver):
    with stream_to(receiver.uri, subject="Ada", **PLAIN) as face:
        face.say(tone(0.1))
        assert gc.get_freeze_count() == 0
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("shared_clock")
def test_bytes_may_end_within_a_sample(receiver):
    data = np.rint(tone(0.3) * 32767).astype("<i2").tobytes()
    with stream_to(receiver.uri, subject="Ada", **PLAIN) as face:
        for at in range(0, len(data), 333):
            face.say(data[at : at + 333])
        face.say(b"\x01")
        face.end()
        face.wait()
        face.say(b"\x01")
        face.interrupt()
        face.say(data[:100])
        face.end()
        face.wait()
        assert face.position.dropped_bytes == 1, "of the first utterance; what was interrupted is forgotten"
    assert face.summary.seconds == pytest.approx(0.3 + 50 / RATE, abs=1e-3)


class InterruptedWhilePushing(PcmSource):
    """A source whose `interrupt` is called by another thread just when a sound is pushed."""

    at = 0
    cut = None

    def push(self, *given, **more):
        self.at += 1
        if self.cut is not None and self.at == 2:
            self.cut()
        return super().push(*given, **more)


@pytest.mark.usefixtures("shared_clock")
def test_an_interruption_between_a_says_look_for_room_and_its_push_stops_it():
    clock = ManualClock()
    source = InterruptedWhilePushing("Ada", clock=clock)
    face = TalkingFace(source, Face(), RATE, clock, threading.Event())
    source.cut = face.interrupt
    face.say(np.tile(tone(1.0), 3))
    assert (face.position.buffered_s, source.at) == (0, 2)
    face.end()
    assert [done.utterance for done in source.take_ended()] == [1], "nothing was said since, so nothing ends"
    source.cut = None
    face.say(tone(0.5))
    assert face.position.buffered_s == pytest.approx(0.5)


REFUSED = [
    (np.zeros((2, 100)), UsageError, r"got shape \(2, 100\), expected .* 1 to 2 channels; transpose it"),
    (np.array([np.nan]), UsageError, "sample 0 is not finite"),
    (np.zeros(9, np.int64), UsageError, "got int64, expected floats"),
    (np.full(9, 3000.0), UsageError, "divide 16-bit audio by 32768"),
    (np.zeros((9, 2)), UsageError, "got 2 channels after 1"),
]


@pytest.mark.usefixtures("shared_clock")
def test_a_bad_chunk_and_an_unknown_mood_are_refused_and_the_face_goes_on(receiver):
    smile = CHANNELS_61.index("MouthSmileLeft")
    with stream_to(receiver.uri, subject="Ada", **PLAIN) as face:
        face.say(np.zeros(1, np.float32))
        for chunk, kind, said in REFUSED:
            with pytest.raises(kind, match=said):
                face.say(chunk)
        with pytest.raises(ConfigError, match="mood: got 'cheerful', expected neutral, happy"):
            face.set_mood("cheerful")
        face.set_mood("happy:1")
        face.say(np.zeros(0)), face.say(b""), face.say(tone(0.3))
        face.end()
        face.wait()
        assert face.position.played_s == pytest.approx(0.3, abs=0.001)
    assert max(packet.values[smile] for packet in receiver.rest()) > 0.05


def test_the_old_name_of_set_mood_works_and_warns() -> None:
    class Source:
        name = "Ada"

    face = Face()
    talking = TalkingFace(cast(Any, Source()), face, 24000, ManualClock(), threading.Event())
    with pytest.warns(DeprecationWarning, match="use set_mood"):
        talking.feel("happy:0.4")
    assert str(face.mood) == "happy:0.4"


@pytest.mark.usefixtures("shared_clock")
@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"sample_rate": 4000}, UsageError, "rate: got 4000, expected a whole number of Hz"),
        ({"subject": ""}, ConfigError, "subject: got '', expected a name"),
        ({"targets": []}, ConfigError, r"to: got \[\], expected one URI or a list"),
        ({"targets": "livelink://127.0.0.1:99999"}, UsageError, "99999"),
        ({"targets": "udp://127.0.0.1:11111"}, UsageError, "unknown receiver"),
        ({"targets": "livelink://no.such.host.invalid:11111"}, SinkError, "no.such.host.invalid"),
        ({"fps": 120}, ConfigError, "fps: got 120, expected a number from 1 to 60"),
        ({"gate": "open"}, ConfigError, "gate: got 'open', expected auto or voice"),
        ({"face_delay": 900}, ConfigError, "face_delay: got 900, expected a number from 0 to 500 ms"),
        ({"buffer_ms": 5}, UsageError, "buffer_ms: got 5, expected 80 to 2000"),
        ({"model": "no-such-model"}, ModelError, "no-such-model"),
    ],
)
def test_invalid_arguments_are_refused_before_the_face_starts(options, kind, said):
    given = {"targets": "livelink://127.0.0.1:11111", "subject": "Ada", **PLAIN} | options
    with pytest.raises(kind, match=said), stream_to(**given):
        raise AssertionError("began")
