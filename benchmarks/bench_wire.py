"""What a Live Link packet costs to write and to read, next to PyLiveLinkFace, in one run.

    python benchmarks/bench_wire.py

Both sides turn the same 61 values into a datagram and back. Ours takes and gives a float32 array, theirs sets and holds a
Python list, each as its users do. Theirs also makes a timecode from the clock in each encode, which cannot be left out, and is
spared setting the values, which would cost it 61 calls more.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from livelink_bridge.wire.livelink import Packet, decode, encode

DEVICE_ID = "00000000-0000-0000-0000-000000000001"


def microseconds(call: Callable[[], object], packets: int) -> float:
    began = time.perf_counter()
    for _ in range(packets):
        call()
    return (time.perf_counter() - began) / packets * 1e6


def cases() -> list[tuple[str, Callable[[], object], Callable[[], object]]]:
    """(name, ours, theirs)"""
    values = np.linspace(0, 1, 61, dtype=np.float32)
    ours = Packet(DEVICE_ID, "Talker", 216000, 0.5, Fraction(60), values)
    theirs = PyLiveLinkFace(name="Talker", uuid=DEVICE_ID)
    for shape in FaceBlendShape:
        theirs.set_blendshape(shape, float(values[shape.value]), no_filter=True)
    datagram = encode(ours)
    return [
        ("encode", lambda: encode(ours), theirs.encode),
        ("decode", lambda: decode(datagram), lambda: PyLiveLinkFace.decode(datagram)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time per Live Link packet, ours next to PyLiveLinkFace.")
    parser.add_argument("--packets", type=int, default=2000, help="packets per round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds, ours and theirs in turn; the median counts (default %(default)s)")
    options = parser.parse_args()
    print(f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"median of {options.rounds} rounds of {options.packets} packets, microseconds per packet\n")
    print("| | livelink-bridge | PyLiveLinkFace | times faster |\n|---|---|---|---|")
    for name, ours, theirs in cases():
        rounds = [(microseconds(ours, options.packets), microseconds(theirs, options.packets)) for _ in range(options.rounds)]
        mine, peer = (statistics.median(side) for side in zip(*rounds, strict=True))
        print(f"| {name} | {mine:.1f} | {peer:.1f} | {peer / mine:.1f} |")


if __name__ == "__main__":
    main()
