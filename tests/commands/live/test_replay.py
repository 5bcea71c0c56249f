"""`replay` from outside: files in, packets out, one line for every mistake."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import index_of
from arkit_mapping.takes.csv import read_take
from livelink_bridge import cli
from livelink_bridge.cli import run
from livelink_bridge.commands.live import replay as command
from livelink_bridge.commands.options import with_settings
from livelink_bridge.reporting.metrics import Metrics, Summary
from livelink_bridge.testing.takes import START, app_folder, app_take, face
from livelink_bridge.wire.livelink import decode

pytestmark = pytest.mark.usefixtures("nothing_left_running", "shared_clock")
JAW = index_of("JawOpen")


@pytest.fixture(autouse=True)
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(cli.VERBS, "replay", with_settings("replay", command.replay))


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(5)
        yield bound


def received(receiver: socket.socket) -> list:
    receiver.setblocking(False)
    packets = []
    try:
        while True:
            packets.append(decode(receiver.recv(2000)))
    except BlockingIOError:
        return packets


def to(receiver: socket.socket) -> list[str]:
    return ["--to", f"livelink://127.0.0.1:{receiver.getsockname()[1]}", "--no-audio"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """What would be played, instead of playing it."""
    plays: list = []

    def note(play, sound, outputs, **options):
        plays.append((play, sound, options["sound_from_s"]))
        return Summary.of_take("", 0, Metrics(), 0)

    monkeypatch.setattr("livelink_bridge.session.modes.replay.run_replay", note)
    return plays


def test_a_folder_of_the_apps_goes_over_the_wire_with_its_own_timecode(tmp_path, receiver, capsys):
    home = app_folder(tmp_path, face(30))
    code = run(["replay", str(home), *to(receiver), "--subject", "Anna", "--original-timecode"])
    assert code == 0, capsys.readouterr().err
    packets = received(receiver)
    shown = [packet for packet in packets if packet.values[JAW] > 0.5][:20]
    assert {packet.subject for packet in packets} == {"Anna"}
    take = read_take(home / "MySlate_167_iPhone_cal.csv")
    assert len(shown) > 10
    for packet in shown:
        at_s = (packet.frame + packet.subframe) / 60
        assert packet.values[JAW] == pytest.approx(np.interp(at_s, take.times_s, take.values[:, JAW]), abs=2e-3)
    assert not packets[-1].values.any()
    assert "frames for 0.5 s of the take; " in capsys.readouterr().out


def test_a_take_that_counts_24_a_second_is_played_in_its_own_time_and_said(tmp_path, asked, capsys):
    app_take(tmp_path / "S_1_Anna.csv", face(96), first=0.0, step=1.0)
    lines = (tmp_path / "S_1_Anna.csv").read_text().splitlines()
    rows = [f"10:00:{at // 24:02}:{at % 24:02}," + line.split(",", 1)[1] for at, line in enumerate(lines[1:])]
    (tmp_path / "S_1_Anna.csv").write_text("\n".join([lines[0], *rows]))
    assert run(["replay", str(tmp_path), "--start", "10:00:01:12"]) == 0
    assert run(["replay", str(tmp_path), "--rate", "23.976"]) == 0
    (shown, _, from_s), (slow, _, _) = asked
    assert from_s == pytest.approx(1.5) and shown.take.times_s[-1] == pytest.approx(36000 + 95 / 24)
    assert slow.take.times_s[-1] == pytest.approx(36000 + 95 * 1.001 / 24)
    assert capsys.readouterr().err.count("FF of its timecode counts 24 a second") == 1


def test_the_sound_beside_a_take_is_played_from_the_same_moment(tmp_path, asked):
    app_take(tmp_path / "S_1_Anna.csv", face(120), first=0.0, step=1.0)
    soundfile.write(tmp_path / "S_1_Anna.wav", np.zeros(100), 8000)
    assert run(["replay", str(tmp_path / "S_1_Anna.csv"), "--start", "0.5", "--end", "19:55:17:30"]) == 0
    assert run(["replay", str(tmp_path), "--no-audio", "--speed", "2", "--loop"]) == 0
    (first, sound, from_s), (second, silent, _) = asked
    assert (first.start_s, len(first.take.times_s), sound) == (
        pytest.approx(START + 0.5),
        61,
        tmp_path / "S_1_Anna.wav",
    )
    assert from_s == pytest.approx(0.5)
    assert (second.speed, second.loop, silent) == (2.0, True, None)


WRONG_ON_SIGHT = [
    (["--start", "soon"], "got moment 'soon', expected seconds from the take's first row"),
    (["--start", "1", "--end", "0.5"], "expected the start to be before the end"),
    (["--speed", "0"], "got speed 0, expected 0.1 to 10"),
    (["--loop", "--original-timecode"], "expected one of them"),
    (["--to", "pigeon://roof:1"], "pigeon"),
]


@pytest.mark.parametrize(("options", "reason"), WRONG_ON_SIGHT)
def test_what_is_a_usage_error_is_one_line_and_code_2(tmp_path, options, reason, capsys):
    app_take(tmp_path / "t.csv", face(60))
    assert run(["replay", str(tmp_path / "t.csv"), "--no-audio", *options]) == 2
    err = capsys.readouterr().err
    assert reason in err and err.count("\n") == 1


def empty_cell(path) -> None:
    app_take(path, face(10))
    lines = path.read_text().splitlines()
    lines[4] = lines[4].rsplit(",", 1)[0] + ","
    path.write_text("\n".join(lines))


def test_a_runtime_error_is_one_line_and_code_1(tmp_path, capsys):
    (tmp_path / "two").mkdir()
    app_take(tmp_path / "two" / "A_1_x.csv", face(3))
    app_take(tmp_path / "two" / "A_2_x.csv", face(3))
    empty_cell(tmp_path / "cell.csv")
    app_take(tmp_path / "rows.csv", face(0))
    app_take(tmp_path / "t.csv", face(60))
    for arguments, reason in [
        (["none.csv"], "no such file or folder"),
        (["two"], "holds 2 takes (A_1_x.csv, A_2_x.csv), expected one"),
        (["cell.csv"], "line 5, column"),
        (["rows.csv"], "has no rows"),
        (["t.csv", "--start", "9"], "expected a part of the take"),
    ]:
        assert run(["replay", str(tmp_path / arguments[0]), "--no-audio", *arguments[1:]]) == 1
        err = capsys.readouterr().err
        assert reason in err and err.count("\n") == 1, err
