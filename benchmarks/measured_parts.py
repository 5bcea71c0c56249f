"""The parts of `side_by_side.py`: each measures one thing and returns plain figures."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SENTENCE = Path(__file__).parents[1] / "livelink_bridge/demo/sentence.flac"
Figures = dict[str, Any]
BUSY_CORES = 2


def gpu() -> str | None:
    """Name of the first CUDA device; None without one."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def wire(_chosen: argparse.Namespace) -> Figures:
    """Microseconds of processor time per packet, this program and PyLiveLinkFace in turns; median of 15 rounds."""
    from bench_wire import cases, microseconds

    rows = []
    for name, ours, theirs in cases():
        rounds = [(microseconds(ours, 2000), microseconds(theirs, 2000) if theirs else math.nan) for _ in range(15)]
        mine, peer = (statistics.median(side) for side in zip(*rounds, strict=True))
        rows.append({"what": name.replace("`", ""), "ours": mine, "peer": None if math.isnan(peer) else peer})
    return {"rows": rows}


def step(chosen: argparse.Namespace) -> Figures:
    """Milliseconds of a live step by engine and threads, and the delay of another thread while it runs."""
    from bench_step import Bystander, speech_like, step_times_ms

    from speech_to_face import checkpoint
    from speech_to_face.networks.pmmtalk.config import load_config
    from speech_to_face.streaming.stepped import SteppedStream

    folder = checkpoint.find(chosen.model)
    config, sound = load_config(folder / checkpoint.CONFIG), speech_like(min(chosen.seconds, 12))
    rows = []
    for name, make in _engines(folder):
        stream = SteppedStream(config, make())
        times = step_times_ms(stream, sound)
        stream.reset()
        with Bystander() as bystander:
            step_times_ms(stream, sound)
        late_ms = float(np.percentile(bystander.late_ms, 99))
        rows.append(
            {"engine": name, "p50": float(np.median(times)), "p99": float(np.percentile(times, 99)), "late": late_ms}
        )
    return {"rows": rows}


def _engines(folder: Path) -> Iterator[tuple[str, Any]]:
    import torch
    from bench_step import engines

    from speech_to_face import checkpoint
    from speech_to_face.networks.pmmtalk.config import load_config
    from speech_to_face.networks.pmmtalk.loading import load_network
    from speech_to_face.networks.pmmtalk.torch_steps import CudaGraphSteps, TorchSteps

    for name, make in engines(folder).items():
        yield f"{name}, 1 thread", make
    voice = engines(folder)["torch eager"]()._voice  # type: ignore[attr-defined]
    from speech_to_face.networks.pmmtalk.voice import Voice

    spoken = Voice(*(part.cpu().numpy() for part in voice))
    network = load_network(folder, load_config(folder / checkpoint.CONFIG))

    def two_threads() -> TorchSteps:
        torch.set_num_threads(2)
        return TorchSteps(network, spoken)

    yield "torch eager, 2 threads", two_threads
    if torch.cuda.is_available():
        torch.set_num_threads(1)
        yield "CUDA graph", lambda: CudaGraphSteps(network.to("cuda"), spoken)


def _spin(stop: Any) -> None:
    while not stop.is_set():
        sum(range(10_000))


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Run processes that never pause, like a game engine beside the bridge."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    others = [context.Process(target=_spin, args=(stop,), daemon=True) for _ in range(cores)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        stop.set()
        for other in others:
            other.join(10)


def pacing(chosen: argparse.Namespace) -> Figures:
    """The whole live path in real time: on an idle machine, and with all cores busy with other programs."""
    idle = _paced(chosen)
    with busy(BUSY_CORES):
        return {"idle": idle, "busy": _paced(chosen)}


def _paced(chosen: argparse.Namespace) -> Figures:
    from paced import load, received, receiver, run

    from livelink_bridge.session.outputs import Outputs

    os.environ["LIVELINK_BRIDGE_HOME"] = tempfile.mkdtemp()
    stop = threading.Event()
    with receiver() as (uri, out):
        threading.Timer(chosen.seconds, stop.set).start()
        summary = run(load(chosen.model), [Outputs((uri,), "Talker")], stop, [None])[0]
        rows = received(out)
    times_s = rows[60:-60, 1]
    intervals_ms = 1000 * np.diff(times_s)
    errors_ms = np.abs(intervals_ms - 1000 / 60)
    return {
        "fps": (len(times_s) - 1) / (times_s[-1] - times_s[0]),
        "sd": float(intervals_ms.std()),
        "p99": float(np.percentile(errors_ms, 99)),
        "delay": summary.delay_ms,
        "delay_p99": summary.delay_p99_ms,
        "step": summary.step_ms,
        "step_p99": summary.step_p99_ms,
        "errors": [float(x) for x in np.percentile(errors_ms, range(0, 101, 2))],
    }


def start(_chosen: argparse.Namespace) -> Figures:
    """Start-up times of commands, median of five starts, and the memory of a live session."""
    first = [_first_packet_s() for _ in range(5)]
    helped = [_took_s("--help") for _ in range(5)]
    return {
        "packet": statistics.median(s for s, _ in first),
        "help": statistics.median(helped),
        "memory": max(mb for _, mb in first),
    }


def _took_s(*arguments: str) -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-m", "livelink_bridge", *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began_s


def _first_packet_s() -> tuple[float, float]:
    """Seconds until `play` has sent its first packet, and its memory three seconds later, MB (Linux; 0 elsewhere)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, tempfile.TemporaryDirectory() as home:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        command = [sys.executable, "-m", "livelink_bridge", "play", str(SENTENCE), "--no-audio"]
        command += ["--to", f"livelink://127.0.0.1:{receiver.getsockname()[1]}"]
        began_s = time.perf_counter()
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "LIVELINK_BRIDGE_HOME": home})
        receiver.recv(2000)
        took_s = time.perf_counter() - began_s
        for _ in range(180):
            receiver.recv(2000)
        status = Path(f"/proc/{program.pid}/status")
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
        program.terminate()
        program.wait(30)
    return took_s, int(found[1]) / 1000 if found else 0.0


def offline(chosen: argparse.Namespace) -> Figures:
    """Speed on a whole recording, x real time: the network alone, and `convert` with its start and its take."""
    import soundfile
    from bench_step import speech_like

    from speech_to_face.loading import load_model

    model, minute = load_model(chosen.model, device="cpu"), speech_like(60)
    alone = [_rate(lambda: model.animate(minute), 60) for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        sentence, rate = soundfile.read(SENTENCE)
        soundfile.write(Path(folder, "long.wav"), np.resize(sentence, 600 * rate), rate)
        whole = _rate(lambda: _took_s("convert", f"{folder}/long.wav", "-o", f"{folder}/long.csv"), 600)
    return {"network": statistics.median(alone), "convert": whole}


def _rate(work: Any, seconds: float) -> float:
    began_s = time.perf_counter()
    work()
    return seconds / (time.perf_counter() - began_s)


def subjects(chosen: argparse.Namespace) -> Figures:
    """Time of a tick of 1/60 s with one frame per subject, by number of subjects, on all cores, ms."""
    from streams import Setup, measured

    from livelink_bridge.core.workers import steady_interpreter

    setup, rows = Setup(chosen.model, "cpu"), []
    for way in ("whole", "network"):
        for count in (1, 2, 4, 8, 16, 32, 64):
            opened = setup.of_network(count) if way == "network" else setup.of_subjects(count, whole=True)
            with opened as tick, steady_interpreter():
                times, busy_ms = measured(tick, 1.0)
            p50, p99 = np.percentile(times, [50, 99])
            rows.append({"way": way, "subjects": count, "p50": float(p50), "p99": float(p99), "cpu": busy_ms / count})
    return {"rows": rows}


def quality(chosen: argparse.Namespace) -> Figures:
    """Accuracy of the mouth on real faces, compared with loudness alone and with the capture's mean."""
    from speech_to_face import checkpoint
    from speech_to_face.loading import load_model
    from speech_to_face_lab.evaluation import evaluate
    from speech_to_face_lab.evaluation.phones import posteriors_of

    posteriors = posteriors_of(checkpoint.find(chosen.model))
    report = evaluate(load_model(chosen.model, device="cpu"), chosen.data, posteriors=posteriors)
    rows = []
    for group, ours in report.ours.curves.items():
        trivial = report.loudness.curves[group]
        for signal in ours.signals:
            rows.append(
                {
                    "group": group,
                    "what": f"{signal} r",
                    "ours": ours.signals[signal].r,
                    "loudness": trivial.signals[signal].r,
                }
            )
        errors = {"ours": ours.errors, "loudness": trivial.errors, "constant": ours.constant_errors}
        rows.append(
            {"group": group, "what": "LVE, squared"} | {who: error.lve_squared for who, error in errors.items()}
        )
        rows.append({"group": group, "what": "R²", "ours": ours.r2, "loudness": trivial.r2, "constant": 0.0})
    for group, closure in report.ours.closures.items():
        rows.append(
            {
                "group": group,
                "what": "closure recall",
                "ours": closure.recall,
                "loudness": report.loudness.closures[group].recall,
            }
        )
    return {
        "rows": [{key: None if isinstance(v, float) and math.isnan(v) else v for key, v in row.items()} for row in rows]
    }
