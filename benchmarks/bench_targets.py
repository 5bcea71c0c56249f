"""CPU time of sending: four subjects to eight receivers each at 60 fps, in percent of one core.

    python benchmarks/bench_targets.py [--seconds 10] [--targets 8] [--subjects 4] [--wire livelink|ifacialmocap]

Real sinks send to real sockets on the loopback interface, which another process reads; every frame differs. The CPU
time of the sending process includes waking up at each tick and its system calls; the limit is 5 % of a core. The second
table breaks down the cost of one frame for one receiver.
"""

from __future__ import annotations

import argparse
import os
import platform
import selectors
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np

from livelink_bridge.sinks import Sink, open_sink
from livelink_bridge.sinks.livelink import Datagrams
from livelink_bridge.timing.stamp import Stamp

FPS = 60
BAR = 5.0
RATE = Fraction(FPS)
POSES = np.random.default_rng(7).random((600, 61), np.float32)


def read_all(count: int) -> None:
    """Body of the other process: prints its ports, receives until a line on stdin, prints the number of packets."""
    selector, received = selectors.DefaultSelector(), 0
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print(*(sock.getsockname()[1] for sock in sockets), flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                print(received, flush=True)
                return
            received += drain(key.fileobj)


def drain(sock: socket.socket) -> int:
    """Read a socket until it is empty. Returns the number of packets."""
    count = 0
    try:
        while True:
            sock.recv(2048)
            count += 1
    except BlockingIOError:
        return count


@contextmanager
def receivers(count: int) -> Iterator[tuple[list[int], subprocess.Popen[str]]]:
    """Run the receiving process; yields its ports and the process."""
    command = [sys.executable, __file__, "--receive", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield [int(port) for port in process.stdout.readline().split()], process
        finally:
            process.kill()


def send(faces: list[list[Sink]], ticks: int) -> tuple[float, float]:
    """Send for a number of ticks at FPS. Returns CPU time and run time, seconds."""
    cpu, began = time.process_time(), time.perf_counter()
    for tick in range(ticks):
        time.sleep(max(0.0, began + tick / FPS - time.perf_counter()))
        for number, sinks in enumerate(faces):
            pose, stamp = POSES[(tick + number) % len(POSES)], Stamp(tick, 0.0, RATE)
            for sink in sinks:
                sink.send(pose, stamp)
    return time.process_time() - cpu, time.perf_counter() - began


def live(options: argparse.Namespace) -> None:
    """Print the CPU time of sending to all receivers."""
    with receivers(options.targets) as (ports, process):
        identities = [str(uuid.uuid4()).upper() for _ in range(options.subjects)]
        faces = [
            [
                open_sink(f"{options.wire}://127.0.0.1:{port}", subject=f"Face{number}", device_id=identity)
                for port in ports
            ]
            for number, identity in enumerate(identities)
        ]
        idle, idle_wall = send([], FPS * 2)
        cpu, wall = send(faces, FPS * options.seconds)
        handed = sum(sink.sent for sinks in faces for sink in sinks)
        arrived = int(process.communicate("end\n", timeout=10)[0])
    share = 100 * cpu / wall
    print(
        "| datagrams | arrived | CPU, % of a core | of that, an empty tick | µs per datagram | bar "
        "|\n|---|---|---|---|---|---|"
    )
    print(
        f"| {handed} | {arrived} | {share:.2f} | {100 * idle / idle_wall:.2f} | {1e6 * cpu / handed:.1f} | {BAR:g} % "
        f"{'met' if share <= BAR else 'MISSED'} |"
    )


def parts() -> None:
    """Print the parts of sending one frame, µs of CPU time, medians of 15 rounds."""
    made, sharing = Datagrams("A" * 36, "Face"), Datagrams("B" * 36, "Face")
    stamps = [Stamp(frame, 0.0, RATE) for frame in range(2000)]
    sharing.of(POSES[0], stamps[0])
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind(("127.0.0.1", 0))
        there.setblocking(False)
        here.connect(there.getsockname())
        datagram = sharing.of(POSES[0], stamps[0])
        print("\n| part | µs |\n|---|---|")
        print(
            f"| a pose made a datagram | {median_us(lambda number: made.of(POSES[number % 600], stamps[number])):.2f} |"
        )
        print(f"| the same frame for the next receiver | {median_us(lambda _: sharing.of(POSES[0], stamps[0])):.2f} |")
        print(f"| the system's send alone | {median_us(lambda _: here.send(datagram)):.2f} |")


def median_us(call: Callable[[int], object], calls: int = 2000) -> float:
    """Median CPU time of a call, µs."""
    times = []
    for _ in range(15):
        began = time.process_time()
        for number in range(calls):
            call(number)
        times.append((time.process_time() - began) / calls * 1e6)
    return float(np.median(times))


def main() -> None:
    """Parse the arguments and print both tables."""
    parser = argparse.ArgumentParser(description="CPU time of sending several faces to several receivers.")
    parser.add_argument("--seconds", type=int, default=10, help="how long to send (default %(default)s)")
    parser.add_argument("--targets", type=int, default=8, help="receivers (default %(default)s)")
    parser.add_argument(
        "--subjects", type=int, default=4, help="faces, each sent to every receiver (default %(default)s)"
    )
    parser.add_argument("--wire", default="livelink", help="the receivers' scheme (default %(default)s)")
    parser.add_argument("--receive", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        read_all(options.receive)
        return
    print(
        f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"numpy {np.__version__}"
    )
    print(
        f"{options.subjects} subjects to {options.targets} receivers by {options.wire}, {FPS} fps, {options.seconds} "
        "s\n"
    )
    live(options)
    parts()


if __name__ == "__main__":
    main()
