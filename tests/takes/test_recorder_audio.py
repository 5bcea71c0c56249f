"""The sound of a take stays in step with its rows, whatever the clocks and the beat do."""

from __future__ import annotations

import json
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from recorded import Moments, counting, hear, numbers, recorder, send, stamp

from arkit_mapping.takes.csv import read_take
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.sender import Sender
from livelink_bridge.sources.utterance import NOTHING, Boundary
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.arrival_clock import DelayedTiming, FixedTiming
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES


class TestSound:
    def record(
        self, folder: Path, shown_s: list[float | None], frames: list[float] | None = None, **heard: Any
    ) -> Path:
        """A take whose pose i is of sound time shown_s[i], of one block of counting sound."""
        one = recorder(folder)
        hear(one, **({"samples": counting(10 * 48000)} | heard))
        one.follow(Moments(shown_s))
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
            "BitsPerChannel": 24,
            "SampleRate": 48000,
            "ChannelsPerFrame": 1,
            "FormatFlags": 12,
        }
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
        one.follow(Moments([None] * 30 + [at / 60 for at in range(31)]))
        one.arm()
        send(one, 61)
        found = numbers(one.stop().sound)
        begin = 30 * 800
        assert (
            not found[:begin].any()
            and not found[begin + 4800 : begin + 9600].any()
            and not found[begin + 14400 :].any()
        )
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
        one.follow(Moments([at / 60 for at in range(31)]))
        one.arm()
        send(one, 31)
        found = numbers(one.stop().sound)
        np.testing.assert_allclose(found[:12000], np.arange(12000), atol=0.01)
        assert not found[12000:].any()

    def test_sound_that_changes_its_rate_goes_on_at_the_files(self, tmp_path: Path):
        one = recorder(tmp_path)
        hear(one, np.full(24000, 0.5, np.float32), 48000)
        one.follow(Moments([at / 60 for at in range(61)]))
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
    sender = Sender(
        JitterBuffer(channel),
        [one],
        DelayedTiming(FixedTiming(100.2), 0.05),
        fps=Fraction(60),
        clock=clock,
        stop=threading.Event(),
        metrics=Metrics(),
        timebase=Timebase(clock, RATES["60"]),
    )
    one.follow(sender.grid.shown)
    one.arm()
    sender.run()
    recorded = one.stop()
    take = read_take(recorded.csv)
    pose = np.round(1000 * take.values[:100, 0]).astype(int)
    assert pose[-1] == 99
    at = np.round((take.times_s[:100] - take.times_s[0]) * 48000).astype(int)
    np.testing.assert_allclose(numbers(recorded.sound)[at], 800 * pose, atol=1.5)
