"""How the tests are shared out where several processes run them (`scripts/test` takes three); what many of them stand
on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import real_time
import sharing
import slow
from known_skips import KnownSkips

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.testing.shared_clock import SharedClock

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--known-skips",
        action="store_true",
        help="list why tests were skipped, and fail for a reason that is not known",
    )
    parser.addoption(
        "--rerun-real-time",
        type=int,
        default=0,
        metavar="N",
        help="run a test that is marked real_time up to N times more where it fails, and list each rerun",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--known-skips"):
        config.pluginmanager.register(KnownSkips())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow or runs in real time; put the longest groups first and say which tests share a process."""
    reruns = config.getoption("--rerun-real-time")
    items.sort(key=lambda item: sharing.rank(place_of(item)))
    for item in items:
        place = place_of(item)
        if reason := real_time.why(place):
            item.add_marker(pytest.mark.real_time(reason))
            if reruns:
                item.add_marker(pytest.mark.flaky(reruns=reruns))
        if reason := slow.why(place):
            item.add_marker(pytest.mark.slow(reason))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist=loadgroup: one process for each group of tests/support/sharing.py at a time.

    xdist's own groups ride on the names of tests; pytest 9.2 no longer lets it change these, and xdist 3.8 then shares
    out test by test without a word.
    """
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return sharing.group(nodeid.partition("::")[0].removeprefix(f"{HERE.name}/"))

    return Groups(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the real-time group go before the others where the cores are busy.

    Priority cannot be raised again, so a process gives it up with the first other test it runs; the real-time group
    begins first and stays in one process. What tests start inherits the priority.
    """
    if "PYTEST_XDIST_WORKER" in os.environ and sharing.group(place_of(item)) != sharing.ALONE and hasattr(os, "nice"):
        os.nice(max(0, sharing.NICE - os.nice(0)))


def place_of(item: pytest.Item) -> str:
    """The path of a test's file within this folder."""
    return item.path.relative_to(HERE).as_posix()


@pytest.fixture
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for what the program remembers; no setting comes from the environment."""
    for name in list(os.environ):
        if name.startswith("LIVELINK_BRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def shared_clock(monkeypatch: pytest.MonkeyPatch) -> SharedClock:
    """The program's own clock, but its time only moves while every thread waits for it: nothing takes real time, and
    nothing is late however busy the machine is."""
    shared = SharedClock()
    monkeypatch.setattr(MonotonicClock, "now", lambda _self: shared.now())
    monkeypatch.setattr(MonotonicClock, "time_of_day", lambda _self: shared.time_of_day())
    monkeypatch.setattr(MonotonicClock, "wait_until", lambda _self, at_s, stop: shared.wait_until(at_s, stop))
    return shared


@pytest.fixture
def nothing_left_running() -> Iterator[None]:
    """No thread outlives the test."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands hear loudness instead of loading a network."""
    from livelink_bridge.session import build
    from livelink_bridge.testing.stand_ins import LoudnessModel

    monkeypatch.setattr(build, "model_of", lambda settings: LoudnessModel())


@pytest.fixture(autouse=True)
def tiny_numbers_stay() -> Iterator[None]:
    """Training lets the processor take tiny numbers for zero, for the whole process, and later tests would find them
    gone."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
