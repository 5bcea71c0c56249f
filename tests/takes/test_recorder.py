"""Takes recorded while a session runs: begun, numbered, ended, cancelled."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from recorded import counting, hear, recorder, send, stamp

from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.takes.recorder import Recorder


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
        assert "take 40 of slate Ada exists already; this one is take 41" in caplog.text
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
        with pytest.raises(SinkError, match="no frame within 0.01 s"):
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
