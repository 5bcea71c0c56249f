"""What a log file holds."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from livelink_bridge import __version__
from livelink_bridge.errors import SinkError
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.reporting import log_file
from livelink_bridge.reporting.log_file import EVERY_S, FILES, LogFile
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp

LIVE = Status(state="live", fps=60.0, sent=90)
LOST = Status(state="no sound arrives", trouble="no sound arrives")
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (?P<said>.*)")
_log = logging.getLogger("livelink_bridge.somewhere")


@pytest.fixture
def screen() -> Iterator[io.StringIO]:
    """What a handler such as the command line's shows of it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def said(path: Path) -> list[str]:
    """The lines without their times; each must have one."""
    matches = [STAMP.fullmatch(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(matches)
    return [match["said"] for match in matches if match]


def test_a_session_is_logged_from_begin_to_end_and_nothing_of_it_on_the_screen(
    tmp_path: Path, screen: io.StringIO
) -> None:
    path = tmp_path / "logs" / "session.log"
    log = LogFile(path, ManualClock())
    log.update("Ada", LIVE)
    log.close()
    begin, status, end = said(path)
    assert begin.startswith(f"INFO begin: livelink-bridge {__version__}, Python ")
    assert status.startswith("INFO Ada: live | 60.0 fps | ")
    assert end == "INFO end"
    assert screen.getvalue() == ""


def test_states_are_logged_when_they_change_and_otherwise_once_a_minute(tmp_path: Path) -> None:
    clock = ManualClock()
    log = LogFile(tmp_path / "session.log", clock)
    for status, wait_s in [
        (LIVE, EVERY_S / 2),
        (LIVE, EVERY_S / 2),
        (LIVE, 1.0),
        (LOST, 1.0),
        (LOST, 1.0),
        (LIVE, 0.0),
    ]:
        log.update("", status)
        clock.advance(wait_s)
    log.close()
    assert [" ".join(line.split()[:2]) for line in said(tmp_path / "session.log")[1:-1]] == [
        "INFO live",
        "INFO live",
        "WARNING no",
        "INFO live",
    ]


def test_warnings_of_all_modules_are_in_it_each_on_one_line(tmp_path: Path, screen: io.StringIO) -> None:
    log = LogFile(tmp_path / "session.log", ManualClock())
    _log.warning("microphone %r stopped\r\nwas it unplugged?", "Yeti")
    try:
        raise ValueError("broken")
    except ValueError:
        _log.exception("it failed")
    log.close()
    _log.warning("too late")
    warning, error = said(tmp_path / "session.log")[1:-1]
    assert warning == "WARNING microphone 'Yeti' stopped | was it unplugged?"
    assert error.startswith("ERROR it failed | Traceback") and error.endswith("ValueError: broken")
    assert "too late" in screen.getvalue(), "the screen shows warnings as before"


def test_takes_and_marks_are_in_it_and_the_screen_of_the_command_line_stays_quiet(
    tmp_path: Path, screen: io.StringIO
) -> None:
    shown = next(handler for handler in logging.getLogger().handlers if getattr(handler, "stream", None) is screen)
    shown.setLevel(logging.WARNING)  # as the command line's is
    recorder = Recorder(tmp_path / "takes", subject="Ada")
    log = LogFile(tmp_path / "session.log", ManualClock())
    remote = LiveInterface({}, {}, recorder, timecode=lambda: "10:00:03:00")
    recorder.arm("Act2", 3)
    recorder.send(np.zeros(61, np.float32), Stamp(36000 * 60, 0.0, 60.0, 36000.0))
    remote.mark("good")
    recorder.stop()
    recorder.arm()
    recorder.cancel()
    log.close()
    remote.mark("too late")
    mark, ended = said(tmp_path / "session.log")[1:-1]
    assert mark == "INFO remote control: mark 'good' at 10:00:03:00 in take 3 of Act2"
    assert re.fullmatch(r"INFO take \d{8}_Act2_3: 10:00:00:00.000 to [\d:.]+, .*Act2_3_Ada\.csv", ended)
    assert screen.getvalue() == ""


def test_a_second_session_adds_to_the_file(tmp_path: Path) -> None:
    for _ in range(2):
        LogFile(tmp_path / "session.log", ManualClock()).close()
    assert [line.split()[1].rstrip(":") for line in said(tmp_path / "session.log")] == ["begin", "end", "begin", "end"]


def test_old_lines_go_when_the_files_are_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 1000)
    log = LogFile(tmp_path / "session.log", ManualClock())
    for number in range(200):
        _log.warning("event %d", number)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == FILES
    assert all(path.stat().st_size <= 1000 for path in files)
    assert "event 199" in (tmp_path / "session.log").read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "session.log"):
        with pytest.raises(
            SinkError, match=f"log file {re.escape(str(path))} cannot be written: .+; name another file"
        ):
            LogFile(path, ManualClock())


def test_a_file_that_fails_on_the_way_is_given_up_with_one_warning(tmp_path: Path, screen: io.StringIO) -> None:
    log = LogFile(tmp_path / "session.log", ManualClock())
    [handler] = log._events.handlers
    handler.setStream(Full()).close()
    log.update("Ada", LIVE)
    log.update("Ada", LOST)
    log.close()
    assert screen.getvalue().splitlines() == [
        f"log file {tmp_path / 'session.log'} cannot be written any more; continuing without it"
    ]


class Full(io.StringIO):
    """A disk without room."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")
