"""What a download tells the hub: which file it wants, and nothing about the machine beyond its Python."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

LIMIT_S = 60


class Hub(ThreadingHTTPServer):
    """A hub on this machine that has nothing, and remembers the path and the user agent of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, str]] = []


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["user-agent"]))
        self.send_response(404)
        self.send_header("x-error-code", "EntryNotFound")
        self.send_header("content-length", "0")
        self.end_headers()

    do_HEAD = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_a_download_asks_for_the_weights_alone_and_tells_neither_torch_nor_which_program_started_it(
    hub: Hub, tmp_path: Path
) -> None:
    unwanted = ("LIVELINK_BRIDGE_", "HF_", "DO_NOT_TRACK", "DISABLE_TELEMETRY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment = {
        **kept,
        "HOME": str(tmp_path),
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "AI_AGENT": "anything",
    }
    command = [
        sys.executable,
        "-m",
        "livelink_bridge",
        "models",
        "download",
        "xlsr-53-chinese",
        "--models-dir",
        str(tmp_path / "models"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 1 and "no model.safetensors and no pytorch_model.bin to be had" in done.stderr
    paths, agents = zip(*hub.asked, strict=True)
    assert {path.rpartition("/")[2] for path in paths} == {"model.safetensors", "pytorch_model.bin"}
    assert {part.strip().partition("/")[0] for agent in agents for part in agent.split(";")} <= {
        "unknown",
        "hf_hub",
        "python",
    }
