"""How the tests are shared out where several processes run them (`scripts/test` takes three); what many of them stand
on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from known_skips import KnownSkips

HERE = Path(__file__).parent
REAL_TIME = (
    "api",
    "device",
    "doctor",
    "faults",
    "network/test_udp_target",
    "network/test_udp_port",
    "speech_server",
    "sinks",
    "sources",
    "commands/test_cli.py",
    "commands/test_ending",
    "commands/test_mic",
    "commands/test_sync",
    "commands/test_replay",
    "takes/test_recorder_",
    "program/test_end_to_end",
    "program/test_examples",
    "wire/test_unreal",
)
"""What keeps to the clock or to a sound server: one after the other in one process, so that no two of them share a
core's moments."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--known-skips",
        action="store_true",
        help="list why tests were skipped, and fail for a reason that is not known",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--known-skips"):
        config.pluginmanager.register(KnownSkips())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a file stay together, in their order, since they share what they are made with; what runs in real time
    forms one group."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        place = item.path.relative_to(HERE).as_posix()
        together = "real time" if place.startswith(REAL_TIME) else place
        item.add_marker(pytest.mark.xdist_group(together))


@pytest.fixture
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for what the program remembers; no setting comes from the environment."""
    for name in list(os.environ):
        if name.startswith("LIVELINK_BRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


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
