"""Latency of `listen`: from a client's audio to a moving face, and from an interrupt to a still one.

`livelink-bridge listen` runs in its own process with the shipped model and everything on; this process is client and
receiver. An utterance is sent at once, as engines send it; every second one is interrupted.

    python benchmarks/bench_listen.py --utterances 40
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files

import numpy as np
import soundfile
from numpy.typing import NDArray
from websockets.sync.client import ClientConnection, connect

from arkit_mapping.channels import CHANNELS_61, MOUTH_32
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.wire.livelink import decode

CHUNK_S = 0.1
MOUTH = [CHANNELS_61.index(name[0].upper() + name[1:]) for name in MOUTH_32]
MOVING = 0.02
"""Visible movement of a mouth channel; mood and liveliness move none of these channels."""
FIRST_MS, STILL_MS = 100, 150
SPOKEN_S = 0.8
"""Time from the first movement to the interrupt."""
STILL_S = 0.5
"""Stillness that is longer than a pause between two sounds."""


class MouthObserver:
    """Observes arriving packets: when the mouth starts and stops moving, by this process's clock."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._changed = threading.Condition()
        self._moving = False
        self._since_s = time.monotonic()
        self._ended = False
        threading.Thread(target=self._observe, daemon=True).start()

    def when(self, moving: bool, after_s: float) -> float:
        """Time at which the mouth starts or stops moving after `after_s`. Raises TimeoutError after five seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._moving is moving and self._since_s > after_s, 5):
                raise TimeoutError(f"the mouth was never {'moving' if moving else 'still'}")
            return self._since_s

    def still_s(self, after_s: float) -> float:
        """Time at which the mouth stopped. Returns when it has been still for STILL_S after `after_s`."""
        with self._changed:
            while self._moving or time.monotonic() - max(self._since_s, after_s) < STILL_S:
                self._changed.wait(0.1)
            return self._since_s

    def end(self) -> None:
        """Stop observing."""
        self._ended = True

    def _observe(self) -> None:
        while not self._ended:
            received = self._arrivals.receive(0.2)
            values = decode(received[0]).values if received else None
            if values is None:
                continue
            with self._changed:
                moving = bool(values[MOUTH].max() > MOVING)
                if moving is not self._moving:
                    self._moving, self._since_s = moving, time.monotonic()
                    self._changed.notify_all()


def main() -> None:
    """Parse the arguments and print the latencies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=40)
    utterances = parser.parse_args().utterances
    with Arrivals(0, "127.0.0.1") as arrivals, run_server(arrivals.port) as url, connect(url, proxy=None) as client:
        sentence, rate = spoken()
        send(client, type="start", format="f32le", rate=rate, channels=1)
        wait_for(client, "ready")
        mouth = MouthObserver(arrivals)
        rounds = [talk(client, mouth, sentence, rate, cut=bool(number % 2)) for number in range(utterances)]
        mouth.end()
    print(
        f"machine            {platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}"
    )
    show("first moving face", [first for first, _ in rounds], FIRST_MS)
    show("still after interrupt", [still for _, still in rounds if still is not None], STILL_MS)


def talk(
    client: ClientConnection, mouth: MouthObserver, sentence: NDArray[np.float32], rate: int, cut: bool
) -> tuple[float, float | None]:
    """Send an utterance. Returns the time to the first movement and, if `cut`, from interrupt to stillness, ms."""
    chunk = round(CHUNK_S * rate)
    began_s = time.monotonic()
    for start in range(0, len(sentence), chunk):
        client.send(sentence[start : start + chunk].tobytes())
    moved_s = mouth.when(True, began_s)
    still_ms = None
    if cut:
        threading.Event().wait(SPOKEN_S)
        cut_s = time.monotonic()
        send(client, type="interrupt")
        wait_for(client, "done")
        still_ms = 1000 * max(0.0, mouth.still_s(cut_s) - cut_s)
    else:
        send(client, type="end")
        wait_for(client, "done")
        mouth.still_s(time.monotonic())
    return 1000 * (moved_s - began_s), still_ms


def spoken() -> tuple[NDArray[np.float32], int]:
    """Two seconds of the bundled sentence from its onset, float32 (n,), and its rate in Hz."""
    samples, rate = soundfile.read(str(files("livelink_bridge").joinpath("demo", "sentence.flac")), dtype="float32")
    first = int(np.argmax(np.abs(samples) > 0.05))
    return np.ascontiguousarray(samples[first : first + 2 * rate]), rate


@contextmanager
def run_server(port: int) -> Iterator[str]:
    """Run `listen` with a Live Link target on `port`; yields its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        free = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "livelink_bridge",
        "listen",
        "--port",
        str(free),
        "--to",
        f"livelink://127.0.0.1:{port}",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        server.stdout.readline()  # printed when the port is open
        threading.Thread(target=server.stdout.read, daemon=True).start()
        wait_until_open(free)
        yield f"ws://127.0.0.1:{free}"
    finally:
        server.terminate()
        server.wait(10)


def wait_until_open(port: int) -> None:
    """Wait up to 10 s until a TCP port accepts connections."""
    until_s = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)


def send(client: ClientConnection, **message: object) -> None:
    """Send a JSON message."""
    client.send(json.dumps(message))


def wait_for(client: ClientConnection, kind: str) -> None:
    """Receive until a message of the type `kind`."""
    while True:
        message = client.recv(timeout=10)
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return


def show(what: str, times_ms: list[float], bar_ms: int) -> None:
    """Print a row: median, p90 and maximum."""
    known = np.array(times_ms)
    spread = f"median {np.median(known):.0f} ms, p90 {np.percentile(known, 90):.0f} ms, most {known.max():.0f} ms"
    print(f"{what:22} {spread}; {len(known)} times (bar {bar_ms})")


if __name__ == "__main__":
    main()
