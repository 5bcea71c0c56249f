"""What a Live Link packet costs to write and to read, next to PyLiveLinkFace, in one run; and an iFacialMocap text.

    python benchmarks/bench_wire.py

Both sides turn the same 61 values into a datagram and back. Ours takes and gives a float32 array, theirs sets and holds
a Python list, each as its users do. Theirs also makes a timecode from the clock in each encode, which cannot be left
out; setting the values, 61 calls, is measured on its own. `Encoder` is what sends live: it also checks each value and
holds weights to [0, 1], and the time it writes is another one every time.
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
    """Of CPU time, which others on the machine lengthen less than the clock's."""
    began = time.process_time()
    for _ in range(packets):
        call()
    return (time.process_time() - began) / packets * 1e6


def cases() -> list[tuple[str, Callable[[], object], Callable[[], object] | None]]:
    """(name, ours, theirs)"""
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
    if theirs is None:
        return f"| {name} | {statistics.median(microseconds(ours, packets) for _ in range(rounds)):.2f} | | |"
    times = [(microseconds(ours, packets), microseconds(theirs, packets)) for _ in range(rounds)]
    mine, peer = (statistics.median(side) for side in zip(*times, strict=True))
    return f"| {name} | {mine:.2f} | {peer:.1f} | {peer / mine:.1f} |"


def main() -> None:
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
