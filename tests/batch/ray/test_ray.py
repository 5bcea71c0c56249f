"""A batch on a real Ray cluster of this machine: one for all tests here, since it takes ten seconds to start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from batches import RATE_HZ, RECIPE, loudness, refusing, tone
from ray_batches import cluster, end, stopping

from livelink_bridge.batch.job import Recipe, Task, sha256_of
from livelink_bridge.batch.local import LocalEngine
from livelink_bridge.batch.ray import engine
from livelink_bridge.batch.ray.engine import RayEngine
from livelink_bridge.errors import BridgeError, UsageError
from speech_to_face import checkpoint

pytestmark = pytest.mark.timeout(240)  # a busy machine takes a minute for what takes ten seconds
ray_is_here = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install livelink-bridge[scale]"
)
kills = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills in another way")


@pytest.fixture(scope="module")
def head() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with cluster(2) as found:
        yield found


def tasks(root: Path, out: str, *sounds: Path) -> list[Task]:
    return [Task(sound, root / out / f"{sound.stem}.csv", f"{sound.stem}.csv") for sound in sounds]


def ignore(_work: Task, _part: float) -> None:
    pass


def shipped() -> Recipe:
    folder = checkpoint.find("pmmtalk-live")
    return Recipe(model="pmmtalk-live", model_sha256=sha256_of(folder / checkpoint.SUMS), version=RECIPE.version)


@ray_is_here
@kills
def test_with_workers_killed_every_take_is_the_local_engine_s_byte_for_byte(head, tmp_path: Path) -> None:
    """One is killed in the middle of a sound; another sound kills whoever takes it."""
    sounds = [tone(tmp_path / f"{number}.wav", 0.5 + number / 5, step=0.1 + number / 50) for number in range(6)]
    soundfile.write(tmp_path / "deadly.wav", np.full(RATE_HZ, 0.25), RATE_HZ)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    kill = threading.Thread(target=lambda: os.kill(int(os.read(reader, 20)), signal.SIGKILL), daemon=True)
    kill.start()
    todo = tasks(tmp_path, "ray", *sounds[:3], tmp_path / "deadly.wav", *sounds[3:])
    became = {
        task.name: outcome
        for task, outcome in RayEngine(head[0], load=stopping)(todo, replace(shipped(), style=str(pipe)), ignore)
    }
    kill.join(1)
    os.close(reader)
    assert not kill.is_alive(), "nobody was killed"
    assert "deadly.wav: the worker that converted it died 2 times" in str(became.pop("deadly.csv").error)
    local = {
        task.name: outcome for task, outcome in LocalEngine(1)(tasks(tmp_path, "local", *sounds), shipped(), ignore)
    }
    assert sorted(os.listdir(tmp_path / "ray")) == sorted(os.listdir(tmp_path / "local")) == sorted(became)
    for name, outcome in local.items():
        assert became[name].error is None
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()
        assert (became[name].take_sha256, became[name].curves) == (outcome.take_sha256, outcome.curves)


@ray_is_here
@kills
def test_a_model_that_a_worker_cannot_load_is_reported_once(head, tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="there is no such model"):
        list(
            RayEngine(head[0], jobs=1, load=refusing)(
                tasks(tmp_path, "out", tone(tmp_path / "a.wav", 0.2)), RECIPE, ignore
            )
        )


@ray_is_here
@kills
def test_a_cluster_that_vanishes_is_one_line_and_what_was_done_stays(
    head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test that uses the cluster: it ends it."""
    monkeypatch.setattr(engine, "SILENCE_S", 10.0)
    sounds = [tone(tmp_path / "a.wav", 0.2), tone(tmp_path / "long.wav", 600)]
    outcomes = RayEngine(head[0], load=loudness)(tasks(tmp_path, "out", *sounds), RECIPE, ignore)
    first, outcome = next(outcomes)
    assert first.name == "a.csv" and outcome.error is None
    end(head[1])
    with pytest.raises(
        BridgeError, match=r"the Ray cluster at 127\.0\.0\.1:\d+ no longer answers.*run again to continue"
    ):
        list(outcomes)
    assert "a.csv" in os.listdir(tmp_path / "out")


@ray_is_here
@kills
def test_an_address_where_no_cluster_answers_is_reported_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(BridgeError, match="no Ray cluster answers at 127.0.0.1"):
            RayEngine(f"127.0.0.1:{nobody.getsockname()[1]}")


@ray_is_here
def test_nothing_to_do_starts_no_cluster() -> None:
    assert list(RayEngine()([], RECIPE, ignore)) == []


@pytest.mark.parametrize("address", ["", "here", "host:0", "host:70000", "http://host:80", "host:6379/x"])
def test_an_address_that_is_none_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError, match="expected auto, HOST:PORT or ray://HOST:PORT"):
        RayEngine(address)


def test_without_ray_the_error_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _name: None)
    with pytest.raises(BridgeError, match=r"Ray, which is not installed: pip install 'livelink-bridge\[scale\]'"):
        RayEngine()
