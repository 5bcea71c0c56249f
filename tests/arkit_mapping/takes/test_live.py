"""A take that is written while it happens: whole rows whatever the disk does."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cases import case

from arkit_mapping.takes.csv import read_take, write_take
from arkit_mapping.takes.edit import gaps
from arkit_mapping.takes.live import LiveTake
from arkit_mapping.takes.rows import HEADER, TakeError


def test_rows_that_come_sixty_times_a_second_are_those_of_a_take_made_in_one_go(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((90, 61)).astype(np.float32)
    take = LiveTake(tmp_path / "live.csv")
    for number, pose in enumerate(values):
        take.append(1000 * number, pose)
    take.close()
    write_take(tmp_path / "made.csv", values)
    assert (tmp_path / "live.csv").read_bytes() == (tmp_path / "made.csv").read_bytes()


def test_a_short_take_is_padded_until_an_ff_is_over_30(tmp_path: Path) -> None:
    for rows in [1, 2, 36, 37]:
        for start in [0, 5_000, 29_999, 30_001, 59_999, 86400 * 60000 - 10_000]:
            with case(start, rows):
                path = tmp_path / f"{rows}_{start}.csv"
                take = LiveTake(path)
                for number in range(rows):
                    take.append(start + 750 * number, np.ones(61))
                take.close()
                codes = [line.split(",")[0] for line in path.read_text().splitlines()[1:]]
                assert max(float(code.split(":")[3]) for code in codes) > 30
                assert take.rows == len(codes) == len(set(codes)) >= 37


def test_after_every_flush_the_file_is_a_take(tmp_path: Path) -> None:
    take = LiveTake(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == HEADER + "\n"
    for number in range(5):
        take.append(1000 * number, np.zeros(61))
        take.flush()
        assert len(read_take(tmp_path / "t.csv").values) == number + 1
    take.close()


@pytest.mark.parametrize("fps", [23.976, 24, 25, 30, 40, 50])
def test_a_rate_whose_poses_wander_by_a_hundredth_is_filled_in_evenly(tmp_path: Path, fps: float) -> None:
    """A live session follows its microphone's clock, and may bend its beat by a hundredth."""
    take = LiveTake(tmp_path / "t.csv")
    for number, off in zip(range(200), [-8, 8, 0, 5, -3] * 40, strict=True):
        take.append(round(number * 60_000 / fps) + off, np.zeros(61))
    take.close()
    read = read_take(tmp_path / "t.csv")
    assert np.diff(read.times_s).max() < 1.1 * np.diff(read.times_s).min()
    assert gaps(read) == []


def test_a_pose_that_is_not_later_is_left_out(tmp_path: Path) -> None:
    take = LiveTake(tmp_path / "t.csv")
    for moment in (1000, 1000, 500, 2000):
        take.append(moment, np.zeros(61))
    take.flush()
    assert take.rows == 2
    take.close()


def test_a_file_that_is_there_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(TakeError, match="cannot be written: File exists"):
        LiveTake(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "mine"


def test_a_pose_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    take = LiveTake(tmp_path / "t.csv")
    with pytest.raises(TakeError, match="not finite"):
        take.append(0, np.full(61, np.nan))
    take.close()


def filling_up(take: LiveTake, room: int) -> None:
    """Let the disk take `room` bytes more."""
    file, left = take._file, [room]

    def write(data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = file.write(data[: left[0]])
        left[0] -= count
        return count

    take._file = SimpleNamespace(write=write, close=file.close, fileno=file.fileno, closed=False)  # type: ignore[assignment]


@pytest.mark.parametrize("room", [0, 100, 1000, 2000, 5000])
def test_on_a_full_disk_the_rows_that_fit_stay_and_each_is_whole(tmp_path: Path, room: int) -> None:
    take = LiveTake(tmp_path / "t.csv")
    take.append(0, np.zeros(61))
    take.flush()
    filling_up(take, room)
    for number in range(1, 20):
        take.append(1000 * number, np.zeros(61))
    with pytest.raises(TakeError, match="t.csv cannot be written: No space left on device"):
        take.flush()
    rows = len(read_take(tmp_path / "t.csv").values)
    assert rows == take.rows == (os.path.getsize(tmp_path / "t.csv") - len(HEADER) - 1) // len(_line())


def _line() -> str:
    return "00:00:00:00.000,61," + ",".join(["0.0000000000"] * 61) + "\n"
