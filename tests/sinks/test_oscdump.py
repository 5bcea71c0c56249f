"""liblo's `oscdump`, an OSC receiver in C, prints what the sinks send."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import socket
import subprocess
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from livelink_bridge.sinks.osc import OscSink
from livelink_bridge.sinks.vmc import VmcSink
from livelink_bridge.timing.stamp import Stamp

pytestmark = pytest.mark.skipif(
    shutil.which("oscdump") is None, reason="liblo's oscdump is not installed (Debian: liblo-tools)"
)

POSE = (np.arange(61) / 64).astype(np.float32)
TRIES = 50


class Dump:
    """oscdump on a free port, and its output."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["oscdump", "-L", str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self._out = self.process.stdout.fileno()
        os.set_blocking(self._out, False)
        self._text = b""

    def until(self, last: str, timeout_s: float) -> str:
        """Its output up to a line that contains `last`, or none within the time."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            while last.encode() not in self._text and selector.select(timeout_s):
                self._text += os.read(self._out, 65536)
        return self._text.decode() if last.encode() in self._text else ""


@pytest.fixture
def dump() -> Iterator[Dump]:
    made = Dump()
    yield made
    made.process.kill()
    made.process.communicate(timeout=10)


def dumped(dump: Dump, sink: OscSink | VmcSink, last: str) -> list[str]:
    """The lines of one pose, without their time tags. Poses are sent until oscdump listens, which it does not tell."""
    for frame in range(TRIES):
        sink.send(POSE, Stamp(frame, 0.0, Fraction(60)))
        text = dump.until(last, 0.2)
        if text:
            break
    sink.close()
    lines = [re.sub(r"^\S+ ", "", line) for line in text.splitlines()]
    return lines[: next((number for number, line in enumerate(lines) if last in line), -1) + 1]


def test_oscdump_reads_every_channel_of_the_osc_sink(dump: Dump) -> None:
    lines = dumped(dump, OscSink(f"osc://127.0.0.1:{dump.port}"), "/arkit/RightEyeRoll")
    assert lines == [f"/arkit/{name} f {number / 64:f}" for number, name in enumerate(CHANNELS_61)]


def test_oscdump_reads_the_list_of_the_unreal_preset(dump: Dump) -> None:
    lines = dumped(dump, OscSink(f"osc://127.0.0.1:{dump.port}?preset=unreal"), "/arkit/pose")
    assert lines == ["/arkit/pose " + "f" * 61 + " " + " ".join(f"{number / 64:f}" for number in range(61))]


def test_oscdump_reads_the_vmc_sink_up_to_apply(dump: Dump) -> None:
    lines = dumped(dump, VmcSink(f"vmc://127.0.0.1:{dump.port}"), "/VMC/Ext/Blend/Apply")
    assert lines[0] == "/VMC/Ext/OK i 1"
    assert lines[2:-1] == [
        f'/VMC/Ext/Blend/Val sf "{name}" {number / 64:f}' for number, name in enumerate(CHANNELS_61[:52])
    ]
