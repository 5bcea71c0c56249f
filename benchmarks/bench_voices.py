"""Cost of several live voices on one model: one call per voice, or one batch for all.

    python benchmarks/bench_voices.py [--model NAME] [--before GRAPH] [--ticks 400]

A tick is 1/60 s: every voice has one step. Measured is the thread's processor time, which does not include other
programs; they still slow it through shared caches, so minimum, median and the load are printed. All cases run in turns,
so that the ratios are comparable.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from speech_to_face import checkpoint
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP, STYLES
from speech_to_face.networks.pmmtalk.onnx_steps import Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.voice import Voice

COUNTS = (1, 2, 4, 8)
WARM_UP = 20
MEL = np.random.default_rng(0).standard_normal((1, 160)).astype(np.float32)

Tick = Callable[[], None]


def voices(graph: Graph, folder: Path, count: int) -> list[OnnxSteps]:
    """The steps of `count` voices on one graph."""
    weights = load_file(folder / checkpoint.WEIGHTS)
    return [OnnxSteps(graph, Voice(weights[STYLES][-1:], weights[FACE_CODE], weights[FACE_CROP])) for _ in range(count)]


def bare(steps: list[OnnxSteps], graph: Graph) -> None:
    """One call per voice, bypassing the batcher."""
    for one in steps:
        one.take(graph.run_alone(one.next(MEL)))


def queued(steps: list[OnnxSteps]) -> None:
    """One call per voice through the batcher, without other requests."""
    for one in steps:
        one.run(MEL)


def joined(steps: list[OnnxSteps], graph: Graph) -> None:
    """All voices in one batch, the same as before: no state is copied."""
    for one, answer in zip(steps, graph.run_steps([one.next(MEL) for one in steps]), strict=True):
        one.take(answer)


def gathered(steps: list[OnnxSteps], graph: Graph) -> None:
    """All voices in one batch that differs from the last one: every state is copied."""
    for one in steps:
        one.reset()
    joined(steps, graph)


def cases(folder: Path, before: Path | None) -> dict[tuple[int, str], Tick]:
    """By number of voices and name, the function that runs a tick."""
    graph = Graph(folder / checkpoint.GRAPH)
    found: dict[tuple[int, str], Tick] = {}
    if before is not None:
        older = Graph(before)
        found[1, "before"] = partial(bare, voices(older, folder, 1), older)
    for count in COUNTS:
        found[count, "calls"] = partial(bare, voices(graph, folder, count), graph)
        if count == 1:
            found[1, "queued"] = partial(queued, voices(graph, folder, 1))
        elif graph.joins:
            found[count, "joined"] = partial(joined, voices(graph, folder, count), graph)
            found[count, "gathered"] = partial(gathered, voices(graph, folder, count), graph)
    return found


def measure(found: dict[tuple[int, str], Tick], ticks: int) -> dict[tuple[int, str], np.ndarray]:
    """Processor time of every tick by case, ms."""
    taken: dict[tuple[int, str], list[float]] = {key: [] for key in found}
    for _ in range(ticks + WARM_UP):
        for key, tick in found.items():
            tick()  # warms the caches, which the case before has filled
            began = time.thread_time()
            tick()
            taken[key].append(time.thread_time() - began)
    return {key: 1e3 * np.array(times[WARM_UP:]) for key, times in taken.items()}


def main() -> None:
    """Parse the arguments and print a row per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pmmtalk-live", help="name or folder (default: pmmtalk-live)")
    parser.add_argument(
        "--before", type=Path, metavar="GRAPH", help="another step.onnx of the same sizes, for its single step"
    )
    parser.add_argument("--ticks", type=int, default=400, help="ticks per case (default: 400)")
    chosen = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python "
        f"{platform.python_version()}"
    )
    print(f"{'voices':>6}  {'how':10}{'least ms':>9}{'p50 ms':>9}{'p99 ms':>9}{'p50 a voice':>13}")
    for (count, how), times in measure(cases(checkpoint.find(chosen.model), chosen.before), chosen.ticks).items():
        p50, p99 = np.percentile(times, [50, 99])
        print(f"{count:6}  {how:10}{times.min():9.3f}{p50:9.3f}{p99:9.3f}{p50 / count:13.3f}")


if __name__ == "__main__":
    main()
