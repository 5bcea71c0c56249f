"""Voices that share calls: each hears its own sound alone, whoever it is served with."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
import torch

from speech_to_face.loading import load_model, load_voices
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.networks.pmmtalk.onnx_steps import Graph, OnnxSteps, Past, _rows
from speech_to_face.networks.pmmtalk.step_batcher import StepBatcher
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.styles import VoiceChoice

LIMIT_S = 20


class Gate:
    """Serves squares, and holds back its first call until four askers in all are there."""

    def __init__(self, fail: Callable[[int], None] = lambda call: None) -> None:
        self.calls: list[list[int]] = []
        self.fail, self.begun, self.go, self.comers = fail, threading.Event(), threading.Event(), threading.Semaphore(0)
        self.together: StepBatcher[int, int] = StepBatcher(self.serve)
        turn, comers = self.together._turn, self.comers
        wait = turn.wait
        turn.wait = lambda timeout=None: (comers.release(), wait(timeout))[1]  # type: ignore[method-assign]

    def serve(self, asked: list[int]) -> list[int]:
        self.calls.append(asked)
        if len(self.calls) == 1:
            self.begun.set()
            assert self.go.wait(LIMIT_S)
        self.fail(len(self.calls))
        return [number**2 for number in asked]

    def run(self) -> list[Future[int]]:
        """Four threads ask: 0 alone, then 1, 2 and 3 while that call runs."""
        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(self.together.run, 0)]
            assert self.begun.wait(LIMIT_S)
            asked += [threads.submit(self.together.run, number) for number in (1, 2, 3)]
            assert all(self.comers.acquire(timeout=LIMIT_S) for _ in range(3))
            self.go.set()
            for one in asked:
                one.exception(LIMIT_S)
        return asked


def test_who_comes_while_a_call_runs_shares_the_next_one():
    gate = Gate()
    assert [one.result() for one in gate.run()] == [0, 1, 4, 9]
    assert [sorted(call) for call in gate.calls] == [[0], [1, 2, 3]]


def test_one_alone_is_served_by_its_own_thread_at_once():
    served_by: list[int] = []
    together = StepBatcher(lambda asked: [served_by.append(threading.get_ident()) or asked[0]])
    assert [together.run(number) for number in (1, 2)] == [1, 2]
    assert served_by == [threading.get_ident()] * 2


@pytest.mark.parametrize(
    "error", [ValueError("broken"), KeyboardInterrupt("broken")], ids=["an error", "an interruption"]
)
def test_a_call_that_fails_raises_in_all_that_share_it_and_leaves_nobody_waiting(error):
    def fail(call: int) -> None:
        if call == 2:
            raise error

    gate = Gate(fail)
    first, *others = gate.run()
    assert first.result() == 0
    errors = [one.exception() for one in others]
    assert sorted(type(one).__name__ for one in errors) == sorted(["ModelError", "ModelError", type(error).__name__])
    assert all("broken" in str(one) for one in errors)
    assert gate.together.run(5) == 25, "the next one is served as if nothing had been"


def test_who_comes_during_a_call_that_fails_is_served_after_it():
    def fail(call: int) -> None:
        if call == 1:
            raise ValueError("broken")

    first, *others = Gate(fail).run()
    assert isinstance(first.exception(), ValueError)
    assert [one.result() for one in others] == [1, 4, 9]


def test_a_call_that_forgets_an_answer_fails_for_everybody():
    together: StepBatcher[int, int] = StepBatcher(lambda asked: [])
    with pytest.raises(ValueError):
        together.run(1)


@pytest.fixture(scope="module")
def graph(tiny_checkpoint) -> Graph:
    return Graph(tiny_checkpoint / "step.onnx")


def voice(seed: int) -> Voice:
    rng = np.random.default_rng(seed)
    style, code = rng.standard_normal((2, 1, 16)).astype(np.float32)
    return Voice(style, code, rng.uniform(0, 1, (1, 16, 48)).astype(np.float32))


def sound(seed: int, steps: int = 60) -> np.ndarray:
    """float32 (steps, 1, 160): a step a row."""
    return np.random.default_rng(100 + seed).standard_normal((steps, 1, 160)).astype(np.float32)


def serve(graph: Graph, voices: list[OnnxSteps], mels: list[np.ndarray]) -> list[np.ndarray]:
    """One step of each, in one call."""
    answers = graph.run_steps([one.next(mel) for one, mel in zip(voices, mels, strict=True)])
    return [one.take(answer) for one, answer in zip(voices, answers, strict=True)]


def test_voices_served_in_changing_company_speak_as_each_does_alone(graph):
    rng = np.random.default_rng(0)
    shared = [OnnxSteps(graph, voice(seed)) for seed in range(4)]
    alone = [OnnxSteps(graph, voice(seed)) for seed in range(4)]
    at = [0, 0, 0, 0]
    for turn in range(80):
        company = rng.permutation(4)[: rng.integers(1, 5)] if turn % 3 else np.arange(4)
        if turn == 40:
            shared[2].reset(), alone[2].reset()
        mels = [sound(who, 80)[at[who]] for who in company]
        for who, mel, got in zip(company, mels, serve(graph, [shared[who] for who in company], mels), strict=True):
            np.testing.assert_allclose(got, alone[who].run(mel), atol=1e-5)
            at[who] += 1
    assert len(set(at)) > 1, "voices of one age would not show a clock that is shared by mistake"


def test_single_steps_blocks_and_shared_steps_of_a_voice_follow_each_other(graph):
    one, other, alone = OnnxSteps(graph, voice(0)), OnnxSteps(graph, voice(1)), OnnxSteps(graph, voice(0))
    mel = sound(0)[:, 0]
    got = [serve(graph, [other, one], [mel[:1], mel[:1]])[1], one.run(mel[1:4]), one.run(mel[4:40])]
    got.append(serve(graph, [one, other], [mel[40:41], mel[:1]])[0])
    np.testing.assert_allclose(np.concatenate(got), alone.run(mel[:41]), atol=1e-5)


def test_a_style_and_a_face_are_each_voices_own(graph):
    voices = [OnnxSteps(graph, voice(seed)) for seed in range(2)]
    one, other = serve(graph, voices, [sound(0)[0]] * 2)
    assert np.abs(one - other).max() > 1e-3


def test_the_same_company_in_the_same_order_is_not_copied():
    together = [np.zeros((2, 3, 4), np.float32)]
    one, other = Past(together, 0), Past(together, 1)
    assert _rows([one, other]) is together
    for company in ([one], [other, one], [one, Past([np.zeros((1, 3, 4), np.float32)])], [one, other, one]):
        rows = _rows(company)[0]
        assert rows is not together[0] and len(rows) == len(company)


def test_a_failed_call_leaves_every_voice_where_it_was(graph):
    shared, alone = ([OnnxSteps(graph, voice(seed)) for seed in range(2)] for _ in range(2))
    wrong = [mel[:, :80] for mel in (sound(0)[0], sound(1)[0])]
    with pytest.raises(Exception, match="(?i)dimension"):
        serve(graph, shared, wrong)
    for got, one, seed in zip(serve(graph, shared, [sound(0)[0], sound(1)[0]]), alone, (0, 1), strict=True):
        np.testing.assert_allclose(got, one.run(sound(seed)[0]), atol=1e-5)


def test_what_several_voices_need_is_opened_by_the_second_that_lives_at_once(tiny_checkpoint):
    graph = Graph(tiny_checkpoint / "step.onnx")
    first = OnnxSteps(graph, voice(0))
    del first
    second = OnnxSteps(graph, voice(0))
    assert "_several" not in vars(graph), "one after the other is not together"
    third = OnnxSteps(graph, voice(1))
    assert "_several" in vars(graph) and second is not third


def test_live_voices_in_threads_of_their_own_give_their_own_frames(tiny_checkpoint):
    chosen = [VoiceChoice(style=style) for style in ("neutral", "broad", "subtle", None)]
    models = load_voices(str(tiny_checkpoint), "cpu", chosen)
    sounds = [0.2 * np.random.default_rng(seed).standard_normal(16_000).astype(np.float32) for seed in range(4)]
    start = threading.Barrier(4, timeout=LIMIT_S)

    def speak(which: int) -> np.ndarray:
        stream = models[which].stream()
        start.wait()
        return np.concatenate([stream.push(piece) for piece in np.array_split(sounds[which], 40 + 10 * which)])

    with ThreadPoolExecutor(4) as threads:
        live = [one.result(LIMIT_S) for one in [threads.submit(speak, which) for which in range(4)]]
    for which, frames in enumerate(live):
        alone = load_model(str(tiny_checkpoint), "cpu", style=chosen[which].style).animate(sounds[which])
        np.testing.assert_allclose(frames, alone[: len(frames)], atol=1e-5)


class OneVoice(torch.nn.Module):
    """The network as older graphs hold it."""

    def __init__(self, network: PMMTalk) -> None:
        super().__init__()
        self.network = network

    def forward(self, mel, clock, style, code, crop, *states):
        out, after, _ = self.network(mel, style, code, crop, clock, list(states))
        return (out, *after)


def test_an_older_graph_of_one_voice_and_one_clock_serves_its_voices_one_by_one(tiny_checkpoint, graph, tmp_path):
    network = load_network(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml"))
    states = network.initial_states()
    names = [f"state_{i}" for i in range(len(states))]
    inputs = (
        torch.zeros(1, 2, 160),
        torch.tensor(5),
        torch.zeros(1, 16),
        torch.zeros(1, 16),
        torch.zeros(1, 16, 48),
        *states,
    )
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            OneVoice(network),
            inputs,
            tmp_path / "step.onnx",
            dynamo=False,
            opset_version=17,
            dynamic_axes={"mel": {1: "steps"}},
            input_names=["mel", "clock", "style", "code", "crop", *names],
            output_names=["out", *(f"next_{name}" for name in names)],
        )
    older = Graph(tmp_path / "step.onnx")
    assert graph.joins and not older.joins
    voices, alone = ([OnnxSteps(which, voice(seed)) for seed in range(2)] for which in (older, graph))
    for _ in range(3):
        for got, one, seed in zip(serve(older, voices, [sound(0)[0], sound(1)[0]]), alone, (0, 1), strict=True):
            np.testing.assert_allclose(got, one.run(sound(seed)[0]), atol=1e-5)
    block = sound(0)[:, 0]
    np.testing.assert_allclose(voices[0].run(block), alone[0].run(block), atol=1e-5)


def test_the_network_takes_one_clock_for_all_or_one_for_each(tiny_checkpoint):
    network = load_network(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml"))
    torch.manual_seed(0)
    mel, style, code, crop = torch.randn(2, 5, 160), torch.randn(2, 16), torch.randn(2, 16), torch.rand(2, 16, 48)
    states = [torch.randn(2, *shape) for shape in network.state_shapes]

    def run(clock: torch.Tensor, rows: slice = slice(None)) -> torch.Tensor:
        with torch.no_grad():
            return network(mel[rows], style[rows], code[rows], crop[rows], clock, [state[rows] for state in states])[0]

    torch.testing.assert_close(run(torch.tensor([7, 7])), run(torch.tensor(7)), atol=1e-6, rtol=1e-5)
    mixed = run(torch.tensor([3, 200]))
    for row, clock in enumerate((3, 200)):
        torch.testing.assert_close(mixed[row], run(torch.tensor(clock), slice(row, row + 1))[0], atol=1e-6, rtol=1e-5)
