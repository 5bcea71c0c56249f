import math
import tracemalloc

import numpy as np
import pytest
import soxr
from cases import case

from livelink_bridge.audio import resample
from livelink_bridge.audio.resample import Resampler, prepare

ODD_RATES = [8001, 44099, 47999]
"""In no simple ratio to 16 kHz: their weights are interpolated."""
RATES = [8000, 11025, 22050, 44100, 48000, 96000, *ODD_RATES]


def convert(samples: np.ndarray, from_hz: int) -> np.ndarray:
    resampler = Resampler(from_hz, 16000)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def chirp(at_s: np.ndarray, to_hz: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * (50 * at_s + (to_hz - 50) / 2 * at_s**2))).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_a_chirp_keeps_its_time_and_shape(rate):
    to_hz = min(6500, 0.42 * rate)
    out = convert(chirp(np.arange(rate) / rate, to_hz), rate)
    assert len(out) == 16000
    np.testing.assert_allclose(out[200:-200], chirp(np.arange(16000) / 16000, to_hz)[200:-200], atol=1e-3)


@pytest.mark.parametrize("rate", RATES)
def test_it_hears_what_soxr_hears(rate):
    sound = chirp(np.arange(rate) / rate, min(6500, 0.42 * rate))
    np.testing.assert_allclose(convert(sound, rate)[200:-200], soxr.resample(sound, rate, 16000)[200:-200], atol=1e-3)


@pytest.mark.parametrize("rate", RATES)
def test_a_click_stays_where_it_was(rate):
    sound = np.zeros(rate, np.float32)
    sound[rate // 4] = 1.0
    assert np.argmax(np.abs(convert(sound, rate))) == pytest.approx(4000, abs=1)


@pytest.mark.parametrize("rate", [24000, 44100, 48000, 96000])
def test_what_speech_must_not_alias_into_is_removed(rate):
    tone = np.sin(2 * np.pi * 9500 * np.arange(rate) / rate).astype(np.float32)
    assert np.abs(convert(tone, rate)[200:-200]).max() < 10 ** (-65 / 20)


def test_any_chunking_gives_the_same():
    for chunk in [1, 13, 480, 5000]:
        for rate in RATES:
            with case(rate, chunk):
                sound = (np.random.default_rng(2).standard_normal(6007) * 0.1).astype(np.float32)
                resampler = Resampler(rate, 16000)
                for _ in range(2):
                    pieces = [resampler.push(sound[i : i + chunk]) for i in range(0, len(sound), chunk)] + [
                        resampler.flush()
                    ]
                    np.testing.assert_array_equal(np.concatenate(pieces), convert(sound, rate))
                    resampler.reset()


def by_the_formula(sound: np.ndarray, rate: int, indices: np.ndarray) -> np.ndarray:
    """Output samples of the windowed sinc itself, in double precision, a row of weights of its own for each."""
    half = math.ceil(24 * rate / min(rate, 16000))
    out = []
    for index in indices.tolist():
        whole, part = divmod(index * rate, 16000)
        distance = np.arange(1 - half, half + 1) - part / 16000
        taps = np.sinc(min(1.0, 16000 / rate) * 0.925 * distance) * np.i0(
            6.76 * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None))
        )
        out.append(sound[whole - half + 1 : whole + half + 1] @ taps / taps.sum())
    return np.array(out)


def test_interpolated_weights_are_80_db_from_the_filter_itself_over_the_band():
    for hz in [100, 1000, 3000, 6700]:
        for rate in [*ODD_RATES, 15_999, 22_051, 191_999]:
            with case(rate, hz):
                tone = np.sin(2 * np.pi * min(hz, 0.45 * rate) * np.arange(rate // 4) / rate).astype(np.float32)
                heard = convert(tone, rate)
                at = np.arange(500, 3500, 7)
                assert np.abs(heard[at] - by_the_formula(tone.astype(np.float64), rate, at)).max() < 10 ** (-100 / 20)


@pytest.mark.parametrize("rate", [8001, 44_099, 47_999, 191_999, 767_999])
def test_no_rate_costs_memory_or_time(rate):
    resample._bank.cache_clear()
    tracemalloc.start()
    Resampler(rate, 16000)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 300_000
    assert most < 6_000_000
    assert resample._bank(16000, rate).rows.size <= 60_000  # which bounds the time as well: 3 ms for any of them


@pytest.mark.parametrize(
    "rate", [8000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]
)
def test_rates_in_common_use_have_a_row_for_each_phase(rate):
    up = 16000 // math.gcd(rate, 16000)
    assert len(resample._bank(up, rate // math.gcd(rate, 16000)).rows) == up


def test_what_was_prepared_is_not_made_again():
    prepare(43_210)
    made = resample._bank.cache_info().misses
    Resampler(43_210, 16000)
    assert resample._bank.cache_info().misses == made


@pytest.mark.parametrize("rate", RATES)
def test_output_comes_as_soon_as_half_the_filter_was_heard(rate):
    resampler = Resampler(rate, 16000)
    given = len(resampler.push(np.zeros(rate, np.float32)))
    assert (given - 1) / 16000 + resampler.lookahead_s == pytest.approx(1.0, abs=1.1 / 16000)
    assert resampler.lookahead_s <= (0.0016 if rate >= 16000 else 0.0031)


@pytest.mark.parametrize(
    ("rate", "samples", "expected"),
    [(48000, 1, 1), (48000, 3, 1), (48000, 4, 2), (8000, 1, 2), (16000, 5, 5), (44100, 0, 0)],
)
def test_the_length_is_rounded_up(rate, samples, expected):
    assert len(convert(np.zeros(samples, np.float32), rate)) == expected


def test_the_models_own_rate_passes_untouched():
    sound = np.random.default_rng(3).uniform(-1, 1, 999).astype(np.float32)
    np.testing.assert_array_equal(convert(sound, 16000), sound)
    assert Resampler(16000, 16000).lookahead_s == 0
