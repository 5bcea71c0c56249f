"""Takes with their sound, recorded while a session runs: in step, bounded, and readable whatever happens."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from arkit_mapping.take_check import check_take
from arkit_mapping.takes import read_take
from livelink_bridge.channel import Channel
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.frames import AudioBlock, FaceFrame
from livelink_bridge.grid import FixedTiming, Later
from livelink_bridge.listen.utterance import NOTHING, Boundary
from livelink_bridge.metrics import Metrics
from livelink_bridge.poses import Poses
from livelink_bridge.recorder import Recorder
from livelink_bridge.sender import Sender
from livelink_bridge.sinks.base import Stamp
from livelink_bridge.testing import ManualClock
from livelink_bridge.timebase import Timebase
from livelink_bridge.timecode import RATES

ROOT = Path(__file__).parents[1]
SIXTY = Fraction(60)
START = 36000 * 60
"""Frame number of 10:00:00:00."""
COUNTING = 2**22


def stamp(frame: float, start: int = START) -> Stamp:
    whole = int(frame + start)
    return Stamp(whole, frame + start - whole, SIXTY, (frame + start) / 60 % 86400)


def recorder(folder: Path, **options: Any) -> Recorder:
    return Recorder(folder, subject="Ada", now=lambda: datetime(2024, 12, 4, 10).astimezone(), **options)


def counting(count: int, first: int = 0) -> np.ndarray:
    """float32 (count,): sound whose every sample tells its own number, exactly, in 24 bits."""
    return ((first + np.arange(count)) / COUNTING).astype(np.float32)


def numbers(path: Path) -> np.ndarray:
    """The sample numbers in a file of such sound."""
    samples, _ = soundfile.read(path, dtype="float64")
    return samples * 2**23 / (2**23 - 1) * COUNTING


def hear(one: Recorder, samples: np.ndarray, rate: int = 48000, start: int = 0) -> None:
    for at in range(0, len(samples), rate // 100):
        part = samples[at : at + rate // 100]
        one.hear(AudioBlock(part, rate, start + at, (start + at + len(part)) / rate))


@contextmanager
def poses(one: Recorder) -> Iterator[None]:
    """A sender that beats as fast as it is let to."""
    over = threading.Event()

    def beat() -> None:
        frame = 0
        while not over.is_set():
            one.send(np.zeros(61, np.float32), stamp(frame))
            frame += 1
            over.wait(0.001)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def send(one: Recorder, frames: int, first: int = 0) -> None:
    for frame in range(first, first + frames):
        one.send(np.full(61, frame % 100 / 100, np.float32), stamp(frame))


class TestTakes:
    def test_starting_gives_the_first_rows_timecode_and_stopping_the_last(self, tmp_path: Path):
        one = recorder(tmp_path)
        with poses(one):
            begun = one.start("Hall 2", 7)
            assert one.recording
            recorded = one.stop()
        codes = [line.split(",")[0] for line in recorded.csv.read_text().splitlines()[1:]]
        assert begun == codes[0] and recorded.timecode in codes
        assert (recorded.folder.name, recorded.csv.name) == ("20241204_Hall-2_7", "Hall-2_7_Ada.csv")
        assert (recorded.sound, recorded.complete, one.recording) == (None, True, False)
        assert [finding for finding in check_take(recorded.csv) if finding.level != "note"] == []

    def test_takes_of_a_slate_are_numbered_and_those_of_another_anew(self, tmp_path: Path):
        one = recorder(tmp_path, slate="Hall")
        found = []
        for slate in (None, None, "Room", None, "Hall"):
            one.arm(slate)
            send(one, 2)
            found.append(one.stop().folder.name.removeprefix("20241204_"))
        assert found == ["Hall_1", "Hall_2", "Room_1", "Room_2", "Hall_3"]
        assert (one.slate, one.take, one.sent) == ("Hall", 4, 10)
        assert [path.name for path in one.takes] == [f"{name}_Ada.csv" for name in found]

    def test_a_chosen_number_counts_on_from_there_and_never_overwrites(self, tmp_path: Path, caplog):
        one = recorder(tmp_path)
        for _ in range(2):
            one.arm(take=40)
            send(one, 1)
            one.stop()
        assert [path.parent.name for path in one.takes] == ["20241204_Ada_40", "20241204_Ada_41"]
        assert "take 40 of slate Ada is there already; this one is take 41" in caplog.text
        assert one.take == 42

    @pytest.mark.parametrize("number", [0, -1, 1_000_000])
    def test_a_number_that_no_take_can_have_is_refused(self, tmp_path: Path, number: int):
        with pytest.raises(UsageError, match="expected a number from 1 to 999999"):
            recorder(tmp_path).arm(take=number)
        assert list(tmp_path.iterdir()) == []

    def test_starting_twice_is_one_clear_error_and_the_take_goes_on(self, tmp_path: Path):
        one = recorder(tmp_path)
        one.arm()
        with pytest.raises(SinkError, match="take 20241204_Ada_1 is being recorded already; stop it"):
            one.start()
        send(one, 3)
        assert one.stop().folder.name == "20241204_Ada_1"

    def test_stopping_without_a_take_is_one_clear_error(self, tmp_path: Path):
        with pytest.raises(SinkError, match="nothing is being recorded"):
            recorder(tmp_path).stop()

    def test_without_poses_nothing_is_recorded_and_it_says_so(self, tmp_path: Path):
        one = recorder(tmp_path, first_pose_s=0.01)
        with pytest.raises(SinkError, match="no pose came within 0.01 s"):
            one.start()
        assert (list(tmp_path.iterdir()), one.recording, one.take) == ([], False, 1)

    def test_a_cancelled_take_leaves_nothing_and_its_number_free(self, tmp_path: Path):
        one = recorder(tmp_path)
        hear(one, counting(48000))
        one.arm()
        send(one, 10)
        one.cancel()
        one.cancel()
        assert (list(tmp_path.iterdir()), one.take, one.takes) == ([], 1, ())

    def test_between_takes_it_is_idle(self, tmp_path: Path):
        one = recorder(tmp_path / "none")
        hear(one, counting(4800))
        send(one, 5)
        one.close()
        one.close()
        assert (list(tmp_path.iterdir()), one.sent, one.errors) == ([], 0, 0)

    def test_closing_ends_a_take(self, tmp_path: Path):
        one = recorder(tmp_path)
        one.arm()
        send(one, 60)
        one.close()
        one.close()
        assert len(read_take(one.takes[0]).values) == 60

    def test_a_take_ends_by_itself_after_a_day(self, tmp_path: Path):
        one = recorder(tmp_path)
        one.arm()
        for frame in (0, 86400 * 30, 86400 * 60 - 1, 86400 * 60, 86400 * 60 + 1):
            one.send(np.zeros(61, np.float32), stamp(frame))
        recorded = one.stop()
        times = read_take(recorded.csv).times_s
        assert recorded.complete and times[2] - times[0] == pytest.approx(86400 - 1 / 60, abs=1e-4)

    def test_take_json_says_from_the_start_that_the_take_is_not_complete(self, tmp_path: Path):
        one = recorder(tmp_path)
        one.arm()
        path = tmp_path / "20241204_Ada_1" / "take.json"
        assert json.loads(path.read_text())["complete"] is False
        send(one, 50)
        one.stop()
        content = json.loads(path.read_text())
        assert (content["complete"], content["frames"], content["timecode"]) == (True, 50, "10:00:00:00.000")


class TestSound:
    def record(self, folder: Path, shown_s: list[float | None], frames: list[float] | None = None, **heard: Any) -> Path:
        """A take whose pose i is of sound time shown_s[i], of one block of counting sound."""
        one = recorder(folder)
        hear(one, **({"samples": counting(10 * 48000)} | heard))
        now = iter(shown_s)
        one.follow(lambda: next(now))
        one.arm()
        for frame in frames or range(len(shown_s)):
            one.send(np.zeros(61, np.float32), stamp(frame))
        sound = one.stop().sound
        assert sound is not None
        return sound

    def test_the_first_sample_is_the_sound_of_the_first_rows_pose(self, tmp_path: Path):
        path = self.record(tmp_path, [2.0 + at / 60 for at in range(61)])
        np.testing.assert_allclose(numbers(path), 96000 + np.arange(48000), atol=0.01)

    def test_the_file_has_the_takes_timecode_and_the_apps_metadata(self, tmp_path: Path):
        path = self.record(tmp_path, [2.0 + at / 60 for at in range(3)])
        raw = path.read_bytes()
        assert raw[48:52] == b"bext"
        assert int.from_bytes(raw[48 + 8 + 338 : 48 + 8 + 346], "little") == 36000 * 48000
        assert raw[48 + 8 + 320 : 48 + 8 + 338] == b"2024-12-0410:00:00"
        assert json.loads((path.parent / "audio_metadata.json").read_text()) == {
            "BitsPerChannel": 24, "SampleRate": 48000, "ChannelsPerFrame": 1, "FormatFlags": 12,
        }  # fmt: skip
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype, info.frames) == (48000, 1, "PCM_24", 1600)

    @pytest.mark.parametrize("parts_per_million", [-300, 50, 300])
    def test_clocks_that_drift_leave_sound_and_rows_in_step(self, tmp_path: Path, parts_per_million: int):
        frames = [at * (1 + parts_per_million * 1e-6) for at in range(480)]
        path = self.record(tmp_path, [1.0 + at / 60 for at in range(480)], frames)
        at = np.round(np.array(frames[1:]) * 800).astype(int) - 1
        np.testing.assert_allclose(numbers(path)[at], 48000 + 800 * np.arange(1, 480) - 1, atol=1.5)
        steps = np.diff(numbers(path))
        assert np.mean(np.abs(steps - 1) < 1e-2) > 1 - abs(parts_per_million) * 1e-6 * 800 * 1.2
        assert steps.min() > 0.49 and steps.max() < 1.51, "24 bits tell halves of a sample number"

    def test_a_beat_that_leaps_leaves_sound_and_rows_in_step(self, tmp_path: Path):
        shown = [1.0 + at / 60 + (at >= 30) / 30 for at in range(60)]
        found = numbers(self.record(tmp_path, shown))
        np.testing.assert_allclose(found[: 29 * 800], 48000 + np.arange(29 * 800), atol=0.01)
        np.testing.assert_allclose(found[30 * 800 :], 48000 + 1600 + np.arange(30 * 800, 59 * 800), atol=0.01)

    def test_before_the_first_sound_and_where_it_was_lost_there_is_silence(self, tmp_path: Path):
        one = recorder(tmp_path)
        hear(one, counting(4800))
        hear(one, counting(4800, 9600), start=9600)
        shown = iter([None] * 30 + [at / 60 for at in range(31)])
        one.follow(lambda: next(shown))
        one.arm()
        send(one, 61)
        found = numbers(one.stop().sound)
        begin = 30 * 800
        assert not found[:begin].any() and not found[begin + 4800 : begin + 9600].any() and not found[begin + 14400 :].any()
        np.testing.assert_allclose(found[begin : begin + 4800], np.arange(4800), atol=0.01)
        np.testing.assert_allclose(found[begin + 9600 : begin + 14400], np.arange(9600, 14400), atol=0.01)

    def test_a_sound_of_several_channels_is_mixed_as_the_network_hears_it(self, tmp_path: Path):
        both = np.stack([counting(48000), np.zeros(48000, np.float32)], axis=1)
        path = self.record(tmp_path, [at / 60 for at in range(31)], samples=both)
        np.testing.assert_allclose(numbers(path), np.arange(24000) / 2, atol=0.6)

    def test_sound_that_was_interrupted_before_it_was_heard_is_not_recorded(self, tmp_path: Path):
        one = recorder(tmp_path)
        hear(one, counting(24000))
        one.hear(Boundary(NOTHING, 60, 15, 0.3, cut=True))
        shown = iter([at / 60 for at in range(31)])
        one.follow(lambda: next(shown))
        one.arm()
        send(one, 31)
        found = numbers(one.stop().sound)
        np.testing.assert_allclose(found[:12000], np.arange(12000), atol=0.01)
        assert not found[12000:].any()

    def test_sound_that_changes_its_rate_goes_on_at_the_files(self, tmp_path: Path):
        one = recorder(tmp_path)
        hear(one, np.full(24000, 0.5, np.float32), 48000)
        shown = iter([at / 60 for at in range(61)])
        one.follow(lambda: next(shown))
        one.arm()
        send(one, 16)
        assert one._recording is not None
        while one._recording._sound is None:  # the file is made for the rate it finds first
            threading.Event().wait(0.005)
        hear(one, np.full(8000, 0.25, np.float32), 16000, start=8000)
        send(one, 45, 16)
        sound, rate = soundfile.read(one.stop().sound)
        assert rate == 48000
        np.testing.assert_allclose(sound[200:23800], 0.5, atol=1e-6)
        np.testing.assert_allclose(sound[24200:47000], 0.25, atol=1e-6)

    def test_hours_in_which_a_machine_slept_cost_no_memory(self, tmp_path: Path):
        path = self.record(tmp_path, [0.0, 1 / 60, None, None], [0, 1, 3600 * 60, 3600 * 60 + 1])
        assert soundfile.info(path).frames == 3600 * 48000 + 800


def test_a_real_sender_shows_each_pose_beside_its_sound(tmp_path: Path):
    clock, channel = ManualClock(100.0, time_of_day_s=36000.0), Channel[FaceFrame](200, "wait")
    for index in range(100):
        channel.put(FaceFrame(np.full(61, index / 1000, np.float32), index))
    channel.close()
    one = recorder(tmp_path)
    hear(one, counting(3 * 48000))
    sender = Sender(Poses(channel), [one], Later(FixedTiming(100.2), 0.05), fps=Fraction(60), clock=clock, stop=threading.Event(),
                    metrics=Metrics(), timebase=Timebase(clock, RATES["60"]))  # fmt: skip

    def shown_s() -> float | None:
        zero_s = sender.grid.shown_zero_s
        return None if zero_s is None else clock.now() - zero_s

    one.follow(shown_s)
    one.arm()
    sender.run()
    recorded = one.stop()
    take = read_take(recorded.csv)
    pose = np.round(1000 * take.values[:100, 0]).astype(int)
    assert pose[-1] == 99
    at = np.round((take.times_s[:100] - take.times_s[0]) * 48000).astype(int)
    np.testing.assert_allclose(numbers(recorded.sound)[at], 800 * pose, atol=1.5)


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
    def test_a_full_disk_ends_the_take_with_one_line_and_the_session_goes_on(self, tmp_path: Path, caplog, failing: str):
        one = recorder(tmp_path)
        hear(one, counting(480000))
        shown = iter([at / 60 for at in range(1000)])
        one.follow(lambda: next(shown))
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

    def test_a_disk_that_hangs_never_holds_up_the_sender_and_what_is_lost_is_counted(self, tmp_path: Path, caplog, monkeypatch):
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

        monkeypatch.setattr(recording, "_take", SimpleNamespace(append=recording._take.append, flush=hang, close=recording._take.close,
                                                                rows=0))  # fmt: skip
        assert stuck.wait(20)
        send(one, 1000)
        assert one.errors == 1000 - 480
        freed.set()
        recorded = one.stop()
        assert len(read_take(recorded.csv).values) == 480
        assert (one.errors, "the disk is too slow, 520 poses were not written" in caplog.text) == (520, True)

    def test_what_was_recorded_before_a_kill_is_readable(self, tmp_path: Path):
        code = """
import sys, threading
from fractions import Fraction
from pathlib import Path
import numpy as np
from livelink_bridge.frames import AudioBlock
from livelink_bridge.recorder import Recorder
from livelink_bridge.sinks.base import Stamp
one = Recorder(Path(sys.argv[1]), subject="Ada")
one.hear(AudioBlock(np.full(96000, 0.5, np.float32), 48000, 0, 0.0))
now = iter(range(10**9))
one.follow(lambda: next(now) / 60)
one.arm()
for frame in range(10**9):
    one.send(np.full(61, 0.25, np.float32), Stamp(frame, 0.0, Fraction(60), frame / 60))
    if frame == 100:
        while one._recording._sound_file is None or one._recording._sound_file.frames < 100 * 800:
            threading.Event().wait(0.01)
        threading.Event().wait(0.3)
        print("written", flush=True)
    if frame > 100:
        threading.Event().wait(0.002)
"""
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:
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
