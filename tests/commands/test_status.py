"""What a session, a monitor and a demo say on the screen."""

from __future__ import annotations

import io
import logging
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from livelink_bridge.commands.checks.inspection import device_lines
from livelink_bridge.commands.live.demo import picture
from livelink_bridge.console.terminal import PLAIN_EVERY_S, PlainStatus, status_lines
from livelink_bridge.errors import SinkError
from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.monitor.summary_text import lines
from livelink_bridge.reporting.metrics import Status, Summary
from livelink_bridge.reporting.progress_bar import progress_bar
from livelink_bridge.reporting.prometheus import MetricsServer
from livelink_bridge.session.build import summary_line
from livelink_bridge.testing.stand_ins import ManualClock

pytestmark = pytest.mark.usefixtures("shared_clock")


def test_plain_lines_come_every_few_seconds_and_when_the_state_changes(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock()
    show = PlainStatus(clock)
    for state, wait_s in [
        ("live", 0.25),
        ("live", 0.25),
        ("no sound arrives", PLAIN_EVERY_S),
        ("no sound arrives", 0.0),
    ]:
        show({"Ada": Status(state=state)})
        clock.advance(wait_s)
    assert [line.partition(" |")[0] for line in capsys.readouterr().out.splitlines()] == [
        "live",
        "no sound arrives",
        "no sound arrives",
    ]


def test_plain_lines_of_several_performers_begin_with_the_subject(capsys: pytest.CaptureFixture[str]) -> None:
    with status_lines(ManualClock()) as show:
        show({"Ada": Status(state="live"), "Bo": Status(state="no sound arrives")})
    assert [line.partition(" |")[0] for line in capsys.readouterr().out.splitlines()] == [
        "Ada: live",
        "Bo: no sound arrives",
    ]


def test_screen_log_file_and_metrics_are_told_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "session.log"
    with status_lines(ManualClock(), log_file=path, metrics_port=free_port()) as show:
        show({"Ada": Status(state="live", sent=90)})
    assert capsys.readouterr().out.startswith("live | ")
    assert "INFO Ada: live | " in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("reporting.prometheus.MetricsServer.show", "metrics"),
        ("reporting.log_file.LogFile.update", "the log file"),
        ("console.terminal.PlainStatus.__call__", "the status display"),
    ],
)
def test_what_fails_beside_the_face_is_said_once_and_the_others_go_on(
    part: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(f"livelink_bridge.{part}", fail)
    path = tmp_path / "session.log"
    with status_lines(ManualClock(), log_file=path, metrics_port=free_port()) as show:
        for _ in range(3):
            show({"Ada": Status(state="live")})
    assert [record.getMessage() for record in caplog.records] == [
        f"{name} has failed: ValueError: a mistake of ours; going on without it"
    ]
    assert ("live | " in capsys.readouterr().out) == (name != "the status display")
    assert ("INFO Ada: live | " in path.read_text(encoding="utf-8")) == (name != "the log file")


def test_a_log_file_is_closed_where_the_metrics_port_cannot_be_had(tmp_path: Path) -> None:
    path = tmp_path / "session.log"
    with (
        closing(MetricsServer(0)) as taken,
        pytest.raises(SinkError),
        status_lines(ManualClock(), log_file=path, metrics_port=taken.port),
    ):
        pass
    assert path.read_text(encoding="utf-8").rstrip().endswith("INFO end")


def test_a_terminal_gets_the_panel_and_warnings_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    for name in ("stdout", "stderr", "__stderr__"):
        monkeypatch.setattr(sys, name, screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    handler = logging.StreamHandler(screen)
    logging.getLogger().addHandler(handler)
    try:
        with status_lines(ManualClock()) as show:
            show({"Ada": Status(state="live", fps=60.0)})
            drawn = screen.getvalue()
            logging.getLogger("somewhere").warning("the microphone is back")
            after = screen.getvalue()[len(drawn) :]
    finally:
        logging.getLogger().removeHandler(handler)
    assert "Ada" in drawn and "60.0 fps" in drawn
    assert handler.stream is screen
    assert after.index("the microphone is back") < after.rindex("60.0 fps"), "the panel is drawn again below"


class Terminal(io.StringIO):
    """A screen that remembers everything."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_summary_gives_median_and_p99_delay_and_only_the_losses_there_were() -> None:
    summary = Summary(600, 10.0, 71.26, 74.9, 0.41, 0.9, 0, 2, 0, 0, 0, 0, 0, ("takes/Ada_1.csv",))
    said = summary_line(summary)
    assert "600 frames for 10.0 s of audio" in said
    assert "audio to packet median 71.3 ms, p99 74.9 ms (last minute)" in said
    assert "2 dropped" in said and "held" not in said
    assert said.endswith("take takes/Ada_1.csv")


def test_a_summary_without_losses_says_so() -> None:
    assert "nothing lost" in summary_line(Summary(60, 1.0, None, None, None, None, 0, 0, 0, 0, 0, 0, 0))


def test_progress_shows_a_files_name_whatever_is_in_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_bar() as bar:
        bar.show("take [final].wav", 0.5)
    assert "take [final].wav" in capsys.readouterr().err


def test_the_monitor_says_what_unreal_would_ignore() -> None:
    monitor = Monitor()
    monitor.feed(b"\x05" + bytes(299), 0.0)
    said = "\n".join(lines({"port": 11111, "listened_s": 1.0, **monitor.summary()}))
    assert "Unreal would ignore these: 1 x version 5" in said


def test_the_monitor_says_when_nothing_comes() -> None:
    assert list(lines({"port": 11111, "listened_s": 2.0, **Monitor().summary()})) == [
        "nothing yet on UDP port 11111 after 2 s"
    ]


def test_a_picture_shows_the_peaks_of_each_stretch_scaled_to_the_highest() -> None:
    assert picture([0, 0.5, 0, 0, 0.25, 0.25, 0, 0], " .:#@", columns=4) == "@ : "
    assert picture([0.0, 0.0], " .:#@") == "  "
    assert picture([0.1], " @", columns=64) == "@"


def test_a_device_line_holds_what_is_typed_behind_mic() -> None:
    found = [
        {
            "name": "Speakers",
            "hostapi": 0,
            "max_input_channels": 0,
            "max_output_channels": 2,
            "default_samplerate": 48000.0,
        },
        {
            "name": "Yeti",
            "hostapi": 0,
            "max_input_channels": 2,
            "max_output_channels": 0,
            "default_samplerate": 44100.0,
        },
    ]
    said = device_lines(found, [{"name": "ALSA"}], (1, 0))
    assert said[0].split() == [
        "0",
        "output",
        "2",
        "channels",
        "48000",
        "Hz",
        "Speakers,",
        "ALSA",
        "(default",
        "output)",
    ]
    assert said[1].split() == ["1", "input", "2", "channels", "44100", "Hz", "Yeti,", "ALSA", "(default", "input)"]
