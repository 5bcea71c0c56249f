"""Many live voices on one network: they begin and end at any time, and each gives the frames it gives alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.onnx_steps import Graph, OnnxSteps, Step
from speech_to_face.networks.pmmtalk.step_batcher import StepBatcher
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.streaming.features import step_end
from speech_to_face.streaming.stepped import SteppedStream
from speech_to_face.streaming.tongue import Tongue

LIMIT_S = 20
TICKS, VOICES = 48, 8


class Stage:
    """A graph whose calls can be held, so that everybody who wants a step in a tick shares one call, as on a busy
    machine."""

    def __init__(self, folder: Path, phones: bool) -> None:
        self.config: Config = load_config(folder / "config.yaml")
        self.graph = Graph(folder / "step.onnx", phones)
        self.phones, self.companies = phones, list[int]()
        self._held, self._go, self._waits = threading.Event(), threading.Event(), threading.Semaphore(0)
        self.graph._batcher = self.together = StepBatcher(self._serve)
        wait = self.together._turn.wait
        self.together._turn.wait = lambda timeout=None: (self._waits.release(), wait(timeout))[1]  # type: ignore[method-assign]

    def stream(self, seed: int) -> SteppedStream:
        rng = np.random.default_rng(seed)
        style, code = rng.standard_normal((2, 1, 16)).astype(np.float32)
        voice = Voice(style, code, rng.uniform(0, 1, (1, 16, 48)).astype(np.float32))
        return SteppedStream(
            self.config, OnnxSteps(self.graph, voice), Tongue(self.config.phones) if self.phones else None
        )

    @contextmanager
    def one_call(self, comers: int, threads: ThreadPoolExecutor) -> Iterator[None]:
        """What `comers` threads ask within is served together when the block is left."""
        self._held.clear(), self._go.clear()
        plug = threads.submit(self.together.run, None)  # type: ignore[arg-type]
        assert self._held.wait(LIMIT_S)
        yield
        assert all(self._waits.acquire(timeout=LIMIT_S) for _ in range(comers))
        self._go.set()
        plug.result(LIMIT_S)

    def _serve(self, asked: list[Step | None]) -> list:
        if asked == [None]:
            self._held.set()
            assert self._go.wait(LIMIT_S)
            return [None]
        self.companies.append(len(asked))
        return self.graph.run_steps(asked)  # type: ignore[arg-type]


class Part:
    """One voice's time on the stage: from a tick on, for so many ticks."""

    def __init__(self, seed: int, begin: int, ticks: int) -> None:
        self.seed, self.begin, self.end = seed, begin, begin + ticks
        self.sound = (0.2 * np.random.default_rng(1000 + seed).standard_normal(step_end(ticks))).astype(np.float32)
        self.frames: list[np.ndarray] = []
        self.stream: SteppedStream | None = None

    def hop(self, tick: int) -> np.ndarray:
        """The sound of one step."""
        at = tick - self.begin
        return self.sound[step_end(at - 1) if at else 0 : step_end(at)]

    def push(self, tick: int) -> None:
        self.frames.append(self.stream.push(self.hop(tick)))

    def alone(self, stage: Stage) -> np.ndarray:
        """The frames of the same sound with nobody else there."""
        stream, whole = stage.stream(self.seed), self.sound[: step_end(self.end - self.begin - 1)]
        return np.concatenate([stream.push(whole), stream.flush()])


def drawn(seed: int) -> list[Part]:
    """Parts that begin and end at any tick: one all the time, one for a single step, others over each other."""
    rng = np.random.default_rng(seed)
    begins = rng.integers(0, TICKS - 1, VOICES)
    parts = [Part(10 * seed + n, int(begin), int(rng.integers(1, TICKS - begin + 1))) for n, begin in enumerate(begins)]
    return [*parts, Part(90, 0, TICKS), Part(91, 5, 1)]


@pytest.mark.parametrize(
    ("seed", "phones"), [(0, False), (1, False), (2, True)], ids=["one", "another", "with the tongue"]
)
def test_voices_that_begin_and_end_at_any_time_give_the_frames_they_give_alone(tiny_checkpoint, seed, phones):
    stage, parts = Stage(tiny_checkpoint, phones), drawn(seed)
    with ThreadPoolExecutor(len(parts) + 1) as threads:
        for tick in range(TICKS):
            for part in parts:
                if part.begin == tick:
                    part.stream = stage.stream(part.seed)
            on = [part for part in parts if part.begin <= tick < part.end]
            with stage.one_call(len(on), threads):
                pushes = [threads.submit(part.push, tick) for part in on]
            for push in pushes:
                push.result(LIMIT_S)
            for part in on:
                if part.end == tick + 1:
                    part.frames.append(part.stream.flush())
                    part.stream = None  # gone, its state with it
    for part in parts:
        together = np.concatenate(part.frames)
        assert len(together) == part.end - part.begin, "a frame for each step"
        np.testing.assert_allclose(together, part.alone(stage), atol=1e-5)
    assert len({size for size in stage.companies}) >= 4, "companies of several sizes shared calls"


def test_a_voice_that_is_reset_among_others_begins_again_as_a_new_one_does(tiny_checkpoint):
    stage = Stage(tiny_checkpoint, phones=False)
    first, second, other = Part(1, 0, 9), Part(1, 9, 12), Part(2, 0, 21)
    first.stream = second.stream = stage.stream(1)  # one voice says one thing, then another
    other.stream = stage.stream(2)
    with ThreadPoolExecutor(3) as threads:
        for tick in range(21):
            part = first if tick < 9 else second
            if tick == 9:
                first.stream.reset()
            with stage.one_call(2, threads):
                pushes = [threads.submit(one.push, tick) for one in (part, other)]
            for push in pushes:
                push.result(LIMIT_S)
    for part in (second, other):
        frames = np.concatenate([*part.frames, part.stream.flush()])
        np.testing.assert_allclose(frames, part.alone(stage), atol=1e-5)


def test_voices_on_threads_of_their_own_come_and_go_as_others_speak(tiny_checkpoint):
    stage, parts = Stage(tiny_checkpoint, phones=False), drawn(3)
    begun = [threading.Event() for _ in range(TICKS)]

    def speak(part: Part) -> None:
        assert begun[part.begin].wait(LIMIT_S)
        part.stream = stage.stream(part.seed)
        for tick in range(part.begin, part.end):
            part.push(tick)
            begun[tick].set()
        part.frames.append(part.stream.flush())
        part.stream = None

    begun[0].set()  # the one that is there all the time leads the others in
    with ThreadPoolExecutor(len(parts)) as threads:
        speaking = [threads.submit(speak, part) for part in parts]
        for one in speaking:
            one.result(LIMIT_S)
    for part in parts:
        np.testing.assert_allclose(np.concatenate(part.frames), part.alone(stage), atol=1e-5)
