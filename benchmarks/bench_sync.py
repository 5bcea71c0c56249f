"""Offset between face and audio at the outputs of this program: packets on a socket, audio at a sound server.

`sync-test` runs in its own process and plays into a null sink of a PulseAudio server started for this. What the sink
plays is recorded, and packets are stamped as they arrive. Needs pulseaudio, pactl and parec, and PortAudio with ALSA's
pulse plugin.

    python benchmarks/bench_sync.py --claps 20
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from arkit_mapping.channels import index_of
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.sync_test.pulses import FIRST_S, LEVEL, PERIOD_S
from livelink_bridge.wire.livelink import decode

RATE_HZ = 44100
RECORD = [
    "parec",
    "--device=claps.monitor",
    "--format=float32le",
    f"--rate={RATE_HZ}",
    "--channels=1",
    "--latency-msec=10",
    "--raw",
]
SERVER = """
load-module module-native-protocol-unix auth-anonymous=1
load-module module-null-sink sink_name=claps
set-default-sink claps
"""
JAW = index_of("JawOpen")
QUIET_S = 1.0
AROUND_S = 0.5
AROUND_S = 0.5
TOGETHER_S = PERIOD_S / 2


def clap(uri: str, seconds: float) -> None:
    """Body of the other process: run `sync-test`."""
    from livelink_bridge.commands.live import sync_test
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.devices.portaudio import load_backend
    from livelink_bridge.session import build
    from livelink_bridge.session.outputs import Outputs

    system = sync_test.ChosenOutput(load_backend(), "pulse")
    check, summary = sync_test.clap(
        Outputs((uri,), "Bench"),
        system,
        audio_delay_s=0.0,
        seconds=seconds,
        clock=MonotonicClock(),
        stop=threading.Event(),
        on_clap=lambda _check: None,
    )
    print(f"sync-test reports  {sync_test.own_measure(check, 0)}")
    print(f"                   {build.summary_line(summary)}")


@contextmanager
def sound_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a PulseAudio server with only a null sink; yields the environment variables that select it."""
    runtime, script = folder / "run", folder / "server.pa"
    runtime.mkdir(mode=0o700)
    script.write_text(SERVER, encoding="ascii")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PULSE")}
    environment = {
        **inherited,
        "XDG_RUNTIME_DIR": str(runtime),
        "HOME": str(folder),
        "LIVELINK_BRIDGE_HOME": str(folder),
    }
    options = ["--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-n", "-F", str(script)]
    server = subprocess.Popen(["pulseaudio", *options], env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if subprocess.run(["pactl", "info"], env=environment, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.05)
        else:
            raise SystemExit("PulseAudio does not answer within 5 s")
        yield environment
    finally:
        server.terminate()
        server.wait(10)


class Recording:
    """A recording of the sink. Chunks arrive late, never early, so the earliest around a tone give its time.

    Only those around it: a sound server that is held up leaves sound out, and the samples before and after do not count
    alike.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._recorder = subprocess.Popen(RECORD, env=environment, stdout=subprocess.PIPE)
        self._chunks: list[np.ndarray] = []
        self._came_s: list[float] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._recorder.stdout is not None
        left = b""
        while chunk := os.read(self._recorder.stdout.fileno(), 65536):
            now_s, whole = time.monotonic(), left + chunk
            left = whole[len(whole) // 4 * 4 :]
            self._chunks.append(np.frombuffer(whole[: len(whole) // 4 * 4], np.float32))
            self._came_s.append(now_s)

    def tones_s(self) -> np.ndarray:
        """End the recording. Returns the onset of each tone by the clock of `Arrivals`, float64 (n,), seconds."""
        self._recorder.terminate()
        self._thread.join(10)
        loud = np.nonzero(np.abs(np.concatenate(self._chunks)) > LEVEL / 10)[0]
        first = loud[np.diff(loud, prepend=-RATE_HZ) > RATE_HZ // 2]
        ends, came_s = np.cumsum([len(chunk) for chunk in self._chunks]), np.array(self._came_s)
        around = np.abs(ends - first[:, None]) < AROUND_S * RATE_HZ
        return np.where(around, came_s - ends / RATE_HZ, np.inf).min(axis=1) + first / RATE_HZ


def jaws_s(arrivals: Arrivals, clapping: subprocess.Popen[bytes]) -> np.ndarray:
    """Arrival of the first packet of each jaw pulse by the clock of `Arrivals`, float64 (n,), seconds. Runs until the
    other process ends."""
    opened_s, before = [], 0.0
    while True:
        received = arrivals.receive(QUIET_S)
        if received is None:
            if clapping.poll() is not None:
                return np.array(opened_s)
            continue
        values = decode(received[0]).values
        jaw = float(values[JAW]) if values is not None else before
        if jaw > 0.5 > before:
            opened_s.append(received[1])
        before = jaw


def report(opened_s: np.ndarray, tones_s: np.ndarray) -> None:
    """Print the offsets of pulses and tones."""
    if not len(opened_s) or not len(tones_s):
        raise SystemExit(
            f"{len(opened_s)} jaw pulses and {len(tones_s)} tones arrived; is this machine too busy to play audio?"
        )
    nearest_s = tones_s[np.abs(opened_s[:, None] - tones_s).argmin(axis=1)]
    after_ms = 1000 * (opened_s - nearest_s)
    after_ms = after_ms[np.abs(after_ms) < 1000 * TOGETHER_S]
    print(f"claps              {len(opened_s)} of the jaw, {len(tones_s)} tones, {len(after_ms)} together")
    print(
        f"face after sound   mean {after_ms.mean():+.1f} ms, sd {after_ms.std():.1f} ms, median "
        f"{np.median(after_ms):+.1f} ms"
    )
    print(
        f"                   from {after_ms.min():+.1f} to {after_ms.max():+.1f} ms, furthest from 0: "
        f"{np.abs(after_ms).max():.1f} ms"
    )


def main() -> None:
    """Parse the arguments, run `sync-test` and print the offsets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claps", type=int, default=20, help="how many (default 20, 41 s)")
    parser.add_argument("--clap", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.clap:
        clap(arguments.clap[0], float(arguments.clap[1]))
        return
    seconds = FIRST_S + PERIOD_S * arguments.claps
    with (
        tempfile.TemporaryDirectory() as folder,
        sound_server(Path(folder)) as environment,
        Arrivals(0, "127.0.0.1") as arrivals,
    ):
        recording = Recording(environment)
        command = [sys.executable, __file__, "--clap", f"livelink://127.0.0.1:{arrivals.port}", str(seconds)]
        clapping = subprocess.Popen(command, env=environment)
        opened_s = jaws_s(arrivals, clapping)
        tones_s = recording.tones_s()
    print(
        f"machine            {platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}"
    )
    report(opened_s, tones_s)


if __name__ == "__main__":
    main()
