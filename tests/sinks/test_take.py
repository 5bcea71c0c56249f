"""`take:FOLDER`: everything that is sent becomes one take, in the app's own folders."""

import json
from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest

from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.sinks.take import TakeSink
from livelink_bridge.timing.stamp import Stamp


def send(sink: TakeSink, frames: list[float], rate: int = 60) -> None:
    for number, frame in enumerate(frames):
        whole = int(frame)
        sink.send(
            np.full(61, number / 100, np.float32), Stamp(whole, frame - whole, Fraction(rate), frame / rate % 86400)
        )


def recorded(tmp_path, frames: list[float], rate: int = 60) -> TakeSink:
    sink = TakeSink(f"take:{tmp_path}", subject="Talker")
    send(sink, frames, rate)
    sink.close()
    return sink


def test_a_take_lies_where_the_app_would_put_it(tmp_path):
    sink = recorded(tmp_path, list(range(60)))
    folder = sink.path.parent
    date, slate, number = folder.name.split("_")
    assert (len(date), slate, number) == (8, "Talker", "1")
    assert sorted(path.name for path in folder.iterdir()) == ["Talker_1_Talker.csv", "take.json"]
    content = json.loads((folder / "take.json").read_text())
    assert (content["frames"], content["complete"], content["identifier"]) == (60, True, folder.name)
    assert [finding for finding in check_take(sink.path) if finding.level != "note"] == []


def test_takes_are_numbered_and_never_overwritten(tmp_path):
    (tmp_path / "20200101_Talker_7").mkdir()
    (tmp_path / "20200101_Talkers_70").mkdir()
    assert [recorded(tmp_path, [0]).path.name for _ in range(2)] == ["Talker_8_Talker.csv", "Talker_9_Talker.csv"]


def test_two_open_takes_do_not_share_a_folder(tmp_path):
    with (
        closing(TakeSink(f"take:{tmp_path}", subject="A")) as one,
        closing(TakeSink(f"take:{tmp_path}", subject="A")) as other,
    ):
        assert one.path != other.path


def test_the_slate_may_be_chosen_in_the_uri(tmp_path):
    with closing(TakeSink(f"take:{tmp_path}?slate=Scene%204_b", subject="Ada")) as sink:
        assert sink.path.name == "Scene-4-b_1_Ada.csv"


@pytest.mark.parametrize("uri", ["take:", "take:takes?sleight=A", "take:?slate=A"])
def test_a_malformed_uri_is_a_usage_error(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="expected take:FOLDER"):
        TakeSink(uri, subject="Talker")
    assert list(tmp_path.iterdir()) == []


def test_every_pose_stands_at_its_own_timecode_and_one_left_out_is_filled_in(tmp_path):
    sink = recorded(tmp_path, [1000.25, 1001.25, 1004.25, *(frame + 0.25 for frame in range(1005, 1050))])
    take = read_take(sink.path)
    np.testing.assert_allclose(take.times_s, (1000.25 + np.arange(50)) / 60, atol=1e-5)
    np.testing.assert_allclose(take.values[:6, 0], [0, 0.01, 0.01 + 0.01 / 3, 0.01 + 0.02 / 3, 0.02, 0.03], atol=1e-6)


@pytest.mark.parametrize("rate", [1, 7, 15, 24, 25, 30, 48, 50])
def test_at_every_rate_importers_that_guess_see_sixtieths(tmp_path, rate):
    sink = recorded(tmp_path, [frame + 0.5 for frame in range(2 * rate + 1)], rate)
    rows = read_take(sink.path)
    steps = np.diff(rows.times_s) * 60
    assert steps.min() > 0.74 and steps.max() < 1.51
    own = np.searchsorted(rows.times_s, (np.arange(2 * rate + 1) + 0.5) / rate - 1e-4)
    np.testing.assert_allclose(rows.times_s[own], (np.arange(2 * rate + 1) + 0.5) / rate, atol=1e-5)
    np.testing.assert_allclose(rows.values[own, 7], np.arange(2 * rate + 1) / 100, atol=1e-6)
    assert [finding for finding in check_take(sink.path) if finding.level != "note"] == []


def test_a_take_without_frames_leaves_nothing(tmp_path):
    TakeSink(f"take:{tmp_path}", subject="Talker").close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        SinkError, match="cannot be written there: Not a directory|cannot be written there: File exists"
    ):
        TakeSink(f"take:{tmp_path / 'file'}", subject="Talker")


def test_hours_in_which_a_machine_slept_are_a_gap(tmp_path):
    sink = recorded(tmp_path, [*range(40), *range(40 + 8 * 3600 * 60, 60 + 8 * 3600 * 60)])
    times_s = read_take(sink.path).times_s
    assert len(times_s) == 60
    assert times_s[40] - times_s[39] == pytest.approx(8 * 3600 + 1 / 60, abs=1e-4)
