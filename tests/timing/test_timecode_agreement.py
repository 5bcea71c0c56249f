"""One time: what a packet carries, what a take's row says and what remote control is told, at every rate over a day."""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping.takes.rows import DAY_S, SECOND
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES, TimecodeRate
from livelink_bridge.wire.livelink import Packet, decode, encode

NEUTRAL = np.zeros(61, np.float32)
KEEPING = [name for name, rate in RATES.items() if rate.drop or rate.exact.denominator == 1]
"""Rates whose labels keep to the clock."""
BEGINS_S = 40271.3


def timebase(rate: TimecodeRate, of_day_s: float) -> Timebase:
    return Timebase(ManualClock(5.0, time_of_day_s=of_day_s), rate)


def day_of_stamps(rate: TimecodeRate, of_day_s: float = BEGINS_S) -> list[tuple[int, Stamp]]:
    """(tick, stamp) of pairs of neighbouring ticks, a pair every ten minutes or so over 24 hours, at one tick a
    frame."""
    base = timebase(rate, of_day_s)
    ticks = [
        tick + pair for tick in range(0, math.floor(DAY_S * rate.exact), round(617 * rate.exact)) for pair in (0, 1)
    ]
    return [(tick, base.stamp(5.0 + float(tick / rate.exact))) for tick in ticks]


def record(folder: Path, stamps: list[Stamp]) -> tuple[str, list[str], str]:
    """The label that starting gives, the timecodes in the file, and the label that stopping gives."""
    recorder = Recorder(folder, subject="Talker", first_pose_s=20.0)
    label: list[str] = []
    starting = threading.Thread(target=lambda: label.append(recorder.start()))
    starting.start()
    while not recorder.recording:
        starting.join(0.001)
    for stamp in stamps:
        recorder.send(NEUTRAL, stamp)
    starting.join(20)
    recorded = recorder.stop()
    return label[0], [line.split(",")[0] for line in recorded.csv.read_text().splitlines()[1:]], recorded.timecode


def moment(code: str) -> int:
    """A take's timecode in thousandths of a sixtieth."""
    hours, minutes, seconds, ff = code.split(":")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * SECOND + int(ff.replace(".", ""))


@pytest.mark.parametrize("name", list(RATES))
def test_frames_rise_by_exactly_one_a_tick_all_day(name: str) -> None:
    rate = RATES[name]
    stamps = day_of_stamps(rate)
    first = stamps[0][1]
    for tick, stamp in stamps:
        exact = Fraction(first.frame) + Fraction(first.subframe) + tick
        assert abs(Fraction(stamp.frame) + Fraction(stamp.subframe) - exact) < Fraction(1, 10**4)
    positions = [stamp.frame + stamp.subframe for _, stamp in stamps]
    assert (np.diff(positions) > 0).all()


@pytest.mark.parametrize("name", list(RATES))
def test_a_packet_carries_the_stamp_and_its_label(name: str) -> None:
    rate = RATES[name]
    for _, stamp in day_of_stamps(rate)[::8]:
        packet = decode(encode(Packet("0" * 36, "Talker", stamp.frame, stamp.subframe, stamp.rate, NEUTRAL)))
        assert (packet.frame, packet.rate) == (stamp.frame, rate.exact)
        assert packet.subframe == pytest.approx(stamp.subframe, abs=1e-6) and packet.subframe < 1
        shown_s = rate.seconds_at(packet.frame + packet.subframe) % DAY_S
        assert abs(shown_s - stamp.of_day_s) % DAY_S == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", KEEPING)
def test_a_takes_rows_are_the_packets_times_all_day(name: str, tmp_path: Path) -> None:
    stamps = [stamp for _, stamp in day_of_stamps(RATES[name])]
    begun, codes, ended = record(tmp_path, stamps)
    wanted = [round(stamp.of_day_s * SECOND) % (DAY_S * SECOND) for stamp in stamps]
    kept = {moment(code) for code in codes}
    assert set(wanted) <= kept
    assert begun == codes[0] and moment(begun) == wanted[0]
    assert moment(ended) == wanted[-1]


@pytest.mark.parametrize("name", [name for name in RATES if name not in KEEPING])
def test_where_labels_run_slower_than_the_clock_a_take_begins_with_the_label_and_keeps_the_clock(
    name: str, tmp_path: Path
) -> None:
    rate = RATES[name]
    stamps = day_of_stamps(rate)
    begun, codes, _ = record(tmp_path, [stamp for _, stamp in stamps])
    assert begun == codes[0]
    assert moment(begun) == round(stamps[0][1].of_day_s * SECOND)
    kept = {moment(code) for code in codes}
    first_s = stamps[0][1].of_day_s
    for tick, _ in stamps:
        clock = round((first_s + float(tick / rate.exact)) * SECOND) % (DAY_S * SECOND)
        assert kept & {clock - 1, clock, clock + 1}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(RATES)), st.floats(0, 86399.9), st.lists(st.floats(0.004, 0.2), min_size=2, max_size=60))
def test_stamps_rise_and_keep_time_whatever_the_beat(name: str, of_day_s: float, waits_s: list[float]) -> None:
    base, now_s, last = Timebase(ManualClock(5.0, time_of_day_s=of_day_s), RATES[name], fps=Fraction(250)), 5.0, -1.0
    for wait_s in waits_s:
        stamp = base.stamp(now_s)
        assert stamp.frame + stamp.subframe > last and 0 <= stamp.subframe < 1 and 0 <= stamp.of_day_s < DAY_S
        last = stamp.frame + stamp.subframe
        assert last == pytest.approx(
            RATES[name].frames_at(of_day_s) + (now_s - 5.0) * float(RATES[name].exact), abs=1e-6
        )
        now_s += wait_s


@pytest.mark.parametrize("name", list(RATES))
def test_every_label_of_a_day_is_another_one(name: str) -> None:
    rate = RATES[name]
    per_day = DAY_S * rate.nominal - (1440 - 144) * (rate.nominal // 15 if rate.drop else 0)
    for around in (
        100,
        round(rate.frames_at(60)),
        round(rate.frames_at(600)),
        round(rate.frames_at(3600)),
        per_day - 100,
    ):
        labels = [rate.label(frame) for frame in range(around - 100, around + 100)]
        assert len(set(labels)) == len(labels) and labels == sorted(labels)
