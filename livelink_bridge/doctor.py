"""Why the face does not move: one finding per thing that has to be right.

Each check looks at one thing, changes nothing, and answers in words: what is so, and what to do about it.
"""

from __future__ import annotations

import importlib.metadata
import platform
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from arkit_mapping import CHANNELS_61
from livelink_bridge.arrivals import Arrivals
from livelink_bridge.clock import Clock
from livelink_bridge.errors import BridgeError
from livelink_bridge.metrics import level_dbfs
from livelink_bridge.monitor import Monitor
from livelink_bridge.sinks import Sink, Stamp, open_sink
from livelink_bridge.sinks.uri import read_uri
from livelink_bridge.sources import Source, open_source
from models.base import ModelError, SpeechToFace

SUPPORTED = ((3, 11), (3, 14))
LISTEN_S = 0.5
"""How long the microphone is heard."""
WAKE_S = 3.0
"""How long it may take to hand over as much: sound servers wake their devices slowly."""
SILENT_DBFS = -80.0
"""Quieter than any room: a muted input, or one the system keeps from us."""
ANSWER_S = 2.0
"""How long a packet to ourselves may take."""
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")

_PROBE_ID = "00000000-0000-0000-0000-00000000D0C7"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Literal["ok", "warn", "fail"]
    """`fail`: nothing will move until it is mended. `warn`: something may not."""
    what: str
    text: str
    """What is so and, unless it is ok, what to do."""


def examine(targets: tuple[str, ...], load: Callable[[], SpeechToFace], clock: Clock) -> Iterator[Finding]:
    """Every check, in the order in which sound becomes a face. `load` loads the model that would be used."""
    yield python()
    yield package("torch")
    yield model(load, clock)
    yield audio_input(lambda: open_source("mic:", clock=clock))
    for target in targets:
        yield receiver(target)
    yield packet_to_ourselves()


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    said = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if SUPPORTED[0] <= version[:2] < SUPPORTED[1]:
        return Finding("ok", "Python", said)
    return Finding("fail", "Python", f"{said}; install 3.11, 3.12 or 3.13")


def package(name: str) -> Finding:
    """Whether a package is installed, without the seconds that importing it takes."""
    try:
        return Finding("ok", name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding("fail", name, "is not installed; run scripts/demo, or see https://pytorch.org/get-started/locally/")


def model(load: Callable[[], SpeechToFace], clock: Clock) -> Finding:
    """Whether the model's files are whole, its device is there, and it keeps up."""
    try:
        loaded = load()
    except (ModelError, BridgeError) as error:
        return Finding("fail", "model", str(error))
    second = np.zeros(loaded.sample_rate, np.float32)
    loaded.animate(second)  # the first run is slow on any device
    begun_s = clock.now()
    loaded.animate(second)
    took_s = clock.now() - begun_s
    said = f"{loaded.name} on {loaded.device}, look-ahead {1000 * loaded.lookahead_s:.0f} ms, 1 s of sound in {1000 * took_s:.0f} ms"
    if took_s < 0.5:
        return Finding("ok", "model", said)
    return Finding("warn", "model", f"{said}: too slow to be live; close other programs or choose another --device")


def audio_input(open_input: Callable[[], Source]) -> Finding:
    """Whether there is a microphone and it hears anything."""
    try:
        with closing(open_input()) as source:
            heard = list(_first_blocks(source))
    except BridgeError as error:
        return Finding("warn", "audio input", f"{error} (play and convert work without)")
    said = f"{source.name}, {source.sample_rate} Hz"
    if not heard:
        return Finding("warn", "audio input", f"{said}: opened, but hands over no sound; choose another with --mic DEVICE (see devices)")
    level = level_dbfs(np.concatenate([samples.reshape(-1) for samples in heard]))
    if level < SILENT_DBFS:
        return Finding("warn", "audio input", f"{said}: silence ({level:.0f} dBFS); unmute it, or let this program use the microphone")
    return Finding("ok", "audio input", f"{said}, level {level:.0f} dBFS")


def _first_blocks(source: Source) -> Iterator[Any]:
    """The first LISTEN_S of a source's sound; a timer closes one that hands over nothing."""
    end = threading.Timer(WAKE_S, source.close)
    end.start()
    try:
        heard_s = 0.0
        for block in source.blocks():
            yield block.samples
            heard_s += len(block.samples) / block.sample_rate
            if heard_s >= LISTEN_S:
                return
    finally:
        end.cancel()
        end.join()


def receiver(target: str) -> Finding:
    """Whether somebody listens where poses go, as far as this machine can tell."""
    if target.startswith("take:"):
        return Finding("ok", target, "a folder for takes")
    try:
        given = read_uri(target)
    except BridgeError as error:
        return Finding("fail", "receiver", str(error))
    host, port = given.host, given.port
    if host in LOCAL_HOSTS:
        return _local_port(target, port)
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0]
    except OSError:
        return Finding("fail", target, f"unknown host {host!r}; check the name or give an address such as 192.168.1.20")
    return Finding("ok", target, f"{address}; what listens there is not seen from here: run `livelink-bridge monitor --port {port}` there")


def _local_port(target: str, port: int) -> Finding:
    try:
        with Arrivals(port, "127.0.0.1") as arrivals:
            shared = arrivals.shared
    except BridgeError:
        shared = True  # a program that does not share it has it
    if shared:
        return Finding("ok", target, f"UDP port {port} is in use: a program listens there (Unreal, or a monitor left running)")
    text = f"UDP port {port} is free: nobody listens; start Unreal with an ARKit source on it, or `livelink-bridge monitor --port {port}`"
    return Finding("warn", target, text)


def packet_to_ourselves() -> Finding:
    """Send one pose through a socket of our own and look at it as Unreal would."""
    weights = np.zeros(len(CHANNELS_61), np.float32)
    weights[CHANNELS_61.index("JawOpen")] = 0.5
    try:
        with Arrivals(0, "127.0.0.1") as arrivals:
            sink = open_sink(f"livelink://127.0.0.1:{arrivals.port}", subject="doctor", device_id=_PROBE_ID)
            with closing(sink):
                return _sent_and_received(sink, weights, arrivals)
    except BridgeError as error:
        return Finding("fail", "packet to ourselves", str(error))


def _sent_and_received(sink: Sink, weights: Any, arrivals: Arrivals) -> Finding:
    sink.send(weights, Stamp(1, 0.0, Fraction(60)))
    received = arrivals.receive(ANSWER_S)
    if received is None:
        return Finding("fail", "packet to ourselves", "sent, never arrived; let this program through the firewall (UDP)")
    monitor = Monitor(("JawOpen",))
    monitor.feed(*received)
    subjects: Any = monitor.summary()["subjects"]
    if not subjects or subjects[0]["values"]["JawOpen"] != 0.5:
        return Finding("fail", "packet to ourselves", "arrived changed: look for VPN or proxy software that rewrites UDP")
    return Finding("ok", "packet to ourselves", "sent, received and decoded as Unreal would")
