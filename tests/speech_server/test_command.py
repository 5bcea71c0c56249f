"""The command `listen`: its status, log and metrics for each client."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from contextlib import nullcontext
from pathlib import Path

import pytest
from websockets.sync.client import connect

from livelink_bridge.cli import run
from livelink_bridge.commands.live import listen
from livelink_bridge.commands.live.listen import Board
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.workers import wait_for
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.session import build
from livelink_bridge.testing.stand_ins import LoudnessModel

START = {"type": "start", "format": "s16le", "rate": 16000, "channels": 1, "subject": "Ada"}


def test_who_has_left_is_not_shown_any_more() -> None:
    shown: list[dict[str, int]] = []
    said: list[str] = []
    board = Board(lambda named: shown.append({subject: status.sent for subject, status in named.items()}), said.append)
    for subject, sent in [("Ada", 1), ("Bo", 2), ("Ada", 4)]:
        board.update(subject, Status(state="live", sent=sent))
    board.draw()
    board.leave("Ada", "Ada: 4 poses")
    board.leave("Ada")
    assert said == []
    board.draw(), board.draw()
    board.leave("Bo", "Bo: 2 poses")
    board.draw()
    assert shown == [{"Ada": 4, "Bo": 2}, {"Bo": 2}, {}]
    assert said == ["Ada: 4 poses", "Bo: 2 poses"]


def test_a_voice_leaves_while_the_terminal_is_stopped() -> None:
    drawing, going_on = threading.Event(), threading.Event()

    def show(_named: object) -> None:
        drawing.set()
        assert going_on.wait(10)

    said: list[str] = []
    board = Board(show, said.append)
    board.update("Ada", Status(state="live"))
    terminal = threading.Thread(target=board.draw)
    terminal.start()
    assert drawing.wait(5)
    voice = threading.Thread(
        target=lambda: (board.update("Ada", Status(state="live")), board.leave("Ada", "Ada: 4 poses")), daemon=True
    )
    voice.start()
    voice.join(5)
    left = not voice.is_alive()
    going_on.set()
    terminal.join(5)
    board.draw()
    assert left
    assert said == ["Ada: 4 poses"]


def test_log_file_and_metrics_cover_each_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(build, "model_of", lambda settings: LoudnessModel())
    stop = threading.Event()
    monkeypatch.setattr(listen, "interruptible", lambda: nullcontext(stop))
    port, metrics, target, log = free_port(), free_port(), free_port(), tmp_path / "listen.log"
    scraped: list[str] = []

    def speak() -> None:
        try:
            wait_for_port(port)
            with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
                client.send(json.dumps(START))
                client.recv(timeout=10)
                client.send(bytes(16000))
                scraped.append(scrape_until(metrics, 'poses_per_second{subject="Ada"}'))
        finally:
            stop.set()

    client = threading.Thread(target=speak)
    client.start()
    options = [
        "--port",
        str(port),
        "--metrics-port",
        str(metrics),
        "--log-file",
        str(log),
        "--to",
        f"livelink://127.0.0.1:{target}",
    ]
    assert run(["listen", *options]) == 0
    client.join()
    assert scraped
    assert "INFO Ada: " in log.read_text(encoding="utf-8")


def wait_for_port(port: int) -> None:
    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listening, MonotonicClock(), threading.Event(), at_most_s=10)
    assert listening(), f"nothing listens on port {port}"


def scrape_until(port: int, wanted: str) -> str:
    """The first scrape that has something."""
    scraped = ""

    def has_it() -> bool:
        nonlocal scraped
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            scraped = answer.read().decode()
        return wanted in scraped

    wait_for(has_it, MonotonicClock(), threading.Event(), at_most_s=10)
    assert wanted in scraped, f"{wanted} was never served"
    return scraped


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
