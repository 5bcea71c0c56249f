"""Whatever bytes arrive, a decoder has one error and a monitor none, and neither grows."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest
from pythonosc.osc_message_builder import build_msg

from livelink_bridge.errors import WireError
from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.wire import ifacialmocap, livelink
from livelink_bridge.wire.osc import decode as decode_module
from livelink_bridge.wire.osc.encode import Value, bundles_of, message

POSE = np.linspace(0, 1, 61, dtype=np.float32)
DATAGRAMS = [
    livelink.encode(livelink.Packet("0" * 36, "Jörg", 5_000_000, 0.25, Fraction(60), POSE)),
    livelink.encode(livelink.Packet("0" * 36, "Ada", 5_000_000, 0.25, Fraction(30000, 1001), None)),
    ifacialmocap.encode(POSE, 1),
    ifacialmocap.encode(POSE, 2),
    ifacialmocap.HANDSHAKE,
    bundles_of([message(f"/arkit/{n}", Value(n)) for n in range(20)])[0].filled(POSE, 1),
    build_msg("/VMC/Ext/Blend/Val", ["JawOpen", 0.5]).dgram,
    build_msg("/VMC/Ext/Bone/Pos", ["Head", *map(float, range(7))]).dgram,
    b"#bundle\0" + bytes(8),
]


def damaged(count: int) -> Iterator[bytes]:
    """Sound datagrams with bytes changed, cut out, doubled or strung together, and some that never were any."""
    dice = random.Random(count)
    for _ in range(count):
        datagram = bytearray(dice.choice(DATAGRAMS))
        for _ in range(dice.randrange(4)):
            at = dice.randrange(len(datagram) + 1)
            datagram[at : at + dice.randrange(5)] = dice.randbytes(dice.randrange(5))
        kind = dice.randrange(10)
        if kind == 0:
            datagram = datagram[: dice.randrange(len(datagram) + 1)]
        elif kind == 1:
            datagram += dice.choice(DATAGRAMS)
        elif kind == 2:
            datagram = bytearray(dice.randbytes(dice.randrange(400)))
        yield bytes(datagram)


COUNTS = [2_000, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "decode",
    [livelink.decode, ifacialmocap.decode, ifacialmocap.read_handshake, decode_module.decode],
    ids=lambda decode: f"{decode.__module__.split('.')[-1]}.{decode.__name__}",
)
def test_a_decoder_knows_one_error(decode: Callable[[bytes], object], count: int) -> None:
    sound = 0
    for datagram in damaged(count):
        try:
            decode(datagram)
            sound += 1
        except WireError:
            pass
    assert 0 < sound < count


@pytest.mark.parametrize("count", COUNTS)
def test_a_monitor_of_every_wire_tells_of_anything_and_does_not_grow(count: int) -> None:
    monitor = Monitor(None)
    held = []
    for number, datagram in enumerate(damaged(count)):
        monitor.feed(datagram, number / 60, f"192.168.1.{number % 7}")
        if number in (count // 2, count - 1):
            held.append(sys.getallocatedblocks())
    json.dumps(monitor.summary(count / 60))
    assert held[1] - held[0] < 5_000
