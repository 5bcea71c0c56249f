"""What the network hears where there is no input chain, or where it takes another rate than the chain gives."""

from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.audio.input.plain_input import PlainInput, Rerated
from livelink_bridge.audio.input.voice_block import NetworkInput, VoiceBlock
from livelink_bridge.core.frames import AudioBlock

RATE = 48_000
VOICE = (0.3 * np.random.default_rng(3).standard_normal(RATE)).astype(np.float32).clip(-1, 1)


def given(stage: NetworkInput, chunk: int, start: int = 0) -> list[VoiceBlock]:
    """Everything that comes out of a stage for VOICE, in blocks of `chunk` samples from index `start` on."""
    cut = range(0, len(VOICE), chunk)
    voices = [stage.take(AudioBlock(VOICE[at : at + chunk], RATE, start + at, 0.0)) for at in cut]
    return [*voices, stage.flush()]


def heard(voices: list[VoiceBlock]) -> np.ndarray:
    return np.concatenate([voice.samples for voice in voices])


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("chunk", [1_000, 4_799])
def test_any_chunks_give_the_same_audio_and_levels(rate: int, chunk: int) -> None:
    whole, pieces = given(PlainInput(rate), len(VOICE)), given(PlainInput(rate), chunk)
    assert len(heard(whole)) == rate
    np.testing.assert_allclose(heard(pieces), heard(whole), atol=1e-6)
    levels = [np.concatenate([voice.levels for voice in voices]) for voices in (pieces, whole)]
    assert len(levels[0]) == 60
    np.testing.assert_allclose(*levels, atol=1e-4)
    assert {voice.gates is None for voice in pieces} == {True}, "nothing is gated"


def test_lost_samples_begin_a_frame_and_reset_equals_new() -> None:
    used = PlainInput(16_000)
    used.take(AudioBlock(VOICE[:4800], RATE, 0, 0.0))
    after = given(used, len(VOICE), start=5_000)
    assert after[0].frame == 7, "samples 5000 to 5599 lie before frame 7"
    fresh = PlainInput(16_000)
    fresh.take(AudioBlock(np.zeros(0, np.float32), RATE, 5_600, 0.0))
    expected = fresh.take(AudioBlock(VOICE[600:], RATE, 5_600, 0.0)).samples
    np.testing.assert_array_equal(after[0].samples, expected)
    used.reset()
    np.testing.assert_array_equal(heard(given(used, 4_800)), heard(given(PlainInput(16_000), 4_800)))


def test_a_network_of_another_rate_hears_the_chain_at_its_own() -> None:
    chain, plain = Rerated(InputChain(None, gated=False), 16_000, 8_000), PlainInput(8_000)
    voices = given(chain, 480)
    assert len(heard(voices)) == 8_000
    assert sum(len(voice.levels) for voice in voices) == 60
    assert all(voice.gates is not None for voice in voices)
    assert chain.lookahead_s > InputChain(None).lookahead_s
    smooth = np.convolve(heard(given(plain, 480)) - heard(voices), np.ones(8) / 8)
    assert np.abs(smooth[100:-100]).max() < 0.02, "two filters instead of one change only what lies near the edge"


def test_after_lost_samples_a_network_of_another_rate_begins_afresh() -> None:
    chain = Rerated(InputChain(None, gated=False), 16_000, 8_000)
    given(chain, 480)
    chain.reset()
    first = heard(given(chain, 480))
    chain.reset()
    chain.take(AudioBlock(VOICE[:1000], RATE, 0, 0.0))
    again = given(chain, 480, start=800 * 100)
    assert again[0].frame == 100
    np.testing.assert_array_equal(heard(again), first)
