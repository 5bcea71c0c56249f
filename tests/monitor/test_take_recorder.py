"""Takes of what a monitor hears."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.takes.csv import read_take
from livelink_bridge.errors import UsageError
from livelink_bridge.monitor.subjects import ReceivedFrame
from livelink_bridge.monitor.take_recorder import MAX_TAKES, TakesRecorder, Timeline

MORNING_S = 8 * 3600.0


def of_day(at_s: float) -> float:
    return MORNING_S + at_s


def pose(
    at_s: float, timecode_s: float | None = None, jaw: float = 0.5, subject: str = "Ada", sender: str = "a:1"
) -> ReceivedFrame:
    values = np.zeros(61, np.float32)
    values[17] = jaw
    return ReceivedFrame(subject, sender, values, at_s, timecode_s)


def recorded(to: Path, poses: list[ReceivedFrame]) -> TakesRecorder:
    takes = TakesRecorder(to, of_day)
    for each in poses:
        takes.add(each)
    takes.close()
    return takes


def test_a_named_file_gets_the_first_subject_at_its_packets_timecode(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    jitter = rng.uniform(0, 0.012, 60)
    heard = [pose(n / 60 + jitter[n], 3600 + n / 60, jaw=n / 100) for n in range(60)]
    takes = recorded(tmp_path / "deeper" / "face.csv", [*heard, pose(2.0, 9.0, subject="Bob", sender="b:1")])
    take = read_take(tmp_path / "deeper" / "face.csv")
    np.testing.assert_allclose(take.times_s, 3600 + np.arange(60) / 60, atol=1e-3)
    np.testing.assert_allclose(take.values[:, 17], np.arange(60) / 100, atol=1e-6)
    assert takes.left_out == 1, "a file holds one subject"


def test_without_a_timecode_rows_are_at_the_time_of_arrival(tmp_path: Path) -> None:
    recorded(tmp_path / "face.csv", [pose(10 + n / 30, jaw=n / 100) for n in range(30)])
    take = read_take(tmp_path / "face.csv")
    assert take.times_s[0] == pytest.approx(MORNING_S + 10, abs=1e-3)
    assert len(take.values) == 59, "30 poses a second, each written twice but the last"


def test_a_pause_is_not_filled_with_minutes_of_equal_rows(tmp_path: Path) -> None:
    recorded(tmp_path / "face.csv", [pose(n / 60) for n in range(40)] + [pose(600 + n / 60) for n in range(40)])
    assert len(read_take(tmp_path / "face.csv").values) == 80


def test_a_folder_gets_a_take_for_each_subject(tmp_path: Path) -> None:
    recorded(tmp_path, [pose(n / 60, n / 60, subject=name, sender=name) for n in range(60) for name in ("Ada", "Bob")])
    takes = sorted(tmp_path.rglob("*.csv"))
    assert (
        len([take for take in takes if "Ada" in take.name]) == 1
        and len([take for take in takes if "Bob" in take.name]) == 1
    )
    for path in takes:
        if "frame_log" not in path.name:
            assert read_take(path).values[:, 17].max() == pytest.approx(0.5)


def test_what_is_not_finite_is_left_out_and_so_are_too_many_subjects(tmp_path: Path) -> None:
    takes = TakesRecorder(tmp_path, of_day)
    takes.add(pose(0.0, jaw=float("nan")))
    assert takes.left_out == 1
    for n in range(MAX_TAKES + 2):
        takes.add(pose(0.0, 0.0, subject=f"Face{n}"))
    takes.close()
    assert takes.left_out == 3


def test_a_take_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "face.csv").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        TakesRecorder(tmp_path / "face.csv", of_day)


def seconds(timeline: Timeline, heard: ReceivedFrame) -> float:
    stamp = timeline.stamp(heard)
    assert stamp.rate == Fraction(60) and 0 <= stamp.subframe < 1
    return (stamp.frame + stamp.subframe) / 60


@pytest.mark.parametrize("astray", [[100.0, 99.5, 99.6], [100.0, 105.0, 105.1], [100.0, 100.1, None]])
def test_a_timecode_that_leaps_or_goes_back_is_believed_no_longer(astray: list[float | None]) -> None:
    timeline = Timeline(of_day)
    shown = [seconds(timeline, pose(n / 10, told)) for n, told in enumerate(astray)]
    assert shown == pytest.approx([100.0, 100.1, 100.2])


def test_stamps_never_go_back() -> None:
    timeline = Timeline(of_day)
    told = [
        seconds(timeline, pose(at_s, code)) for at_s, code in [(0.0, 10.0), (0.1, 10.2), (0.15, 10.1), (0.16, 10.3)]
    ]
    assert told == sorted(told)
