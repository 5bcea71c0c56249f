"""The program, ended at moments that nobody chose."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from arkit_mapping.takes.csv import read_take
from livelink_bridge.wire.livelink import decode

SENTENCE = Path(__file__).parents[2] / "livelink_bridge" / "demo" / "sentence.flac"
FEW = range(1, 7)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(90),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills in another way"),
]


def ended(seed: int, how: signal.Signals, folder: Path) -> tuple[int, list[bytes], str]:
    """Exit code, datagrams and stderr of `play` with a take, ended after a random number of packets."""
    packets = random.Random(seed).randint(1, 150)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        target = f"livelink://127.0.0.1:{receiver.getsockname()[1]}"
        command = [
            sys.executable,
            "-m",
            "livelink_bridge",
            "play",
            str(SENTENCE),
            "--no-audio",
            "--to",
            target,
            "--to",
            f"take:{folder}",
        ]
        env = os.environ | {"LIVELINK_BRIDGE_HOME": str(folder)}
        with subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as program:
            came = [receiver.recv(4096) for _ in range(packets)]
            program.send_signal(how)
            _, said = program.communicate(timeout=30)
        receiver.setblocking(False)
        try:
            while True:
                came.append(receiver.recv(4096))
        except BlockingIOError:
            return program.returncode, came, said


@pytest.mark.parametrize("seed", FEW)
def test_ended_by_sigterm_the_face_rests_the_take_is_whole_and_nothing_is_said_about_python(
    seed: int, tmp_path: Path
) -> None:
    code, came, said = ended(seed, signal.SIGTERM, tmp_path)
    assert code in (130, 143) and "Traceback" not in said
    last = decode(came[-1]).values
    assert last is not None and not last.any()
    (take,) = tmp_path.rglob("*.csv")
    written = read_take(take)
    assert len(written.values) >= 1 and not written.values[-1].any()


@pytest.mark.parametrize("seed", FEW)
def test_killed_the_take_up_to_then_can_be_read(seed: int, tmp_path: Path) -> None:
    code, came, _ = ended(10 + seed, signal.SIGKILL, tmp_path)
    assert code == -signal.SIGKILL
    takes = [path for path in tmp_path.rglob("*.csv") if path.stat().st_size]
    rows = sum(len(read_take(path).values) for path in takes)
    assert rows >= len(came) - 90, "at most what was on its way to the disk is lost"
