"""The command line from outside: signals, bugs and readers that go away; each end is a clean one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from outside import loud_tone, received

from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.wire.livelink import decode

pytestmark = pytest.mark.usefixtures("own_home", "nothing_left_running")
ROOT = Path(__file__).parents[2]
WITH_A_SMALL_MODEL = (
    "from livelink_bridge.session import build; from livelink_bridge.testing.stand_ins import LoudnessModel;"
    "build.model_of = lambda settings: LoudnessModel(); from livelink_bridge.cli import main; main()"
)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_play_with_a_neutral_face_and_130(number: signal.Signals, tmp_path: Path) -> None:
    long = loud_tone(tmp_path, 30)
    with Arrivals(0, "127.0.0.1") as arrivals:
        command = [sys.executable, "-c", WITH_A_SMALL_MODEL, "play", str(long), "--no-audio"]
        target = ["--to", f"livelink://127.0.0.1:{arrivals.port}"]
        with subprocess.Popen([*command, *target], cwd=ROOT, stdout=subprocess.PIPE, text=True) as playing:
            try:
                moving(arrivals)
                playing.send_signal(number)
                out, _ = playing.communicate(timeout=10)
            finally:
                playing.kill()
        last = [decode(datagram) for datagram in received(arrivals)][-1]
    assert playing.returncode == 130
    assert last.values is not None and not last.values.any()
    assert "frames for" in out.splitlines()[-1]


def moving(arrivals: Arrivals) -> None:
    """Wait until a face with an open jaw arrives."""
    for _ in range(100):
        found = arrivals.receive(10)
        assert found is not None, "nothing arrived"
        values = decode(found[0]).values
        if values is not None and values[17] > 0.3:
            return
    pytest.fail("the jaw never opened")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_ends_the_monitor_with_its_last_summary_and_130() -> None:
    with Arrivals(0, "127.0.0.1") as free:
        port = free.port
    command = [sys.executable, "-m", "livelink_bridge", "monitor", "--port", str(port), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as listening:
        try:
            assert listening.stdout is not None
            first = json.loads(listening.stdout.readline())
            listening.send_signal(signal.SIGINT)
            rest, _ = listening.communicate(timeout=10)
        finally:
            listening.kill()
    assert listening.returncode == 130
    assert first["port"] == port and len(rest.splitlines()) == 1


def test_a_bug_is_one_line_too() -> None:
    code = WITH_A_SMALL_MODEL.replace("LoudnessModel();", "1 / 0;")
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor"], cwd=ROOT, capture_output=True, text=True, timeout=15, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("livelink-bridge: this is a bug: ZeroDivisionError") and done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe breaks otherwise on Windows")
def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = [sys.executable, "-m", "livelink_bridge", "config"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as printing:
        assert printing.stdout is not None and printing.stderr is not None
        printing.stdout.close()
        assert (printing.stderr.read(), printing.wait(10)) == ("", 1)
