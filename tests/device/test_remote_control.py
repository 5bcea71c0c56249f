"""The program itself, directed by a made Switchboard as if it were a phone: a microphone, a take, its files."""

from __future__ import annotations

import io
import re
import signal
import socket
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from switchboard import Switchboard, fetched

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take

pytestmark = [pytest.mark.device, pytest.mark.timeout(90)]

JAW = CHANNELS_61.index("JawOpen")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_switchboard_names_addresses_records_and_fetches_a_take_of_a_live_voice(pulse, receiver, tmp_path):
    port, takes = free_port(), tmp_path / "takes"
    command = [
        sys.executable,
        "-m",
        "livelink_bridge",
        "--mic",
        "--control",
        str(port),
        "--record",
        str(takes),
        "--to",
        "osc://127.0.0.1:9",
    ]
    live = subprocess.Popen(command, env=pulse, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert live.stdout is not None
        assert "Ctrl-C ends" in live.stdout.readline()
        board = Switchboard(port)
        board.find()
        board.send("/LiveLinkSubject", "Ada")
        board.send("/ARSessionStart", 1)
        board.send("/ClearAllLiveLinkAddresses", 1)
        board.send("/AddLiveLinkAddress", "127.0.0.1", receiver.sock.getsockname()[1])
        board.send("/LiveLinkStreamStart", 1)
        board.wait_for("ready")
        assert receiver.first.wait(30), "no packet came"
        board.send("/RecordStart", "Harbour", 7)
        ((_, begun),) = board.next(1)
        subprocess.run(
            ["paplay", str(files("livelink_bridge").joinpath("demo", "sentence.flac"))],
            env=pulse,
            check=True,
            timeout=40,
        )
        board.send("/RecordStop", 1)
        ((_, _, paths),) = board.next(1)
        (tmp_path / "got.csv").write_bytes(fetched(board, paths[0])[4:])
        sound, rate = soundfile.read(io.BytesIO(fetched(board, paths[1])[4:]))
        board.send("/ARSessionStop", 1)
        board.wait_for("closed")
        board.close()
    finally:
        live.send_signal(signal.SIGINT)
        output, _ = live.communicate(timeout=30)
    assert live.returncode == 130, output
    take = read_take(tmp_path / "got.csv")
    assert {packet.subject for _, packet in receiver.arrived} == {"Ada"}
    assert re.search(r"Harbour_7_Ada\.csv$", paths[0])
    assert (tmp_path / "got.csv").read_text().splitlines()[1].startswith(f"{begun},")
    assert take.values[:, JAW].max() > 0.2
    assert np.abs(sound).max() > 0.02
    assert len(sound) / rate == pytest.approx(take.times_s[-1] - take.times_s[0], abs=0.5)
    assert [finding for finding in check_take(tmp_path / "got.csv") if finding.level == "error"] == []
