"""`sync-test` from outside: what it says, what it sends, and when."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arkit_mapping.channels import index_of
from livelink_bridge import cli
from livelink_bridge.commands.live import sync_test
from livelink_bridge.commands.options import with_settings
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.session import outputs as outputs_module
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.sinks.base import Stamp
from livelink_bridge.sync_test.pulses import SyncMeter
from livelink_bridge.testing.shared_clock import SharedClock
from livelink_bridge.testing.stand_ins import CollectSink, FakePortAudio, FakeStream
from livelink_bridge.wire.livelink import decode

pytestmark = pytest.mark.usefixtures("nothing_left_running")
JAW = index_of("JawOpen")
BIND_AT_IMPORT = (
    "livelink_bridge.api.talking",
    "livelink_bridge.commands.live.listen",
    "livelink_bridge.preview.editor.unreal_sender",
    "livelink_bridge.session.modes.microphone",
    "livelink_bridge.session.modes.performers",
    "livelink_bridge.session.modes.pipe",
    "livelink_bridge.session.modes.play",
    "livelink_bridge.session.modes.replay",
)
"""Modules that take `open_sinks` by name when they are imported."""
TICK_MS = 1000 / 60
"""The face goes out with the ticks of the sender, the tone whenever it is due."""


@pytest.fixture(autouse=True)
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(cli.VERBS, "sync-test", with_settings("sync-test", sync_test.sync_test))


class TimedSink(CollectSink):
    """Also keeps the time of each frame."""

    def __init__(self, clock: SharedClock) -> None:
        super().__init__()
        self._clock = clock
        self.times_s: list[float] = []

    def send(self, weights: np.ndarray, stamp: Stamp) -> None:
        super().send(weights, stamp)
        self.times_s.append(self._clock.now())

    @property
    def jaws(self) -> list[tuple[float, float]]:
        """The time of each frame, and how far its jaw was open."""
        return [(at_s, float(weights[JAW])) for at_s, weights in zip(self.times_s, self.weights, strict=True)]


@pytest.fixture
def face(shared_clock: SharedClock, monkeypatch: pytest.MonkeyPatch) -> TimedSink:
    """What every receiver is sent."""
    for module in BIND_AT_IMPORT:  # else they would keep the stand-in
        import_module(module)
    sink = TimedSink(shared_clock)

    @contextmanager
    def opened(_outputs: Outputs) -> Iterator[list[TimedSink]]:
        yield [sink]

    monkeypatch.setattr(outputs_module, "open_sinks", opened)
    return sink


class PacedStream(FakeStream):
    """Asks for 10 ms of sound every 10 ms. Sample n is heard at `begun_s` + n / 48000 + `latency`."""

    def __init__(self, options: dict[str, Any], clock: SharedClock) -> None:
        super().__init__(options)
        self._clock = clock

    def start(self) -> None:
        super().start()
        self.heard: list[np.ndarray] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.begun_s = self._clock.now()
        while self._clock.wait_until(self.begun_s + 0.01 * len(self.heard), self._stop):
            self.heard.append(self.play(480))

    def tone_s(self) -> float:
        """When the first tone was heard."""
        loud = np.nonzero(np.concatenate(self.heard)[:, 0])[0]
        return float(self.begun_s + loud[0] / 48000 + self.latency)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        super().close()


class PacedPortAudio(FakePortAudio):
    def __init__(self, clock: SharedClock) -> None:
        super().__init__()
        self._clock = clock

    def OutputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        self.streams.append(PacedStream(options, self._clock))
        return self.streams[-1]


def clapped(options: list[str], face: TimedSink, capsys: pytest.CaptureFixture[str]) -> str:
    """What a run with one clap says."""
    assert cli.run(["sync-test", "--seconds", "1.5", *options]) == 0
    assert any(jaw > 0.5 for _, jaw in face.jaws)
    return capsys.readouterr().out


def test_without_audio_the_jaw_claps_and_ends_neutral(face: TimedSink, capsys: pytest.CaptureFixture[str]) -> None:
    out = clapped(["--no-audio"], face, capsys)
    assert face.jaws[-1][1] == 0
    assert "and no loudspeakers; Ctrl-C ends" in out
    assert "--face-delay MS (now 0)" in out and "--audio-delay MS (now 0)" in out
    assert "clap 1 of 1\n" in out
    assert "1 claps; no tone was played" in out


@pytest.mark.parametrize(
    ("options", "asked_ms"),
    [([], 0), (["--face-delay", "400"], 400), (["--audio-delay", "600", "--face-delay", "50"], -550)],
)
def test_the_jaw_opens_with_the_tone_but_for_what_was_asked(
    options: list[str],
    asked_ms: int,
    shared_clock: SharedClock,
    face: TimedSink,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices = PacedPortAudio(shared_clock)
    monkeypatch.setattr(sync_test, "load_backend", lambda: devices)
    out = clapped(options, face, capsys)
    stream = devices.streams[-1]
    assert isinstance(stream, PacedStream)
    opened_s = next(at_s for at_s, jaw in face.jaws if jaw > 0.5)
    assert 1000 * (opened_s - stream.tone_s()) == pytest.approx(asked_ms, abs=TICK_MS)
    measured = re.search(
        r"1 claps; packet after tone, .*: mean ([-+\d.]+) ms, furthest off ([-+\d.]+) ms, asked for ([-+\d]+) ms", out
    )
    assert measured, out
    mean_ms, furthest_ms, said_ms = map(float, measured.groups())
    assert mean_ms == furthest_ms == pytest.approx(asked_ms, abs=TICK_MS)
    assert said_ms == asked_ms


def test_the_tones_go_to_the_output_that_was_asked_for() -> None:
    devices = FakePortAudio()
    for wanted, index in (("studio", 1), ("2", 2), (None, 2), ("default", 2)):
        system = sync_test.ChosenOutput(devices, wanted)
        system.open("OutputStream", samplerate=system.rate_hz)
        assert (devices.streams[-1].options["device"], system.rate_hz) == (index, 48000)


def test_an_output_that_is_not_there_is_one_line_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_test, "load_backend", lambda: FakePortAudio(refuse="Invalid device"))
    for options, says in (
        (["--audio-out", "Yeti"], "no output's name contains 'Yeti'"),
        ([], "no audio output: Invalid device"),
    ):
        assert cli.run(["sync-test", *options]) == 1
        err = capsys.readouterr().err
        assert says in err and err.count("\n") == 1


def test_without_seconds_it_claps_until_it_is_stopped(shared_clock: SharedClock, tmp_path: Path) -> None:
    stop, seen = threading.Event(), []

    def end(check: SyncMeter) -> None:
        seen.append(check.claps)
        stop.set()

    with Arrivals(0, "127.0.0.1") as arrivals:
        outputs = Outputs((f"livelink://127.0.0.1:{arrivals.port}",), "Clapper")
        check, summary = sync_test.clap(
            outputs, None, audio_delay_s=0.0, seconds=None, clock=shared_clock, stop=stop, on_clap=end
        )
        packets = list(iter(lambda: arrivals.receive(0.05), None))
    assert seen == [check.claps] == [1]
    assert summary.sent == check.sent
    last = decode(packets[-1][0]).values
    assert last is not None and last[JAW] == 0
