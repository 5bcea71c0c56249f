"""The loop: stages in turn, what each may move, stopping and going on, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from toy_trainable import Pairs, Toy, batches

from speech_to_face.base import ModelError
from speech_to_face_lab.training.export import load_run
from speech_to_face_lab.training.loop.accelerated import own_randomness
from speech_to_face_lab.training.loop.engine import train
from speech_to_face_lab.training.loop.logs import read_log
from speech_to_face_lab.training.loop.plan import Plan, ends
from speech_to_face_lab.training.loop.signals import held_back
from speech_to_face_lab.training.loop.state import FILE

torch.set_num_threads(1)
SHORT = Plan(steps=60, rate=0.05, log_every=5, save_every=7)


@pytest.fixture
def toy() -> Toy:
    torch.manual_seed(0)
    return Toy()


def copies(toy: Toy) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in toy.named_parameters()}


def test_a_run_learns_what_its_batches_teach(toy: Toy, tmp_path: Path) -> None:
    outcome = train(toy, batches, Plan(steps=400, rate=0.05, log_every=5), tmp_path)
    first, last = read_log(tmp_path)[0], read_log(tmp_path)[-1]
    assert outcome.finished and outcome.step == 400
    assert first["hidden"] > 0.1 and last["error"] < 0.01


def test_a_stage_moves_only_what_it_trains(toy: Toy, tmp_path: Path) -> None:
    before = copies(toy)
    train(toy, batches, SHORT, tmp_path, limit=20)
    after = copies(toy)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"first.weight", "first.bias"}
    train(toy, batches, SHORT, tmp_path)
    assert not toy.fixed.requires_grad and torch.equal(toy.fixed, torch.ones(2))
    assert not torch.equal(copies(toy)["second.weight"], before["second.weight"])


def test_stages_share_the_steps_as_the_plan_says(toy: Toy, tmp_path: Path) -> None:
    train(toy, batches, Plan(steps=40, shares=(1.0, 3.0), log_every=1), tmp_path)
    stages = [row["stage"] for row in read_log(tmp_path)]
    assert stages == ["low"] * 10 + ["high"] * 30


def test_a_stopped_run_goes_on_where_it_was(toy: Toy, tmp_path: Path) -> None:
    stopped = train(toy, batches, SHORT, tmp_path, limit=40)
    assert (stopped.step, stopped.finished) == (40, False)
    torch.manual_seed(7)
    again = Toy()
    outcome = train(again, batches, SHORT, tmp_path, limit=0)
    assert outcome.step == 40 and float(again.seen) == 40
    assert all(torch.equal(value, copies(again)[name]) for name, value in copies(toy).items())
    assert train(again, batches, SHORT, tmp_path).step == 60
    assert [row["step"] for row in read_log(tmp_path)] == list(range(5, 61, 5))


def test_going_on_keeps_the_optimisers_memory(toy: Toy, tmp_path: Path) -> None:
    train(toy, batches, SHORT, tmp_path, limit=10)
    before = load_file(tmp_path / FILE)
    assert float(before["exp_avg_sq.first.weight"].abs().sum()) > 0
    train(Toy(), batches, SHORT, tmp_path, limit=0)
    after = load_file(tmp_path / FILE)
    assert torch.equal(before["exp_avg.first.weight"], after["exp_avg.first.weight"])


def test_a_finished_run_does_nothing_more(toy: Toy, tmp_path: Path) -> None:
    train(toy, batches, SHORT, tmp_path)
    left = copies(toy)
    assert train(toy, batches, SHORT, tmp_path).step == 60
    assert all(torch.equal(value, left[name]) for name, value in copies(toy).items())


def test_the_clock_ends_a_run_before_its_steps(toy: Toy, tmp_path: Path) -> None:
    outcome = train(toy, batches, Plan(steps=10**9, minutes=0.5 / 60), tmp_path)
    assert outcome.finished and 2 < outcome.step < 10**6 and outcome.seconds >= 0.5


def test_what_is_loaded_from_a_run_is_its_average_and_its_buffers(toy: Toy, tmp_path: Path) -> None:
    train(toy, batches, SHORT, tmp_path, limit=15)
    stored = load_file(tmp_path / FILE)
    assert not torch.equal(stored["average.first.weight"], stored["model.first.weight"])
    found = load_run(Toy(), tmp_path)
    assert torch.equal(found.get_parameter("first.weight"), stored["average.first.weight"])
    assert float(found.get_buffer("seen")) == 15


def test_a_term_that_is_left_out_is_not_minimised(toy: Toy, tmp_path: Path) -> None:
    train(toy, batches, Plan(steps=8, log_every=1, drop=("size",)), tmp_path)
    assert {name for row in read_log(tmp_path) for name in row} == {
        "step",
        "stage",
        "seconds",
        "rate",
        "hidden",
        "error",
    }


def test_a_term_that_no_stage_has_is_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no term 'sise'.*error, hidden, size"):
        train(toy, batches, Plan(drop=("sise",)), tmp_path)


def test_leaving_out_everything_is_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing is left to learn without hidden"):
        train(toy, batches, Plan(drop=("hidden",)), tmp_path)


def test_losses_that_are_not_finite_end_the_run(toy: Toy, tmp_path: Path) -> None:
    def odd(seed: int) -> Iterator[Pairs]:
        return (Pairs(pair.x, pair.y / 0) for pair in batches(seed))

    with pytest.raises(ModelError, match="step 0: hidden is not finite"):
        train(toy, odd, SHORT, tmp_path)


def test_batches_that_end_are_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="after 3 steps; the data must be endless"):
        train(toy, lambda seed: islice(batches(seed), 3), SHORT, tmp_path)


def test_the_state_of_another_network_is_refused(toy: Toy, tmp_path: Path) -> None:
    train(toy, batches, SHORT, tmp_path, limit=1)
    other = Toy()
    other.second = torch.nn.Linear(4, 3)
    with pytest.raises(ModelError, match="2 tensors differ, the first is second.bias"):
        train(other, batches, SHORT, tmp_path)


def test_a_damaged_state_is_one_line(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="not the state of a run"):
        train(toy, batches, SHORT, tmp_path)


@pytest.mark.parametrize(
    ("broken", "shape"),
    [("average.first.weight", None), ("average.first.weight", (1, 1)), ("exp_avg.first.weight", (1, 1))],
)
def test_a_state_whose_average_does_not_fit_is_one_line(
    toy: Toy, tmp_path: Path, broken: str, shape: tuple[int, ...] | None
) -> None:
    train(toy, batches, SHORT, tmp_path, limit=2)
    with safe_open(tmp_path / FILE, "pt") as stored:
        metadata = stored.metadata()
    tensors = load_file(tmp_path / FILE)
    del tensors[broken]
    if shape is not None:
        tensors[broken] = torch.zeros(shape)
    save_file(tensors, tmp_path / FILE, metadata)
    with pytest.raises(ModelError, match="is of another network, 1 tensors differ, the first is first.weight"):
        train(Toy(), batches, SHORT, tmp_path)


def interrupting(seed: int) -> Iterator[Pairs]:
    """Ctrl-C while the fourth batch is made."""
    for n, pair in enumerate(batches(seed)):
        if n == 3:
            signal.raise_signal(signal.SIGINT)
        yield pair


def test_ctrl_c_keeps_every_step_that_was_done(toy: Toy, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(toy, interrupting, SHORT, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    outcome = train(Toy(), batches, SHORT, tmp_path, limit=0)
    assert outcome.step == outcome.begun == 3
    assert torch.equal(load_file(tmp_path / FILE)["model.first.weight"], copies(toy)["first.weight"])


def test_a_second_ctrl_c_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt), held_back() as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted.is_set()
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")


def test_what_validates_is_logged_and_changes_nothing_that_is_learnt(toy: Toy, tmp_path: Path) -> None:
    def drawing(seed: int) -> Iterator[Pairs]:
        return (Pairs(torch.rand(16, 3), pair.y) for pair in batches(seed))

    watched = list(islice(batches(5), 2))
    begun = copies(toy)
    train(toy, drawing, SHORT, tmp_path / "watched", validation={"": watched})
    other = Toy()
    other.load_state_dict({**begun, "seen": torch.zeros(())})
    train(other, drawing, SHORT, tmp_path / "alone")
    assert all(torch.equal(value, copies(other)[name]) for name, value in copies(toy).items()) and float(toy.seen) == 60
    rows = [row for row in read_log(tmp_path / "watched") if "validation_hidden" in row or "validation_error" in row]
    assert [row["step"] for row in rows] == [7, 14, 21, 28, 30, 35, 42, 49, 56, 60]
    with torch.no_grad():
        losses = [float(toy.eval().terms(batch, "high")["error"]) for batch in watched]
    assert rows[-1]["validation_error"] == pytest.approx(sum(losses) / 2, abs=1e-5)


def test_validation_draws_the_same_numbers_every_time_and_gives_the_stream_back() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    drawn = []
    for _ in range(2):
        with own_randomness(torch.device("cpu")):
            drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[1]) and torch.equal(torch.rand(2), wanted)


def test_a_plan_without_decay_and_clipping_is_plain_adam(toy: Toy, tmp_path: Path) -> None:
    plain = Plan(steps=12, rate=0.02, schedule="constant", betas=(0.9, 0.999), weight_decay=0.0, clip=0.0, log_every=1)

    def steep(seed: int) -> Iterator[Pairs]:
        return (Pairs(100 * pair.x, 100 * pair.y) for pair in batches(seed))

    other = Toy()
    other.load_state_dict(toy.state_dict())
    optimiser, source = torch.optim.Adam(other.first.parameters(), 0.02), steep(0)
    for _ in range(5):
        optimiser.zero_grad()
        other.terms(next(source), "low")["hidden"].backward()
        optimiser.step()
    train(toy, steep, plain, tmp_path, limit=5)
    torch.testing.assert_close(toy.first.weight, other.first.weight, atol=1e-6, rtol=1e-6)
    assert {row["rate"] for row in read_log(tmp_path)} == {0.02}


def test_shares_must_fit_the_stages() -> None:
    assert ends(Plan(shares=(1.0, 3.0)), ("a", "b")) == (0.25, 1.0)
    with pytest.raises(ValueError, match="1 shares for 2 stages"):
        ends(Plan(shares=(1.0,)), ("a", "b"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"rate": 0.0},
        {"minutes": -1.0},
        {"mixed_precision": "fp8"},
        {"shares": (0.0,)},
        {"schedule": "steps"},
        {"betas": (0.9,)},
        {"weight_decay": -1.0},
        {"clip": -1.0},
    ],
)
def test_a_plan_refuses_what_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Plan(**wrong)  # type: ignore[arg-type]


TWO = """
import sys
from pathlib import Path
import torch
from toy_trainable import Toy, batches
from speech_to_face_lab.training.loop.accelerated import own_randomness
from speech_to_face_lab.training.loop.engine import train
from speech_to_face_lab.training.loop.signals import held_back
from speech_to_face_lab.training.loop.plan import Plan
torch.set_num_threads(1)
torch.manual_seed(0)
toy = Toy()
outcome = train(toy, batches, Plan(steps=20, rate=0.05), Path(sys.argv[1]))
Path(sys.argv[1], f"{outcome.first}.txt").write_text(" ".join(str(float(p.detach().sum())) for p in toy.parameters()))
"""


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_processes_learn_one_network_and_one_of_them_writes(tmp_path: Path) -> None:
    program = tmp_path / "two.py"
    program.write_text(TWO, encoding="utf-8")
    root = Path(__file__).parents[4]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        str(program),
        str(tmp_path),
    ]
    paths = f"{root}{os.pathsep}{root / 'tests' / 'support'}"
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths, "ACCELERATE_USE_CPU": "true"}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    first, other = ((tmp_path / f"{name}.txt").read_text() for name in (True, False))
    assert first == other
    assert (tmp_path / FILE).is_file()
