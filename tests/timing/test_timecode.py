from fractions import Fraction

import pytest

from livelink_bridge.timing.timecode import RATES, counting


@pytest.mark.parametrize(
    ("rate", "frame", "label"),
    [
        ("24", 24 * 3661 + 23, "01:01:01:23"),
        ("25", 25 * 86400, "00:00:00:00"),
        ("29.97", 107892, "00:59:56:12"),
        ("29.97df", 1799, "00:00:59;29"),
        ("29.97df", 1800, "00:01:00;02"),
        ("29.97df", 17982, "00:10:00;00"),
        ("29.97df", 107892, "01:00:00;00"),
        ("59.94df", 3599, "00:00:59;59"),
        ("59.94df", 3600, "00:01:00;04"),
        ("59.94df", 35964, "00:10:00;00"),
    ],
)
def test_frame_numbers_have_the_labels_of_film_and_television(rate, frame, label):
    assert RATES[rate].label(frame) == label


@pytest.mark.parametrize("name", [name for name in RATES if name not in ("23.976", "29.97", "59.94")])
def test_labels_keep_to_the_clock_all_day(name):
    rate = RATES[name]
    for of_day_s in (0, 59, 60, 600, 3599, 40271, 86399):
        hours, minutes, seconds, frames = rate.label(round(rate.frames_at(of_day_s))).replace(";", ":").split(":")
        shown_s = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(frames) / rate.nominal
        assert shown_s == pytest.approx(
            of_day_s, abs=0.15
        )  # two frames within a minute, and dropping leaves 0.09 s a day


@pytest.mark.parametrize(
    ("fps", "name"),
    [(Fraction(60), "60"), (Fraction(30000, 1001), "29.97df"), (Fraction(24000, 1001), "23.976"), (Fraction(7), "7")],
)
def test_a_default_rate_counts_with_the_clock(fps, name):
    assert (counting(fps).name, counting(fps).exact) == (name, fps)
