"""Takes as the phone writes them and as Unreal's importer reads them."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from cases import case

from arkit_mapping import CHANNELS_61, TAKE_COLUMNS
from arkit_mapping.takes.csv import TakeError, TakeWriter, read_take, write_take

HEADER = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,EyeWideLeft,"
    "EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,"
    "JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,MouthSmileRight,MouthFrownLeft,"
    "MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,MouthStretchRight,MouthRollLower,MouthRollUpper,"
    "MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,"
    "MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,"
    "CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,"
    "RightEyeYaw,RightEyePitch,RightEyeRoll"
)


def probe(rows: int = 60) -> np.ndarray:
    """float32 (rows, 61): every value of a row different, every row different."""
    return (np.arange(rows * 61, dtype=np.float32).reshape(rows, 61) / (rows * 61)).astype(np.float32)


def take_file(tmp_path: Path, timecodes: list[str], header: str = HEADER, row: str | None = None) -> Path:
    """A take with the given timecodes; EyeBlinkLeft of row i is i/64 unless `row` gives the cells after the
    timecode."""
    path = tmp_path / "take.csv"
    width = len(header.split(",")) - 3
    lines = [f"{code},{row or ','.join(['61', str(i / 64), *['0.0'] * width])}" for i, code in enumerate(timecodes)]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def unreal_seconds(path: Path) -> list[float]:
    """Key times as the importer of Unreal 5.4 makes them: 60 fps if any FF is over 30, otherwise 30."""
    codes = [row["Timecode"].split(":") for row in csv.DictReader(open_text(path))]
    rate = 60 if any(float(code[3]) > 30 for code in codes) else 30
    return [int(h) * 3600 + int(m) * 60 + int(s) + float(f) / rate for h, m, s, f in codes]


def open_text(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_take_is_written_byte_for_byte_as_the_app_writes_it(tmp_path: Path) -> None:
    values = np.zeros((40, 61), np.float32)
    values[1, CHANNELS_61.index("JawRight")] = 0.25
    values[1, CHANNELS_61.index("HeadYaw")] = -0.5
    values[1, CHANNELS_61.index("MouthClose")] = -0.0
    write_take(tmp_path / "t.csv", values, start_s=19 * 3600 + 55 * 60 + 16.5)
    raw = (tmp_path / "t.csv").read_bytes()
    lines = raw.split(b"\n")
    assert lines[0].decode() == HEADER
    assert lines[1].decode() == "19:55:16:30.000,61," + ",".join(["0.0000000000"] * 61)
    cells = ["0.0000000000"] * 61
    cells[15], cells[52] = "0.2500000000", "-0.5000000000"
    assert lines[2].decode() == "19:55:16:31.000,61," + ",".join(cells)
    assert (lines[31][:15], lines[40][:15]) == (b"19:55:17:00.000", b"19:55:17:09.000")
    assert (len(lines), lines[-1], b"\r" in raw) == (42, b"", False)


def test_a_written_take_is_read_back_the_same(tmp_path: Path) -> None:
    write_take(tmp_path / "t.csv", probe(100), start_s=3.25)
    take = read_take(tmp_path / "t.csv")
    np.testing.assert_allclose(take.values, probe(100), atol=1e-7)
    np.testing.assert_allclose(take.times_s, 3.25 + np.arange(100) / 60, atol=2e-5)
    assert (take.values.dtype, take.times_s.dtype, take.rate) == (np.float32, np.float64, 60)


def test_each_channel_stands_under_its_own_name(tmp_path: Path) -> None:
    write_take(tmp_path / "t.csv", probe())
    row = list(csv.DictReader(open_text(tmp_path / "t.csv")))[7]
    assert {name: np.float32(row[name]) for name in TAKE_COLUMNS} == pytest.approx(
        dict(zip(CHANNELS_61, probe()[7], strict=True)), abs=1e-7
    )


def test_importers_that_guess_the_rate_see_60_fps_however_short_the_take(tmp_path: Path) -> None:
    for start_s in [0.0, 0.49, 10.5, 21.983, 59.99]:
        for rows in [0, 1, 30, 36, 37, 90]:
            with case(rows, start_s):
                write_take(tmp_path / "t.csv", probe(rows), start_s=start_s)
                seconds = unreal_seconds(tmp_path / "t.csv")
                assert len(seconds) == max(rows, 37)
                np.testing.assert_allclose(np.diff(seconds), 1 / 60, atol=1e-4)
                np.testing.assert_allclose(read_take(tmp_path / "t.csv").values[rows:], 0)


def test_timecode_does_not_drift_over_hours(tmp_path: Path) -> None:
    with TakeWriter(tmp_path / "t.csv") as take:
        take.rows = 5 * 3600 * 60 - 1
        take.append(np.zeros((2, 61)))
    assert [line[:15] for line in open_text(tmp_path / "t.csv")[1:]] == ["04:59:59:59.000", "05:00:00:00.000"]


def test_a_take_written_over_midnight_is_read_as_rising(tmp_path: Path) -> None:
    write_take(tmp_path / "t.csv", probe(120), start_s=86399.0)
    assert open_text(tmp_path / "t.csv")[61].startswith("00:00:00:00.000")
    times = read_take(tmp_path / "t.csv").times_s
    assert (times[0], times[-1]) == (86399.0, pytest.approx(86399 + 119 / 60))
    assert (np.diff(times) > 0).all()


@pytest.mark.parametrize("spelling", ["BlendShapeCount", "BlendshapeCount", "blendshapecount"])
def test_every_spelling_of_the_header_is_read(tmp_path: Path, spelling: str) -> None:
    path = take_file(tmp_path, ["19:55:16:26.689", "19:55:16:27.691"], HEADER.replace("BlendShapeCount", spelling))
    take = read_take(path)
    np.testing.assert_allclose(take.times_s, [71716 + 26.689 / 60, 71716 + 27.691 / 60], atol=1e-9)
    assert take.values[1, 0] == 1 / 64


def test_columns_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    write_take(tmp_path / "t.csv", probe())
    rows = [line.split(",") for line in open_text(tmp_path / "t.csv")]
    shuffled = [0, 1, *np.random.default_rng(0).permutation(np.arange(2, 63)).tolist()]
    (tmp_path / "s.csv").write_text(
        "\r\n".join(",".join(row[at] for at in shuffled) for row in rows), encoding="utf-8-sig"
    )
    np.testing.assert_allclose(read_take(tmp_path / "s.csv").values, probe(), atol=1e-7)


def test_missing_rows_stay_gaps_in_time(tmp_path: Path) -> None:
    take = read_take(take_file(tmp_path, ["00:00:00:10.000", "00:00:00:11.000", "00:00:00:15.000", "00:00:00:16.000"]))
    np.testing.assert_allclose(np.diff(take.times_s) * 60, [1, 4, 1])
    assert take.rate == 60


def test_a_30_fps_take_that_counts_in_sixtieths_is_a_30_fps_take(tmp_path: Path) -> None:
    take = read_take(take_file(tmp_path, [f"10:00:{i // 30:02}:{i % 30 * 2:06.3f}" for i in range(90)]))
    np.testing.assert_allclose(np.diff(take.times_s), 1 / 30)
    assert take.rate == 30


def test_a_30_fps_take_that_counts_in_thirtieths_is_told_apart(tmp_path: Path) -> None:
    take = read_take(take_file(tmp_path, [f"10:00:{i // 30:02}:{i % 30:06.3f}" for i in range(90)]))
    np.testing.assert_allclose(np.diff(take.times_s), 1 / 30)


def test_of_two_rows_with_one_timecode_the_later_counts(tmp_path: Path) -> None:
    take = read_take(take_file(tmp_path, ["00:00:00:10.000", "00:00:00:10.000", "00:00:00:11.000"]))
    assert take.values[:, 0].tolist() == [1 / 64, 2 / 64]


def test_a_take_without_the_nine_angles_looks_straight_ahead(tmp_path: Path) -> None:
    take = read_take(take_file(tmp_path, ["00:00:00:10.000"], HEADER[: HEADER.index(",HeadYaw")]))
    assert (take.values.shape, take.values[0, 52:].any()) == ((1, 61), np.False_)


CELLS = ",".join(["0.0"] * 61)
UNREADABLE = {
    "another header": (dict(header=HEADER.replace("BlendShapeCount", "FrameRate")), "line 1: got 'Timecode,FrameRate"),
    "a misspelt channel": (dict(header=HEADER.replace("JawOpen", "JawOpn")), "no column JawOpen, did you mean JawOpn?"),
    "a row too short": (dict(row="61,0.0"), "line 2: got 3 cells, expected 63"),
    "an empty cell": (dict(row="61," + CELLS.replace("0.0", "", 1)), "line 2, column 3: got '', expected a number"),
    "a word": (dict(row="61," + CELLS.replace("0.0", "x", 1)), "line 2, column 3: got 'x'"),
    "NaN": (dict(row="61," + CELLS.replace("0.0", "nan", 1)), "line 2: a value is not finite"),
    "a bad timecode": (dict(timecodes=["00:00:00:10.000", "00:00:10"]), "line 3: got timecode '00:00:10'"),
    "60 frames in a second": (dict(timecodes=["00:00:00:60.000"]), "FF below 60"),
    "25 hours": (dict(timecodes=["25:00:00:00.000"]), "line 2: got timecode"),
    "a timecode that goes back": (
        dict(timecodes=["00:00:00:10.000", "00:00:00:12.000", "00:00:00:11.000"]),
        "line 4: timecode goes back by 0.017 s",
    ),
    "no rows": (dict(timecodes=[]), "has no rows"),
}


@pytest.mark.parametrize(("changed", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_take_is_refused_in_one_line(tmp_path: Path, changed: dict[str, object], reason: str) -> None:
    path = take_file(tmp_path, **({"timecodes": ["00:00:00:10.000"]} | changed))  # type: ignore[arg-type]
    with pytest.raises(TakeError) as caught:
        read_take(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"RIFF\xff\x00\x00\x00WAVE", b"hello\n"])
def test_another_kind_of_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(TakeError, match="expected"):
        read_take(tmp_path / "t.csv")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="cannot be read: No such file"):
        read_take(tmp_path / "none.csv")
    with pytest.raises(TakeError, match="cannot be written: No such file"):
        TakeWriter(tmp_path / "none" / "t.csv")


def test_a_take_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("before")
    writer = TakeWriter(path)
    writer.append(probe())
    assert path.read_text() == "before"
    writer.close()
    writer.close()
    assert len(read_take(path).values) == 60
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_leaves_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="stopped"), TakeWriter(path) as writer:
        writer.append(probe())
        raise RuntimeError("stopped")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_take_cannot_take_the_name_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(TakeError, match="cannot be written"):
        write_take(tmp_path / "t.csv", probe())
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros(52), r"shape \(52,\)"),
        (np.zeros((2, 2, 61)), r"shape \(2, 2, 61\)"),
        (np.full(61, np.nan), "after row 2 is not finite"),
    ],
)
def test_rows_that_no_importer_could_use_are_refused(tmp_path: Path, values: np.ndarray, reason: str) -> None:
    with TakeWriter(tmp_path / "t.csv") as writer:
        writer.append(probe(2))
        with pytest.raises(TakeError, match=reason):
            writer.append(values)


def test_a_closed_take_takes_no_more_rows(tmp_path: Path) -> None:
    with TakeWriter(tmp_path / "t.csv") as writer:
        writer.append(probe(1)[0])
    with pytest.raises(TakeError, match="is closed"):
        writer.append(probe())


@pytest.mark.parametrize("start_s", [-1.0, 86400.0, float("nan")])
def test_a_start_outside_the_day_is_refused(tmp_path: Path, start_s: float) -> None:
    with pytest.raises(TakeError, match="seconds of the day"):
        write_take(tmp_path / "t.csv", probe(), start_s=start_s)


def test_writing_takes_no_more_memory_the_longer_the_take(tmp_path: Path) -> None:
    with TakeWriter(tmp_path / "t.csv") as writer:
        writer.append(probe(60))
        tracemalloc.start()
        try:
            for _ in range(20):
                writer.append(probe(60))
            assert tracemalloc.get_traced_memory()[1] < 500_000, "1200 rows are 900 kB of text"
        finally:
            tracemalloc.stop()
