"""Shared parts of the live benchmarks: audio in real time, and a receiver in another process.

Another process receives, so that taking the time does not disturb what is timed.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.core.workers import Runner, steady_interpreter
from livelink_bridge.face.face import Face
from livelink_bridge.reporting.metrics import Status, Summary
from livelink_bridge.session.live import LiveSession, run_sessions
from livelink_bridge.session.model_thread import warm_up
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.testing.stand_ins import LoudnessModel
from livelink_bridge.wire.livelink import decode
from speech_to_face.base import SpeechToFace

RATE_HZ = 48000
BLOCK = RATE_HZ // 240
RECEIVE_TIMEOUT_S = 3.0


class PacedVoice:
    """A source of noise in syllables, delivered block by block in real time as by a microphone."""

    name = "syllables"
    live = True
    sample_rate = RATE_HZ
    duration_s = None
    overflows = 0
    dropped = 0
    trouble = None

    def __init__(self, seed: int = 0) -> None:
        self._clock = MonotonicClock()
        self._stop = threading.Event()
        at_s = np.arange(10 * RATE_HZ) / RATE_HZ
        syllables = np.clip(np.sin(2 * np.pi * 2.5 * at_s + seed), 0, None)
        self._voice = (0.2 * syllables * np.random.default_rng(seed).standard_normal(len(at_s))).astype(np.float32)

    def blocks(self) -> Iterator[AudioBlock]:
        """Blocks of audio in real time, until `close`."""
        opened_s, start = self._clock.now(), 0
        while True:
            due_s = opened_s + (start + BLOCK) / RATE_HZ
            if not self._clock.wait_until(due_s, self._stop):
                return
            at = start % len(self._voice)
            yield AudioBlock(self._voice[at : at + BLOCK], RATE_HZ, start, due_s)
            start += BLOCK

    def close(self) -> None:
        """End `blocks`."""
        self._stop.set()


def receive(port_file: str, out: str) -> None:
    """The other process: stamps datagrams until none arrives, then writes (subject number, time, frame) of each."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    Path(port_file).write_text(str(receiver.getsockname()[1]), encoding="ascii")
    receiver.settimeout(120)
    subjects: dict[str, int] = {}
    rows = []
    try:
        while True:
            datagram = receiver.recv(2000)
            at_s = time.perf_counter()
            packet = decode(datagram)
            rows.append((subjects.setdefault(packet.subject, len(subjects)), at_s, packet.frame))
            receiver.settimeout(RECEIVE_TIMEOUT_S)
    except TimeoutError:
        np.save(out, np.array(rows, np.float64))


@contextmanager
def receiver() -> Iterator[tuple[str, Path]]:
    """Run the receiver; yields its URI and the file that holds its packets after the block."""
    with tempfile.TemporaryDirectory() as folder:
        port_file, out = Path(folder, "port"), Path(folder, "rows.npy")
        process = subprocess.Popen([sys.executable, __file__, str(port_file), str(out)])
        while not port_file.exists() or not port_file.read_text(encoding="ascii"):
            time.sleep(0.02)
        yield f"livelink://127.0.0.1:{port_file.read_text(encoding='ascii')}", out
        process.kill()


def received(out: Path) -> np.ndarray:
    """The packets, float64 (packets, 3), when the receiver has ended."""
    until_s = time.monotonic() + RECEIVE_TIMEOUT_S + 30
    while not out.exists() and time.monotonic() < until_s:
        time.sleep(0.1)
    time.sleep(0.2)
    return np.asarray(np.load(out))


def load(name: str) -> SpeechToFace:
    """A model by name; `loudness` is the test model."""
    if name == "loudness":
        return LoudnessModel()
    from speech_to_face.loading import load_model

    return load_model(name, device="cpu")


def run(
    model: SpeechToFace,
    outputs: Sequence[Outputs],
    stop: threading.Event,
    chains: Sequence[InputChain | None],
    on_status: object = None,
) -> list[Summary]:
    """Run the whole live path, one voice per entry of `outputs`, until `stop` is set."""
    warm_up(model)
    clock = MonotonicClock()
    with ExitStack() as stack:
        sinks = [stack.enter_context(open_sinks(one)) for one in outputs]
        with steady_interpreter(), Runner(clock) as runner:
            performances = [
                LiveSession(PacedVoice(seed), model, Face(), one, targets, clock=clock, stop=runner.stop, chain=chain)
                for seed, (one, targets, chain) in enumerate(zip(outputs, sinks, chains, strict=True))
            ]

            def report() -> None:
                if callable(on_status):
                    statuses: list[Status] = [performance.reporter.status() for performance in performances]
                    on_status(statuses)

            run_sessions(performances, runner, clock=clock, stop=stop, on_status=report)
    return [performance.reporter.summary() for performance in performances]


if __name__ == "__main__":
    receive(*sys.argv[1:])
