"""How soon a speech engine's voice moves the face, and how soon an interrupt stills it.

`livelink-bridge listen` runs in a process of its own, with the shipped model and everything on; this one is engine and
receiver. An utterance comes at once, as engines give it; every second one is cut off.

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
"""A mouth shape beyond this can be seen; a mood or the liveliness moves none of them."""
FIRST_MS, STILL_MS = 100, 150
SPOKEN_S = 0.8
"""How far an utterance comes before it is cut off."""
RESTED_S = 0.5
"""So long a mouth that is still is not only between two sounds."""


class Watched:
    """When the mouth moved and when it was still, as packets arrive; the clock is this process's."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._changed = threading.Condition()
        self._moving = False
        self._since_s = time.monotonic()
        self._ended = False
        threading.Thread(target=self._watch, daemon=True).start()

    def when(self, moving: bool, after_s: float) -> float:
        """The moment, not before `after_s`, at which the mouth is found so. Waits five seconds for it."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._moving is moving and self._since_s > after_s, 5):
                raise TimeoutError(f"the mouth was never {'moving' if moving else 'still'}")
            return self._since_s

    def rest_s(self, after_s: float) -> float:
        """The moment since which the mouth is still, once it has been for half a second that began, or went on, after
        `after_s`."""
        with self._changed:
            while self._moving or time.monotonic() - max(self._since_s, after_s) < RESTED_S:
                self._changed.wait(0.1)
            return self._since_s

    def end(self) -> None:
        self._ended = True

    def _watch(self) -> None:
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=40)
    utterances = parser.parse_args().utterances
    with Arrivals(0, "127.0.0.1") as arrivals, listening(arrivals.port) as url, connect(url, proxy=None) as client:
        sentence, rate = spoken()
        tell(client, type="start", format="f32le", rate=rate, channels=1)
        wait_for(client, "ready")
        watched = Watched(arrivals)
        rounds = [talk(client, watched, sentence, rate, cut=bool(number % 2)) for number in range(utterances)]
        watched.end()
    print(
        f"machine            {platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}"
    )
    show("first moving face", [first for first, _ in rounds], FIRST_MS)
    show("still after interrupt", [still for _, still in rounds if still is not None], STILL_MS)


def talk(
    client: ClientConnection, watched: Watched, sentence: NDArray[np.float32], rate: int, cut: bool
) -> tuple[float, float | None]:
    """Milliseconds until the face moved and, of an utterance that is cut off, until it was still."""
    chunk = round(CHUNK_S * rate)
    began_s = time.monotonic()
    for start in range(0, len(sentence), chunk):
        client.send(sentence[start : start + chunk].tobytes())
    moved_s = watched.when(True, began_s)
    still_ms = None
    if cut:
        threading.Event().wait(SPOKEN_S)
        cut_s = time.monotonic()
        tell(client, type="interrupt")
        wait_for(client, "done")
        still_ms = 1000 * max(0.0, watched.rest_s(cut_s) - cut_s)
    else:
        tell(client, type="end")
        wait_for(client, "done")
        watched.rest_s(time.monotonic())
    return 1000 * (moved_s - began_s), still_ms


def spoken() -> tuple[NDArray[np.float32], int]:
    """Two seconds of the bundled sentence from its first sound on."""
    samples, rate = soundfile.read(str(files("livelink_bridge").joinpath("demo", "sentence.flac")), dtype="float32")
    first = int(np.argmax(np.abs(samples) > 0.05))
    return np.ascontiguousarray(samples[first : first + 2 * rate]), rate


@contextmanager
def listening(port: int) -> Iterator[str]:
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
        server.stdout.readline()  # it says where it listens as soon as it does
        threading.Thread(target=server.stdout.read, daemon=True).start()
        wait_until_open(free)
        yield f"ws://127.0.0.1:{free}"
    finally:
        server.terminate()
        server.wait(10)


def wait_until_open(port: int) -> None:
    until_s = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)


def tell(client: ClientConnection, **message: object) -> None:
    client.send(json.dumps(message))


def wait_for(client: ClientConnection, kind: str) -> None:
    while True:
        message = client.recv(timeout=10)
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return


def show(what: str, times_ms: list[float], bar_ms: int) -> None:
    known = np.array(times_ms)
    spread = f"median {np.median(known):.0f} ms, p90 {np.percentile(known, 90):.0f} ms, most {known.max():.0f} ms"
    print(f"{what:22} {spread}; {len(known)} times (bar {bar_ms})")


if __name__ == "__main__":
    main()
