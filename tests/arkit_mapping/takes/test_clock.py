"""What timecode counts, for every way in which tools write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.takes.csv import Take, TakeError, read_take
from arkit_mapping.takes.edit import gaps, moment
from arkit_mapping.takes.rows import HEADER

CELLS = ",61," + ",".join(["0.25"] * 61)


def written(folder: Path, labels: list[str]) -> Path:
    path = folder / "take.csv"
    path.write_text("\n".join([HEADER, *(label + CELLS for label in labels)]))
    return path


def counted(
    frames: int, nominal: int, *, first_s: int = 36000, step: int = 1, before: str = ":", first: int = 0
) -> list[str]:
    """`HH:MM:SS:FF` from a second of the day on, every `step`-th frame."""
    labels = []
    for frame in range(first, first + frames * step, step):
        second, ff = divmod(frame, nominal)
        at = first_s + second
        labels.append(f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}{before}{ff:02}")
    return labels


def dropped(frames: int, nominal: int, *, first_s: int, before: str = ";") -> list[str]:
    """Labels in drop-frame counting, from a whole second of label time on."""
    labels, second, ff = [], first_s, 0
    while len(labels) < frames:
        labels.append(f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}{before}{ff:02}")
        ff += 1
        if ff == nominal:
            second, ff = second + 1, 0
            if second % 60 == 0 and second % 600:
                ff = nominal // 15
    return labels


def steps(take: Take) -> np.ndarray:
    return np.diff(take.times_s)


@pytest.mark.parametrize("nominal", [24, 25, 30, 48, 50, 60])
@pytest.mark.parametrize("seconds", [1.5, 4.0])
def test_frames_last_as_long_as_where_ff_begins_anew_says(tmp_path: Path, nominal: int, seconds: float) -> None:
    take = read_take(written(tmp_path, counted(round(seconds * nominal), nominal)))
    np.testing.assert_allclose(steps(take), 1 / nominal, atol=1e-9)
    assert (take.rate, take.counts) == (nominal, str(nominal))
    assert f"counts {nominal} a second" in take.said


def test_a_take_of_24_fps_lasts_its_seconds_and_not_four_fifths_of_them(tmp_path: Path) -> None:
    take = read_take(written(tmp_path, counted(240, 24)))
    assert take.times_s[-1] - take.times_s[0] == pytest.approx(239 / 24)


@pytest.mark.parametrize("nominal", [24, 25, 30, 48, 50, 60])
def test_a_take_with_every_second_frame_counts_the_same(tmp_path: Path, nominal: int) -> None:
    take = read_take(written(tmp_path, counted(90, nominal, step=2)))
    np.testing.assert_allclose(steps(take), 2 / nominal, atol=1e-9)


@pytest.mark.parametrize("nominal", [24, 25, 30, 50])
def test_lost_frames_do_not_change_what_is_counted(tmp_path: Path, nominal: int) -> None:
    labels = counted(8 * nominal, nominal)
    turn = 3 * nominal
    take = read_take(written(tmp_path, labels[: turn - 4] + labels[turn + 5 :]))
    assert take.counts == str(nominal) and len(gaps(take)) == 1


def test_the_frames_before_and_after_a_second_and_the_first_frame_need_not_be_there(tmp_path: Path) -> None:
    assert read_take(written(tmp_path, counted(60, 25, first=11))).counts == "25"


@pytest.mark.parametrize("nominal", [30, 60])
@pytest.mark.parametrize("before", [";", ":"])
def test_drop_frame_is_seen_by_its_sign_or_by_the_labels_that_are_left_out(
    tmp_path: Path, nominal: int, before: str
) -> None:
    take = read_take(written(tmp_path, dropped(60 * nominal + 90, nominal, first_s=36030, before=before)))
    np.testing.assert_allclose(steps(take), 1.001 / nominal, atol=1e-9)
    assert take.counts == {30: "29.97df", 60: "59.94df"}[nominal] and "drop-frame" in take.said


@pytest.mark.parametrize("nominal", [30, 60])
def test_whole_minutes_without_left_out_labels_are_not_drop_frame(tmp_path: Path, nominal: int) -> None:
    take = read_take(written(tmp_path, counted(60 * nominal + 90, nominal, first_s=36030)))
    np.testing.assert_allclose(steps(take), 1 / nominal, atol=1e-9)


def test_an_hour_of_drop_frame_labels_is_an_hour(tmp_path: Path) -> None:
    labels = dropped(107893, 30, first_s=36000)
    assert labels[-1] == "11:00:00;00"
    take = read_take(written(tmp_path, [*labels[::1000], labels[-1]]), "29.97df")
    assert take.times_s[-1] - take.times_s[0] == pytest.approx(3600, abs=0.01)


def test_a_left_out_label_is_one_line_and_says_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path, ["10:00:59;28", "10:00:59;29", "10:01:00;00", "10:01:00;01", "10:01:00;02"])
    with pytest.raises(
        TakeError, match=r"line 4: FF 0 at the turn of a minute is left out in 29.97 drop-frame.*--take-rate 29.97"
    ):
        read_take(path, "29.97df")


@pytest.mark.parametrize(("rate", "slow"), [("23.976", 24), ("29.97", 30), ("47.952", 48), ("59.94", 60)])
def test_a_rate_that_labels_cannot_show_is_told_and_then_seconds_last_longer(
    tmp_path: Path, rate: str, slow: int
) -> None:
    path = written(tmp_path, counted(4 * slow, slow))
    assert f"--take-rate {rate}" in read_take(path).said
    told = read_take(path, rate)
    np.testing.assert_allclose(steps(told), 1.001 / slow, atol=1e-9)
    assert (told.times_s[0], told.said) == (36000, "")


def test_less_than_a_second_is_taken_for_sixtieths_and_said(tmp_path: Path) -> None:
    path = written(tmp_path, counted(20, 24))
    take = read_take(path)
    np.testing.assert_allclose(steps(take), 1 / 60, atol=1e-9)
    assert "60 is assumed" in take.said and "--take-rate" in take.said
    np.testing.assert_allclose(steps(read_take(path, "24")), 1 / 24, atol=1e-9)


@pytest.mark.parametrize("nominal", [10, 15, 40])
def test_an_unknown_rate_has_to_be_told(tmp_path: Path, nominal: int) -> None:
    path = written(tmp_path, counted(4 * nominal, nominal))
    with pytest.raises(TakeError, match=f"begins anew after {nominal} FF a second.*--take-rate {nominal}"):
        read_take(path)
    np.testing.assert_allclose(steps(read_take(path, str(nominal))), 1 / nominal, atol=1e-9)


def test_a_rate_that_the_labels_exceed_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="line 26: got FF 24 in its timecode, expected below 24"):
        read_take(written(tmp_path, counted(60, 25)), "24")


@pytest.mark.parametrize("rate", ["", "0", "61", "24fps", "24.5", "-24", "1e1", "²"])
def test_what_is_no_rate_is_one_line(tmp_path: Path, rate: str) -> None:
    if rate:
        with pytest.raises(TakeError, match="--take-rate: got"):
            read_take(written(tmp_path, counted(60, 25)), rate)
    else:
        assert read_take(written(tmp_path, counted(60, 25)), rate).counts == "25"


def test_the_apps_sixtieths_stay_sixtieths_at_every_rate_of_rows_and_nothing_is_said(tmp_path: Path) -> None:
    for step in (1.001, 2.0, 2.5):
        ticks = 26.689 + step * np.arange(200)
        take = read_take(written(tmp_path, [f"19:55:{16 + int(tick // 60):02}:{tick % 60:06.3f}" for tick in ticks]))
        np.testing.assert_allclose(steps(take), step / 60, atol=2e-5)
        assert take.said == ""


def neurosync(rows: int) -> list[str]:
    """FF and the milliseconds of the second behind it, both cut, as NeuroSync's player writes them at 60 a second."""
    labels = []
    for row in range(rows):
        minutes, seconds = divmod(row * (1 / 60), 60)
        thousandths = (seconds - int(seconds)) * 1000
        labels.append(
            f"00:{int(minutes):02}:{int(seconds):02}:{int(thousandths / (1000 / 60)):02}.{int(thousandths):03}"
        )
    return labels


def test_milliseconds_behind_ff_are_the_time_and_no_row_is_missing(tmp_path: Path) -> None:
    take = read_take(written(tmp_path, neurosync(600)))
    assert set(np.round(steps(take) * 1000)) <= {16, 17} and len(take.values) == 600
    assert gaps(take) == [] and "milliseconds" in take.said


@pytest.mark.parametrize("form", ["{s:02}:{ms:03}", "{s:02}.{ms:03}"])
def test_milliseconds_in_place_of_ff_are_read(tmp_path: Path, form: str) -> None:
    labels = ["00:00:" + form.format(s=row * 50 // 3 // 1000, ms=row * 50 // 3 % 1000) for row in range(600)]
    take = read_take(written(tmp_path, labels))
    assert set(np.round(steps(take) * 1000)) <= {16, 17} and gaps(take) == [] and take.rate in (59, 60, 62)


def test_midnight_is_passed_at_any_rate(tmp_path: Path) -> None:
    labels = counted(96, 24, first_s=86398)
    labels = [label.replace("24:00:0", "00:00:0") for label in labels]
    take = read_take(written(tmp_path, labels))
    np.testing.assert_allclose(steps(take), 1 / 24, atol=1e-9)
    assert take.times_s[-1] > 86400


def test_two_signs_before_ff_in_one_file_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="line 3: got timecode '00:00:00;01'.*the same sign"):
        read_take(written(tmp_path, ["00:00:00:00", "00:00:00;01"]))


@pytest.mark.parametrize("rate", ["24", "23.976", "25", "30", "29.97", "60"])
def test_a_moment_in_timecode_is_the_row_with_that_label(tmp_path: Path, rate: str) -> None:
    labels = counted(150, round(float(rate) + 0.2), first=7)
    take = read_take(written(tmp_path, labels), rate)
    for row in (0, 1, 40, 149):
        assert moment(labels[row], take) == pytest.approx(float(take.times_s[row]), abs=1e-6)


def test_a_moment_in_drop_frame_is_the_row_with_that_label_past_a_minute(tmp_path: Path) -> None:
    labels = dropped(2000, 30, first_s=36030)
    take = read_take(written(tmp_path, labels))
    assert moment(labels[1990], take) == pytest.approx(float(take.times_s[1990]), abs=1e-6)


def test_a_moment_beyond_what_ff_counts_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="got moment '10:00:00:24', expected .* with FF below 24"):
        moment("10:00:00:24", read_take(written(tmp_path, counted(60, 24))))
