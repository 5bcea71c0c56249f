"""Recording where the disk is full, hangs, or the program is killed: bounded, and what was written is readable."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from recorded import Moments, counting, hear, recorder, send

from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take

ROOT = Path(__file__).parents[2]


def full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


class FullDisk:
    """A file that takes no more."""

    def __init__(self, file: Any) -> None:
        self.seek, self.close, self.fileno, self.closed = file.seek, file.close, file.fileno, False

    def write(self, _data: bytes) -> int:
        raise full()


class TestTroubleWithTheDisk:
    @pytest.mark.parametrize("failing", ["rows", "sound"])
    def test_a_full_disk_ends_the_take_with_one_line_and_the_session_goes_on(
        self, tmp_path: Path, caplog, failing: str
    ):
        one = recorder(tmp_path)
        hear(one, counting(480000))
        one.follow(Moments([at / 60 for at in range(1000)]))
        one.arm()
        recording = one._recording
        assert recording is not None
        send(one, 60)
        while recording._take.rows < 60:
            threading.Event().wait(0.005)
        held = recording._take if failing == "rows" else recording._sound_file
        held._file = FullDisk(held._file)  # type: ignore[assignment, union-attr]
        send(one, 60, 60)
        recording._thread.join(10)
        send(one, 60, 120)
        assert (one.recording, one.errors) == (False, 60)
        recorded = one.stop()
        assert (recorded.complete, len(read_take(recorded.csv).values) >= 60) == (False, True)
        assert soundfile.info(recorded.sound).frames >= 59 * 800
        lines = [record.message for record in caplog.records]
        assert len(lines) == 1 and "cannot be written: No space left on device; recording stops with row" in lines[0]
        one.arm()
        send(one, 1)
        assert one.stop().folder.name == "20241204_Ada_2"

    def test_a_mistake_of_ours_ends_the_take_with_one_line_and_closes_its_files(
        self, tmp_path: Path, caplog, monkeypatch
    ):
        one = recorder(tmp_path)
        one.arm()
        recording = one._recording
        assert recording is not None

        def broken(_moment: object, _weights: object) -> None:
            raise IndexError("off by one")

        monkeypatch.setattr(recording._take, "append", broken)
        send(one, 60)
        recording._thread.join(10)
        assert not one.recording
        recorded = one.stop()
        assert not recorded.complete
        lines = [record.message for record in caplog.records]
        assert len(lines) == 1 and "this is a bug: IndexError: off by one; recording stops with row 0" in lines[0]

    def test_a_disk_that_hangs_never_holds_up_the_sender_and_what_is_lost_is_counted(
        self, tmp_path: Path, caplog, monkeypatch
    ):
        one = recorder(tmp_path)
        one.arm()
        recording = one._recording
        assert recording is not None
        stuck, freed = threading.Event(), threading.Event()
        flush = recording._take.flush

        def hang() -> None:
            stuck.set()
            assert freed.wait(20)
            flush()

        monkeypatch.setattr(
            recording,
            "_take",
            SimpleNamespace(append=recording._take.append, flush=hang, close=recording._take.close, rows=0),
        )
        assert stuck.wait(20)
        send(one, 1000)
        assert one.errors == 1000 - 480
        freed.set()
        recorded = one.stop()
        assert len(read_take(recorded.csv).values) == 480
        assert (one.errors, "the disk is too slow, 520 frames were not written" in caplog.text) == (520, True)

    def test_what_was_recorded_before_a_kill_is_readable(self, tmp_path: Path):
        code = """
import sys, threading
from fractions import Fraction
from pathlib import Path
import numpy as np
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.timing.shown import Shown
one = Recorder(Path(sys.argv[1]), subject="Ada")
one.hear(AudioBlock(np.full(96000, 0.5, np.float32), 48000, 0, 0.0))
shown = Shown()
one.follow(shown)
one.arm()
for frame in range(10**9):
    shown.write(frame / 60, 0.0)
    one.send(np.full(61, 0.25, np.float32), Stamp(frame, 0.0, Fraction(60), frame / 60))
    if frame == 100:
        while one._recording._sound_file is None or one._recording._sound_file.frames < 100 * 800:
            threading.Event().wait(0.01)
        threading.Event().wait(0.3)
        print("written", flush=True)
    if frame > 100:
        threading.Event().wait(0.002)
"""
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as program:
            assert program.stdout is not None and program.stdout.readline() == "written\n"
            program.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            program.wait(20)
        (folder,) = tmp_path.iterdir()
        (csv,) = folder.glob("*.csv")
        take = read_take(csv)
        assert len(take.values) > 100 and (take.values == 0.25).all()
        sound, rate = soundfile.read(csv.with_suffix(".wav"))
        assert rate == 48000 and len(sound) >= 100 * 800
        np.testing.assert_allclose(sound[: 100 * 800], 0.5, atol=1e-6)
        assert [finding.text for finding in check_take(csv) if "cut off" in finding.text]
        assert [finding for finding in check_take(csv) if finding.level != "note"] == []
