"""A Ray cluster for tests, and what its workers import by name."""

from __future__ import annotations

import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from livelink_bridge.batch.job import Recipe, WorkerContext, load_context
from speech_to_face.base import Stream

START_S = 50.0


@contextmanager
def cluster(cores: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Address and first process of a small cluster, closed to everybody else. Whoever joins it finds its token in the
    environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = {
        "RAY_worker_niceness": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    ours["RAY_USAGE_STATS_REPORT_URL"] = "http://127.0.0.1:9"  # `ray start` reports that it reports nothing
    ours["PYTHONPATH"] = str(Path(__file__).parent)  # its workers import this file
    kept = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    options = (
        f"--head --block --node-ip-address=127.0.0.1 --port={port} --num-cpus={cores} --object-store-memory=80000000"
    ).split()
    options += ["--include-dashboard=false", "--include-log-monitor=false"]
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--temp-dir={folder}"]
        head = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            _await_line(head, b"Ray runtime started")
            yield f"127.0.0.1:{port}", head
        finally:
            end(head)
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def end(head: subprocess.Popen[bytes]) -> None:
    """Kill a cluster at once, as a power cut does."""
    with suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    head.wait(10)
    if head.stdout:
        head.stdout.close()


def _await_line(process: subprocess.Popen[bytes], wanted: bytes) -> None:
    assert process.stdout
    heard = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while wanted not in heard:
            assert waiting.select(START_S), heard
            more = os.read(process.stdout.fileno(), 65536)
            assert more, heard
            heard += more


class _Stopping:
    """A network that, while there is a pipe to write to, writes its process's number there and waits to be killed.

    It kills its process itself by a sound that is 0.25 throughout.
    """

    def __init__(self, inner: Any, pipe: Path) -> None:
        self._inner, self._pipe = inner, pipe

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def stream(self) -> Stream:
        return _StoppingStream(self._inner.stream(), self._pipe)  # type: ignore[return-value]


class _StoppingStream:
    def __init__(self, inner: Stream, pipe: Path) -> None:
        self._inner, self._pipe = inner, pipe
        self.reset, self.flush = inner.reset, inner.flush

    def push(self, samples: Any) -> Any:
        poses = self._inner.push(samples)
        if len(samples) and all(samples == 0.25):
            os.kill(os.getpid(), signal.SIGKILL)
        with suppress(FileNotFoundError):
            claimed = self._pipe.rename(self._pipe.with_suffix(".taken"))  # by one worker, once
            claimed.write_text(str(os.getpid()))
            signal.pause()
        return poses


def stopping(recipe: Recipe) -> WorkerContext:
    """The recipe's own model; one worker of those that are loaded with it stops in the middle of its first sound.
    `style` is the pipe."""
    context = load_context(Recipe(model=recipe.model, model_sha256=recipe.model_sha256))
    return WorkerContext(_Stopping(context.model, Path(recipe.style or "")))  # type: ignore[arg-type]
