"""How many live subjects one core, two cores or a GPU can run at 60 fps.

    python benchmarks/streams.py [--model NAME] [--device cpu|cuda] [--cores 1 2] [--seconds 2] [--most 64]

A tick is 1/60 s: the audio of all subjects arrives at the same moment, the worst case, and the tick ends when every
subject's packet is sent. The limit is 16.7 ms at p99. Each subject has its own thread, as in a live session; ticks
follow each other without pauses. Measured are

    whole     everything after the source: VAD, AGC, resampling from 48 kHz, network, liveliness, a packet to a socket
    bare      the same without VAD and AGC, from 16 kHz
    network   only the network's step, all subjects in one batch on one thread (CPU)

The number of subjects grows until p99 exceeds the limit; the largest number within it is then found by bisection. Each
number of cores is a process of its own, bound to its cores where the system allows it (Linux). Other programs make the
figures worse: the load is printed with them.
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np

from arkit_mapping.liveliness import Liveliness
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.core.workers import steady_interpreter
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.session.build import input_chain_of
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.settings.table import Settings
from livelink_bridge.sinks import Sink
from speech_to_face import checkpoint
from speech_to_face.base import SpeechToFace
from speech_to_face.loading import load_model

BAR_MS = 1000 / 60
COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
WARM_UP = 12
MIN_TICKS = 100
"""With fewer, p99 would be the maximum."""
LIMIT_S = 30
MODES = ("whole", "bare", "network")

Tick = Callable[[], None]


class Subject:
    """One subject: voice, face and sinks, one tick at a time."""

    def __init__(
        self, number: int, model: SpeechToFace, rate: int, chain: InputChain | None, sinks: list[Sink]
    ) -> None:
        at_s = np.arange(10 * rate) / rate
        syllables = np.clip(np.sin(2 * np.pi * 2.5 * at_s + number), 0, None)
        self._sound = (0.2 * syllables * np.random.default_rng(number).standard_normal(len(at_s))).astype(np.float32)
        self._animator = Animator(model, Face(liveliness=Liveliness(number)), chain)
        self._rate, self._sinks, self._timebase = rate, sinks, Outputs((), "Nobody").timebase(MonotonicClock())
        self._tick = 0

    def tick(self) -> None:
        """Animate 1/60 s of audio and send its frames."""
        start, end = (tick * self._rate // 60 for tick in (self._tick, self._tick + 1))
        block = self._sound[start % len(self._sound) :][: end - start]
        for frame in self._animator.push(AudioBlock(block, self._rate, start, 0.0)):
            stamp = self._timebase.stamp(time.monotonic())
            for sink in self._sinks:
                sink.send(frame.weights, stamp)
        self._tick += 1


@contextmanager
def threads_of(subjects: list[Subject]) -> Iterator[Tick]:
    """A thread per subject; yields the function that runs one tick on all."""
    gate, over = threading.Barrier(len(subjects) + 1), threading.Event()

    def live(subject: Subject) -> None:
        try:
            while True:
                gate.wait(LIMIT_S)
                if over.is_set():
                    return
                subject.tick()
                gate.wait(LIMIT_S)
        except BaseException:
            gate.abort()  # otherwise the other threads would wait for it
            raise

    def tick() -> None:
        gate.wait(LIMIT_S)
        gate.wait(LIMIT_S)

    threads = [threading.Thread(target=live, args=(subject,)) for subject in subjects]
    for thread in threads:
        thread.start()
    try:
        yield tick
    finally:
        over.set()
        if not gate.broken:
            gate.wait(LIMIT_S)
        for thread in threads:
            thread.join(LIMIT_S)


class Setup:
    """The model, and a socket that receives packets and drops them."""

    def __init__(self, name: str, device: str) -> None:
        self.model, self.folder = load_model(name, device=device), checkpoint.find(name)
        self._receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._receiver.bind(("127.0.0.1", 0))
        self._uri = f"livelink://127.0.0.1:{self._receiver.getsockname()[1]}"

    @contextmanager
    def of_subjects(self, count: int, *, whole: bool) -> Iterator[Tick]:
        """Open a number of subjects; yields their tick."""
        with ExitStack() as stack:
            subjects = []
            for number in range(count):
                sinks = stack.enter_context(open_sinks(Outputs((self._uri,), f"Subject {number}")))
                chain = input_chain_of(Settings(), None, self.model.lookahead_s) if whole else None
                subjects.append(Subject(number, self.model, 48_000 if whole else 16_000, chain, sinks))
            yield stack.enter_context(threads_of(subjects))

    @contextmanager
    def of_network(self, count: int) -> Iterator[Tick]:
        """A number of streams of the network alone; yields their tick."""
        from bench_voices import joined, voices

        from speech_to_face.networks.pmmtalk.onnx_steps import Graph

        graph = Graph(self.folder / checkpoint.GRAPH)
        steps = voices(graph, self.folder, count)
        yield lambda: joined(steps, graph)


def measured(tick: Tick, seconds: float) -> tuple[np.ndarray, float]:
    """Run time of every tick, and this process's processor time per tick, ms."""
    for _ in range(WARM_UP):
        tick()
    times: list[float] = []
    busy_s = -time.process_time()
    until_s = time.perf_counter() + seconds
    while len(times) < MIN_TICKS or time.perf_counter() < until_s:
        began_s = time.perf_counter()
        tick()
        times.append(time.perf_counter() - began_s)
    return 1e3 * np.array(times), 1e3 * (busy_s + time.process_time()) / len(times)


def largest_within_limit(p99_of: Callable[[int], float], most: int) -> tuple[int, bool]:
    """The largest count with a p99 within the limit, and whether a larger one exceeded it. The counts of COUNTS, then
    bisection."""
    holds = 0
    for count in [*(count for count in COUNTS if count < most), most]:
        if p99_of(count) > BAR_MS:
            break
        holds = count
    else:
        return holds, False
    while count - holds > 1:
        middle = (holds + count) // 2
        if p99_of(middle) <= BAR_MS:
            holds = middle
        else:
            count = middle
    return holds, True


def report(setup: Setup, mode: str, cores: int, chosen: argparse.Namespace) -> None:
    """Print one mode: a row per count, then the largest count within the limit."""
    opened = {"network": setup.of_network}.get(mode, partial(setup.of_subjects, whole=mode == "whole"))

    def p99_of(count: int) -> float:
        with opened(count) as tick, steady_interpreter():
            times, busy_ms = measured(tick, chosen.seconds)
        p50, p99 = np.percentile(times, [50, 99])
        print(f"{cores:5}  {mode:8}{count:8}{p50:9.2f}{p99:9.2f}{busy_ms / count:15.3f}{len(times):7}", flush=True)
        return float(p99)

    holds, bounded = largest_within_limit(p99_of, chosen.most)
    print(
        f"{cores:5}  {mode:8}{'' if bounded else 'at least '}{holds} subjects at 60 fps, p99 within {BAR_MS:.1f} ms",
        flush=True,
    )


def on_cores(count: int) -> Callable[[], None] | None:
    """The function that binds a new process to a number of cores; None where the system has none."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))[:count]
    return lambda: os.sched_setaffinity(0, cores)


def main() -> None:
    """Parse the arguments; run each number of cores in its own process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pmmtalk-live", help="name or folder (default: pmmtalk-live)")
    parser.add_argument(
        "--device", default="cpu", choices=("cpu", "cuda"), help="where the network runs (default: cpu)"
    )
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="counts of cores (default: 1 2)")
    parser.add_argument("--ways", nargs="+", default=MODES, choices=MODES, help="what is timed (default: all three)")
    parser.add_argument("--seconds", type=float, default=2, help="per count, at least (default: 2)")
    parser.add_argument("--most", type=int, default=64, help="subjects to stop at (default: 64)")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.in_this_process:
        setup = Setup(chosen.model, chosen.device)
        for mode in chosen.ways:
            if mode != "network" or (
                chosen.device == "cpu" and chosen.cores == [1]
            ):  # one thread: more cores change nothing
                report(setup, mode, chosen.cores[0], chosen)
        return
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.machine()}, {os.cpu_count()} CPUs{load}, Python {platform.python_version()}, {chosen.device}")
    print(
        f"{'cores':>5}  {'what':8}{'voices':>8}{'p50 ms':>9}{'p99 ms':>9}{'cpu ms a voice':>15}{'ticks':>7}", flush=True
    )
    rest = [
        "--model",
        chosen.model,
        "--device",
        chosen.device,
        "--seconds",
        str(chosen.seconds),
        "--most",
        str(chosen.most),
    ]
    for cores in chosen.cores:
        command = [sys.executable, __file__, "--in-this-process", "--cores", str(cores), *rest, "--ways", *chosen.ways]
        one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        subprocess.run(command, check=True, env={**os.environ, **one_thread}, preexec_fn=on_cores(cores))


if __name__ == "__main__":
    main()
