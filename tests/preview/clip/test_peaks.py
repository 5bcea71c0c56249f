"""Waveforms in tiles."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from livelink_bridge.errors import SourceError, UsageError
from livelink_bridge.preview.clip.peaks import FACTOR, FINEST_HZ, TILE, Peaks, PeaksBuilder


def whole(peaks: Peaks, level: int) -> np.ndarray:
    return np.concatenate([peaks.tile(level, index) for index in range(peaks.tiles(level))])


def naive(sound: np.ndarray, rate: int) -> np.ndarray:
    edges = [-(-j * rate // FINEST_HZ) for j in range(-(-len(sound) * FINEST_HZ // rate) + 1)]
    cut = [sound[start:end] for start, end in zip(edges, edges[1:], strict=False) if len(sound[start:end])]
    return np.array([[part.min(), part.max()] for part in cut])


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
def test_the_finest_level_is_the_lowest_and_highest_of_every_stretch(tmp_path, rate):
    sound = np.random.default_rng(rate).uniform(-1, 1, rate + 37).astype(np.float32)
    soundfile.write(tmp_path / "it.wav", sound, rate, "FLOAT")
    peaks = Peaks.of(tmp_path / "it.wav")
    found, wanted = whole(peaks, 0), naive(sound, rate)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1 / 32767)
    assert (found[:, 0] <= wanted[:, 0] + 1e-7).all() and (found[:, 1] >= wanted[:, 1] - 1e-7).all(), (
        "never narrower than the sound"
    )


@pytest.mark.parametrize("block", [1, 7, 1000, 44100])
def test_blocks_of_any_size_give_the_same(block):
    sound = np.random.default_rng(1).uniform(-1, 1, 4410 if block == 1 else 44100).astype(np.float32)
    parts, at_once = PeaksBuilder(44100), PeaksBuilder(44100)
    for start in range(0, len(sound), block):
        parts.push(sound[start : start + block])
    at_once.push(sound)
    np.testing.assert_array_equal(whole(parts.finish(), 0), whole(at_once.finish(), 0))


def test_each_level_is_the_lowest_and_highest_of_four_of_the_one_below_and_the_last_fits_a_tile():
    builder = PeaksBuilder(16000)
    builder.push(np.random.default_rng(1).uniform(-1, 1, 16000 * 20).astype(np.float32))
    peaks = builder.finish()
    for level in range(1, len(peaks.levels)):
        below, above = whole(peaks, level - 1), whole(peaks, level)
        assert len(above) == -(-len(below) // FACTOR)
        assert above[0, 0] == below[:FACTOR, 0].min() and above[-1, 1] == below[(len(above) - 1) * FACTOR :, 1].max()
    assert peaks.tiles(len(peaks.levels) - 1) == 1 and peaks.tiles(0) == -(-20 * FINEST_HZ // TILE)


def test_two_hours_stay_small():
    builder = PeaksBuilder(48000)
    minute = np.random.default_rng(1).uniform(-1, 1, 480000).astype(np.float32)
    for _ in range(60):  # ten minutes; the rest is proportional
        builder.push(minute)
    assert sum(level.nbytes for level in builder.finish().levels) * 12 < 25e6


def test_a_rate_below_the_finest_repeats_what_is_known():
    builder = PeaksBuilder(200)
    builder.push(np.array([0.5, -0.5], np.float32))
    found = whole(builder.finish(), 0)
    assert np.isfinite(found).all() and found[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_what_is_no_number_is_silence_and_no_sound_no_stretch():
    builder = PeaksBuilder(600)
    builder.push(np.array([np.nan, np.inf, -np.inf, 0.25], np.float32))
    np.testing.assert_allclose(whole(builder.finish(), 0)[:, 1], [0, 1, -1, 0.25], atol=1e-4)
    empty = PeaksBuilder(600).finish()
    assert (empty.tiles(0), empty.duration_s) == (0, 0)


@pytest.mark.parametrize("level, index", [(-1, 0), (99, 0), (0, -1), (0, 99)])
def test_a_tile_that_is_not_there_is_said(level, index):
    builder = PeaksBuilder(600)
    builder.push(np.zeros(600, np.float32))
    with pytest.raises(UsageError, match="waveform"):
        builder.finish().tile(level, index)


def test_a_file_that_is_no_sound_is_the_command_line_s_error(tmp_path):
    (tmp_path / "it.wav").write_bytes(b"RIFF, not really")
    with pytest.raises(SourceError, match="is not audio that can be read"):
        Peaks.of(tmp_path / "it.wav")
