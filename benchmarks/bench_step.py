"""Time of one live step in each inference engine, and how long it blocks other threads.

    python benchmarks/bench_step.py [--model NAME] [--seconds 20]

All engines run in one process, with one thread each, in turns, so that the ratios are comparable.
"""

from __future__ import annotations

import argparse
import os
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from speech_to_face import checkpoint
from speech_to_face.loading import load_model
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP, STYLES, load_network
from speech_to_face.networks.pmmtalk.onnx_steps import Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.torch_steps import TorchSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.streaming.features import SAMPLE_RATE, step_end
from speech_to_face.streaming.stepped import SteppedStream, Steps

WARM_UP = 60


class ScriptSteps(TorchSteps):
    """The network traced to TorchScript: the alternative to ONNX Runtime."""

    def __init__(self, folder: Path, voice: Voice) -> None:
        import torch

        from speech_to_face_lab.training.graph import _Flat

        config = load_config(folder / checkpoint.CONFIG)
        super().__init__(load_network(folder, config), voice)
        example = (torch.zeros(1, 1, 160), torch.tensor(5), *self._voice, *self._states)
        with torch.no_grad():
            self._traced = torch.jit.freeze(torch.jit.trace(_Flat(self.network).eval(), example, check_trace=False))

    def run(self, mel: np.ndarray) -> np.ndarray:
        """One step of the traced network."""
        import torch

        with torch.inference_mode():
            out, *self._states, _ = self._traced(
                torch.from_numpy(mel)[None], torch.tensor(self._clock), *self._voice, *self._states
            )
        self._clock += len(mel)
        return out[0].numpy()


def engines(folder: Path) -> dict[str, Callable[[], Steps]]:
    """By name, functions that create the steps of each engine."""
    import torch

    torch.set_num_threads(1)
    config, weights = load_config(folder / checkpoint.CONFIG), load_file(folder / checkpoint.WEIGHTS)
    voice = Voice(weights[STYLES][-1:].numpy(), weights[FACE_CODE].numpy(), weights[FACE_CROP].numpy())
    graph = Graph(folder / checkpoint.GRAPH)
    return {
        "onnxruntime": lambda: OnnxSteps(graph, voice),
        "torchscript": lambda: ScriptSteps(folder, voice),
        "torch eager": lambda: TorchSteps(load_network(folder, config), voice),
    }


def speech_like(seconds: float) -> np.ndarray:
    """Noise in syllables, float32 (n,) at 16 kHz."""
    rng, time_s = np.random.default_rng(0), np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.1 * rng.standard_normal(len(time_s)) * (1 + np.sin(2 * np.pi * 3 * time_s))).astype(np.float32)


def step_times_ms(stream: SteppedStream, sound: np.ndarray) -> np.ndarray:
    """Time of every step, features included, back to back."""
    times, at = [], 0
    for step in range(len(sound) * 60 // SAMPLE_RATE):
        piece, at = sound[at : step_end(step)], step_end(step)
        began = time.perf_counter()
        stream.push(piece)
        times.append(time.perf_counter() - began)
    return np.array(times[WARM_UP:]) * 1e3


class Bystander:
    """A thread that wakes every millisecond, as a sender or an audio callback does, and records its delay."""

    def __enter__(self) -> Bystander:
        self.late_ms: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.perf_counter()
            time.sleep(0.001)
            self.late_ms.append((time.perf_counter() - began - 0.001) * 1e3)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def main() -> None:
    """Parse the arguments and print a row per engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pmmtalk-live", help="name or folder (default: pmmtalk-live)")
    parser.add_argument("--seconds", type=float, default=20, help="sound per engine, s (default: 20)")
    chosen = parser.parse_args()
    folder = checkpoint.find(chosen.model)
    config, sound = load_config(folder / checkpoint.CONFIG), speech_like(chosen.seconds)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, one thread per engine")
    print(f"{'engine':14}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'other thread late p99 ms':>27}")
    for name, make in engines(folder).items():
        stream = SteppedStream(config, make())
        times = step_times_ms(stream, sound)
        stream.reset()
        with Bystander() as bystander:
            step_times_ms(stream, sound)
        late = np.percentile(bystander.late_ms, 99)
        print(f"{name:14}{np.median(times):9.3f}{np.percentile(times, 99):9.3f}{times.max():9.3f}{late:27.3f}")
    model, minute = load_model(chosen.model, device="cpu"), speech_like(60)
    began = time.perf_counter()
    model.animate(minute)
    print(f"offline: {60 / (time.perf_counter() - began):.0f} x real time (animate)")


if __name__ == "__main__":
    main()
