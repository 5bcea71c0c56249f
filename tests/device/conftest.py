"""A real sound system, no sound card: a PulseAudio server of the test's own, and a receiver of packets."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from livelink_bridge.wire.livelink import Packet, decode

LONGEST_S = 30.0
"""Without any packet for so long a receiver gives up."""
SERVER = """
load-module module-native-protocol-unix auth-anonymous=1
load-module module-null-sink sink_name=voice
set-default-sink voice
set-default-source voice.monitor
"""


@dataclass
class Receiver:
    """Stamps the packets that arrive on a port of its own, on a thread of its own."""

    sock: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    arrived: list[tuple[float, Packet]] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Receiver:
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(LONGEST_S)
        self._thread = threading.Thread(target=self._receive)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.sendto(b"end", self.sock.getsockname())
        self._thread.join(LONGEST_S)
        self.sock.close()

    @property
    def uri(self) -> str:
        return f"livelink://127.0.0.1:{self.sock.getsockname()[1]}"

    def _receive(self) -> None:
        while (datagram := self.sock.recv(2000)) != b"end":
            self.arrived.append((time.perf_counter(), decode(datagram)))
            self.first.set()


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which PulseAudio is this machine's sound."""
    for program in ("pulseaudio", "pactl", "paplay"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Debian: apt install pulseaudio pulseaudio-utils)")
    runtime, script = tmp_path / "run", tmp_path / "server.pa"
    runtime.mkdir(mode=0o700)
    script.write_text(SERVER)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULSE")}
    environment = {
        **kept,
        "XDG_RUNTIME_DIR": str(runtime),
        "HOME": str(tmp_path),
        "LIVELINK_BRIDGE_HOME": str(tmp_path),
    }
    log = tmp_path / "log"
    options = [
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
        f"--log-target=file:{log}",
        "-n",
        "-F",
        str(script),
    ]
    server = subprocess.Popen(["pulseaudio", *options], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for_server(server, environment, log)
        require_portaudio(environment)
        yield environment
    finally:
        server.terminate()
        server.wait(10)


def wait_for_server(server: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    for _ in range(100):
        if server.poll() is not None:
            pytest.skip(f"PulseAudio does not start here: {log.read_text()[-300:] if log.exists() else 'no log'}")
        if subprocess.run(["pactl", "info"], env=environment, capture_output=True, timeout=10).returncode == 0:
            return
        threading.Event().wait(0.05)
    pytest.skip("PulseAudio does not answer within 5 s")


def require_portaudio(environment: dict[str, str]) -> None:
    code = (
        "import sounddevice; raise SystemExit(not any('pulse' in device['name'] for device in "
        "sounddevice.query_devices()))"
    )
    listed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30)
    if "PortAudio library not found" in listed.stderr:
        pytest.skip("PortAudio is not installed (Debian: apt install libportaudio2)")
    if listed.returncode:
        pytest.skip("PortAudio does not see PulseAudio (Debian: apt install libasound2-plugins)")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


class Room:
    """A PulseAudio server's null sinks, the voice that is played into them, and when each thing happened."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._voice = folder / "voice.wav"
        at_s = np.arange(44100 * 60) / 44100
        soundfile.write(self._voice, 0.3 * np.sin(2 * np.pi * 180 * at_s) * (np.sin(2 * np.pi * 4 * at_s) > 0), 44100)
        self._playing: list[subprocess.Popen[bytes]] = []

    def ask(self, *arguments: str) -> str:
        return subprocess.run(
            ["pactl", *arguments], env=self._environment, check=True, capture_output=True, text=True, timeout=10
        ).stdout

    def speak(self, sink: str = "voice") -> None:
        command = ["paplay", f"--device={sink}", "--latency-msec=20", str(self._voice)]
        self._playing.append(subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL))

    def remove(self, sink: str = "voice") -> float:
        module = next(
            line.split()[0] for line in self.ask("list", "short", "modules").splitlines() if f"sink_name={sink}" in line
        )
        self.ask("unload-module", module)
        return time.perf_counter()

    def restore(self, sink: str = "voice", *, silent: bool = False) -> float:
        # With rewinds a new null sink holds its first two seconds of sound back, as no microphone does.
        self.ask("load-module", "module-null-sink", f"sink_name={sink}", "norewinds=1")
        if not silent:
            self.speak(sink)
        return time.perf_counter()

    def silence(self) -> None:
        for player in self._playing:
            player.kill()
            player.wait(10)
        self._playing.clear()


@pytest.fixture
def room(pulse, tmp_path):
    found = Room(pulse, tmp_path)
    yield found
    found.silence()
