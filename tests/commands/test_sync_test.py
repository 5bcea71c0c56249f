"""`sync-test` from outside: what it says, what it sends, and when."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arkit_mapping.channels import index_of
from livelink_bridge import cli
from livelink_bridge.commands.live import sync_test
from livelink_bridge.commands.options import with_settings
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.sync_test.pulses import SyncMeter
from livelink_bridge.testing.stand_ins import FakePortAudio, FakeStream
from livelink_bridge.wire.livelink import decode

pytestmark = pytest.mark.usefixtures("nothing_left_running")
JAW = index_of("JawOpen")
BUSY_MS = 250
"""What a machine with other work may add. A wrong sign or a delay left out would be more."""
TRIES = 4
"""A machine that stalls for the 50 ms of a clap shows none of it."""


@pytest.fixture(autouse=True)
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(cli.VERBS, "sync-test", with_settings("sync-test", sync_test.sync_test))


@pytest.fixture
def arrivals() -> Iterator[Arrivals]:
    with Arrivals(0, "127.0.0.1") as listening:
        yield listening


class PacedStream(FakeStream):
    """Asks for 10 ms of sound every 10 ms. Sample n is heard at `begun_s` + n / 48000 + `latency`."""

    def start(self) -> None:
        super().start()
        self.heard: list[np.ndarray] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        clock = MonotonicClock()
        self.begun_s = clock.now()
        while clock.wait_until(self.begun_s + 0.01 * len(self.heard), self._stop):
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
    def OutputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        self.streams.append(PacedStream(options))
        return self.streams[-1]


def jaws(arrivals: Arrivals) -> list[tuple[float, float]]:
    """When, by the clock, each packet that waits at the port arrived, and how far its jaw was open."""
    found, to_clock_s = [], MonotonicClock().now() - arrivals.now()
    while (received := arrivals.receive(0.05)) is not None:
        values = decode(received[0]).values
        assert values is not None
        found.append((received[1] + to_clock_s, float(values[JAW])))
    return found


def clapped(
    options: list[str], arrivals: Arrivals, capsys: pytest.CaptureFixture[str]
) -> tuple[list[tuple[float, float]], str]:
    """The jaws of a run with one clap, and what was said."""
    for _ in range(TRIES):
        assert (
            cli.run(["sync-test", "--seconds", "1.5", "--to", f"livelink://127.0.0.1:{arrivals.port}", *options]) == 0
        )
        seen, out = jaws(arrivals), capsys.readouterr().out
        if any(jaw > 0.5 for _, jaw in seen):
            return seen, out
    pytest.fail(f"no clap in {TRIES} runs")


def test_without_audio_the_jaw_claps_and_ends_neutral(arrivals: Arrivals, capsys: pytest.CaptureFixture[str]) -> None:
    seen, out = clapped(["--no-audio"], arrivals, capsys)
    assert seen[-1][1] == 0
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
    arrivals: Arrivals,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices = PacedPortAudio()
    monkeypatch.setattr(sync_test, "load_backend", lambda: devices)
    seen, out = clapped(options, arrivals, capsys)
    stream = devices.streams[-1]
    assert isinstance(stream, PacedStream)
    opened_s = next(at_s for at_s, jaw in seen if jaw > 0.5)
    assert 1000 * (opened_s - stream.tone_s()) == pytest.approx(asked_ms, abs=BUSY_MS)
    measured = re.search(
        r"1 claps; packet after tone, .*: mean ([-+\d.]+) ms, furthest off ([-+\d.]+) ms, asked for ([-+\d]+) ms", out
    )
    assert measured, out
    mean_ms, furthest_ms, said_ms = map(float, measured.groups())
    assert mean_ms == furthest_ms == pytest.approx(asked_ms, abs=BUSY_MS)
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


def test_without_seconds_it_claps_until_it_is_stopped(arrivals: Arrivals) -> None:
    stop, seen = threading.Event(), []

    def end(check: SyncMeter) -> None:
        seen.append(check.claps)
        stop.set()

    outputs = Outputs((f"livelink://127.0.0.1:{arrivals.port}",), "Clapper")
    check, summary = sync_test.clap(
        outputs, None, audio_delay_s=0.0, seconds=None, clock=MonotonicClock(), stop=stop, on_clap=end
    )
    assert seen == [check.claps] == [1]
    assert summary.sent == check.sent
    assert jaws(arrivals)[-1][1] == 0
