"""Time to encode and decode a Live Link packet, compared with PyLiveLinkFace; and an iFacialMocap text.

    python benchmarks/bench_wire.py

Both encode the same 61 values to a datagram and decode it. This program's functions take and return a float32 array,
PyLiveLinkFace sets and holds a Python list, as their users do. PyLiveLinkFace also reads the clock for a timecode in
each encode, which cannot be turned off; setting the values, 61 calls, is measured separately. `Encoder` is used for
live sending: it also checks each value and clips weights to [0, 1], and its time differs in every packet.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import count

import numpy as np
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from livelink_bridge.wire import ifacialmocap
from livelink_bridge.wire.livelink import Encoder, Packet, decode, encode

DEVICE_ID = "00000000-0000-0000-0000-000000000001"


def microseconds(call: Callable[[], object], packets: int) -> float:
    """CPU time of a call, µs; other programs affect it less than the run time."""
    began = time.process_time()
    for _ in range(packets):
        call()
    return (time.process_time() - began) / packets * 1e6


def cases() -> list[tuple[str, Callable[[], object], Callable[[], object] | None]]:
    """Name, this program's call, and PyLiveLinkFace's, if it has one."""
    values = np.linspace(0, 1, 61, dtype=np.float32)
    ours = Packet(DEVICE_ID, "Talker", 216000, 0.5, Fraction(60), values)
    theirs = PyLiveLinkFace(name="Talker", uuid=DEVICE_ID)
    listed = [(shape, float(values[shape.value])) for shape in FaceBlendShape]

    def set_values() -> None:
        for shape, value in listed:
            theirs.set_blendshape(shape, value, no_filter=True)

    def set_and_encode() -> None:
        set_values()
        theirs.encode()

    set_values()
    encoder, frames = Encoder(DEVICE_ID, "Talker"), count(216000)
    datagram, text = encode(ours), ifacialmocap.encode(values)
    return [
        ("Live Link, `encode`", lambda: encode(ours), theirs.encode),
        (
            "Live Link, `Encoder`: time, check, clamp, encode",
            lambda: encoder.encode(values, next(frames), 0.25, ours.rate),
            set_and_encode,
        ),
        ("Live Link, decode", lambda: decode(datagram), lambda: PyLiveLinkFace.decode(datagram)),
        ("iFacialMocap, encode", lambda: ifacialmocap.encode(values), None),
        ("iFacialMocap, decode", lambda: ifacialmocap.decode(text), None),
    ]


def row(name: str, ours: Callable[[], object], theirs: Callable[[], object] | None, packets: int, rounds: int) -> str:
    """A row of the table: median times and their ratio."""
    if theirs is None:
        return f"| {name} | {statistics.median(microseconds(ours, packets) for _ in range(rounds)):.2f} | | |"
    times = [(microseconds(ours, packets), microseconds(theirs, packets)) for _ in range(rounds)]
    mine, peer = (statistics.median(side) for side in zip(*times, strict=True))
    return f"| {name} | {mine:.2f} | {peer:.1f} | {peer / mine:.1f} |"


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description="Time per Live Link packet, ours next to PyLiveLinkFace.")
    parser.add_argument("--packets", type=int, default=2000, help="packets per round (default %(default)s)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=15,
        help="rounds, ours and theirs in turn; the median counts (default %(default)s)",
    )
    options = parser.parse_args()
    print(
        f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"numpy {np.__version__}"
    )
    print(f"median of {options.rounds} rounds of {options.packets} packets, microseconds per packet\n")
    print("| | livelink-bridge | PyLiveLinkFace | times faster |\n|---|---|---|---|")
    for name, ours, theirs in cases():
        print(row(name, ours, theirs, options.packets, options.rounds))


if __name__ == "__main__":
    main()
