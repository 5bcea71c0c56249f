import errno
from contextlib import closing
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from arkit_mapping.takes import read_take
from livelink_bridge.errors import SinkError
from livelink_bridge.sinks.base import Stamp
from livelink_bridge.sinks.take import TakeSink


def send(sink: TakeSink, frames: list[int], rate: int = 60) -> None:
    for number, frame in enumerate(frames):
        sink.send(np.full(61, number / 100, np.float32), Stamp(frame, 0.0, Fraction(rate)))


def test_takes_are_numbered_and_never_overwritten(tmp_path):
    (tmp_path / "Talker_7.csv").write_text("mine")
    (tmp_path / "Talker_old.csv").write_text("mine too")
    paths = []
    for _ in range(2):
        sink = TakeSink(f"take:{tmp_path}", subject="Talker")
        send(sink, list(range(40)))
        sink.close()
        paths.append(sink.path.name)
    assert paths == ["Talker_8.csv", "Talker_9.csv"]
    assert (tmp_path / "Talker_7.csv").read_text() == "mine"


def test_two_open_takes_do_not_share_a_file(tmp_path):
    with closing(TakeSink(f"take:{tmp_path}", subject="A")) as one, closing(TakeSink(f"take:{tmp_path}", subject="A")) as other:
        assert one.path != other.path


def test_a_take_starts_at_zero_and_keeps_the_time_of_poses_left_out(tmp_path):
    sink = TakeSink(f"take:{tmp_path}", subject="Talker")
    send(sink, [1000, 1001, 1004, *range(1005, 1050)])
    sink.close()
    take = read_take(sink.path)
    np.testing.assert_allclose(take.times_s, np.arange(50) / 60, atol=1e-4)
    np.testing.assert_allclose(take.values[:6, 0], [0, 0.01, 0.02, 0.02, 0.02, 0.03], atol=1e-6)


def test_at_30_fps_a_take_still_has_60_rows_a_second(tmp_path):
    sink = TakeSink(f"take:{tmp_path}", subject="Talker")
    send(sink, list(range(30)), rate=30)
    sink.close()
    assert len(read_take(sink.path).times_s) == 59


def test_a_take_nobody_sent_to_leaves_no_file(tmp_path):
    sink = TakeSink(f"take:{tmp_path}", subject="Talker")
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing_that_looks_like_a_take(tmp_path, monkeypatch):
    def full(_text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    sink = TakeSink(f"take:{tmp_path}", subject="Talker")
    send(sink, [0])
    monkeypatch.setattr(sink._writer, "_file", SimpleNamespace(write=full, close=sink._writer._file.close))
    with pytest.raises(SinkError, match="cannot be written: No space left on device"):
        send(sink, [1])
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_a_subjects_name_becomes_a_file_name(tmp_path):
    with closing(TakeSink(f"take:{tmp_path}/new/folder", subject="../Jörg: 1")) as sink:
        assert sink.path == tmp_path / "new" / "folder" / "Jörg-1_1.csv"


def test_a_place_that_cannot_be_written_to_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written there"):
        TakeSink(f"take:{tmp_path / 'file'}", subject="Talker")


def test_a_take_does_not_grow_by_the_hours_a_machine_slept(tmp_path):
    sink = TakeSink(f"take:{tmp_path}", subject="Talker")
    send(sink, [*range(40), *range(40 + 8 * 3600 * 60, 60 + 8 * 3600 * 60)])
    sink.close()
    assert len(read_take(sink.path).times_s) == 60
