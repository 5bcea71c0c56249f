from __future__ import annotations

import itertools

import numpy as np
import pytest

from arkit_mapping.channels import index_of
from livelink_bridge.core.frames import FACE_CHANNELS
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.sync_test.pulses import (
    CHANNELS,
    FIRST_S,
    HIGH_HZ,
    LEVEL,
    PERIOD_S,
    TONE_HZ,
    TONE_S,
    ClapSource,
    PulseModel,
    SyncMeter,
    claps_in,
    furthest,
    pulses,
    tones,
)
from livelink_bridge.testing.stand_ins import FakePortAudio, FakeStream, ManualClock
from livelink_bridge.timing.stamp import Stamp
from speech_to_face.base import SpeechToFace

JAW, BROW = index_of("JawOpen"), index_of("BrowInnerUp")
STAMP = Stamp(0, 0.0, 60)
BEGUN_S = [FIRST_S + PERIOD_S * number for number in range(5)]


def heard(rate: int, seconds: float = 10.0) -> np.ndarray:
    return tones(0, round(seconds * rate), rate)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_a_tone_of_40_ms_begins_every_two_seconds_and_between_there_is_silence(rate):
    at_s = np.nonzero(heard(rate))[0] / rate
    first = np.concatenate([[True], np.diff(at_s) > 1])
    np.testing.assert_allclose(at_s[first], BEGUN_S, atol=1.5 / rate)
    np.testing.assert_allclose(at_s[np.roll(first, -1)], np.add(BEGUN_S, TONE_S), atol=2.5 / rate)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_every_fourth_tone_is_an_octave_higher(rate):
    for number, begun_s in enumerate(BEGUN_S):
        tone = tones(round(begun_s * rate), round(TONE_S * rate), rate)
        loudest_hz = np.fft.rfftfreq(len(tone), 1 / rate)[np.abs(np.fft.rfft(tone)).argmax()]
        assert loudest_hz == (HIGH_HZ if number == 3 else TONE_HZ)


def test_a_tone_has_soft_edges_and_is_not_too_loud():
    tone = tones(48000, round(TONE_S * 48000), 48000)
    assert 0.99 * LEVEL < np.abs(tone).max() <= LEVEL
    assert np.abs(np.diff(tone[:10])).max() < 0.02 < np.abs(np.diff(tone[100:200])).max()
    assert np.abs(tone[-5:]).max() < 0.01


@pytest.mark.parametrize(("rate", "block_s"), [(44100, 0.1), (48000, 1 / 60), (44100, 0.0013)])
def test_a_source_in_blocks_of_any_size_is_the_sound_whole(rate, block_s):
    blocks = list(ClapSource(clock=ManualClock(), block_s=block_s, seconds=3.21, rate=rate).blocks())
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), heard(rate, 3.21))
    assert [block.start for block in blocks[1:]] == [block.end for block in blocks[:-1]]


def test_a_late_source_is_the_same_after_so_much_silence():
    blocks = ClapSource(clock=ManualClock(), block_s=0.1, seconds=3.2, rate=44100, late_s=0.25).blocks()
    sound = np.concatenate([block.samples for block in blocks])
    assert not sound[:11025].any()
    np.testing.assert_array_equal(sound[11025:], heard(44100, 3.2))


def test_a_source_without_an_end_goes_on_until_it_is_closed():
    source = ClapSource(clock=ManualClock(), block_s=0.1)
    blocks = source.blocks()
    assert len(list(itertools.islice(blocks, 100))) == 100
    assert source.duration_s is None
    source.close()
    assert list(blocks) == []


def test_the_jaw_is_open_for_exactly_the_three_poses_that_fall_into_a_tone():
    sound, faces = heard(48000), pulses(0, 600)
    opened = np.nonzero(faces[:, CHANNELS.index("jawOpen")])[0]
    assert opened.tolist() == [60, 61, 62, 180, 181, 182, 300, 301, 302, 420, 421, 422, 540, 541, 542]
    loud = [sound[pose * 800 : pose * 800 + 100].any() for pose in range(600)]
    assert np.nonzero(loud)[0].tolist() == opened.tolist()
    assert set(np.unique(faces)) == {0.0, 1.0}


def test_the_brows_go_up_with_the_high_tone_only():
    brows = pulses(0, 1200)[:, [CHANNELS.index(name) for name in CHANNELS if name.startswith("brow")]]
    assert np.nonzero(brows.all(axis=1))[0].tolist() == [420, 421, 422, 900, 901, 902]
    assert brows.any(axis=1).sum() == 6


def test_the_model_is_one_and_gives_the_same_poses_however_the_sound_is_cut():
    model, cuts = PulseModel(), np.random.default_rng(0).integers(0, 2000, 300)
    assert isinstance(model, SpeechToFace)
    stream = model.stream()
    for _ in range(2):
        parts = [stream.push(np.zeros(cut, np.float32)) for cut in cuts]
        np.testing.assert_array_equal(
            np.concatenate([*parts, stream.flush()]), model.animate(np.zeros(cuts.sum(), np.float32))
        )
        stream.reset()


@pytest.mark.parametrize(("samples", "poses"), [(0, 0), (1, 1), (800, 1), (801, 2), (48000, 60)])
def test_a_pose_is_ready_with_the_first_sample_of_its_time(samples, poses):
    assert len(PulseModel().stream().push(np.zeros(samples, np.float32))) == poses


@pytest.mark.parametrize("rate", [44100, 48000])
def test_on_its_way_to_the_face_nothing_moves_the_pulse(rate):
    animator = Animator(PulseModel(), Face())
    frames = [
        frame
        for block in ClapSource(clock=ManualClock(), block_s=1 / 60, seconds=8, rate=rate).blocks()
        for frame in animator.push(block)
    ]
    frames += animator.flush()
    assert [frame.index for frame in frames] == list(range(480))
    assert [frame.index for frame in frames if frame.weights[JAW] == 1][:6] == [60, 61, 62, 180, 181, 182]
    assert [frame.index for frame in frames if frame.weights[BROW] == 1] == [420, 421, 422]


@pytest.mark.parametrize(("seconds", "claps"), [(0.5, 0), (1.0, 0), (1.1, 1), (3.0, 1), (3.1, 2), (41, 20)])
def test_claps_are_counted_that_are_over(seconds, claps):
    assert claps_in(seconds) == claps


def pose(*opened: int) -> np.ndarray:
    weights = np.zeros(FACE_CHANNELS, np.float32)
    weights[list(opened)] = 1
    return weights


def checked(late_s: float, sent_after_s: list[float | None], *, audio_delay_s: float = 0.0) -> SyncMeter:
    """What is measured when a fake output asks for its sound `late_s` after it could, and pose n leaves so long after
    it was due."""
    devices, clock = FakePortAudio(), ManualClock(50.0)
    source = ClapSource(clock=clock, block_s=0.1, seconds=1, late_s=audio_delay_s)
    speaker = Speaker(source, block_s=0.1, clock=clock, system=SoundSystem(devices))
    check = SyncMeter(lambda: speaker.zero_s, clock=clock, late_s=audio_delay_s)
    clock.advance(late_s)
    speaker._sound.put(np.zeros((4800, 1), np.float32))
    devices.streams[0].play(480)
    heard_zero_s = 50.0 + late_s + FakeStream.latency
    for number, after_s in enumerate(sent_after_s):
        if after_s is None:
            continue
        clock.advance(heard_zero_s + BEGUN_S[number] + after_s - clock.now())
        for weights in (pose(JAW), pose(JAW), pose(JAW), pose()):
            check.send(weights, STAMP)
    speaker.close()
    return check


def test_the_check_is_how_much_later_than_its_tone_a_pose_was_sent():
    check = checked(0.3, [0.0, 0.002, -0.004, 0.0])
    assert check.claps == 4
    np.testing.assert_allclose(check.after_ms, [0, 2, -4, 0], atol=1e-6)
    assert furthest(check.after_ms, 0) == pytest.approx(-4)


def test_delays_that_were_asked_for_are_in_the_check():
    np.testing.assert_allclose(checked(0.0, [0.1, 0.1]).after_ms, 100, atol=1e-6)
    np.testing.assert_allclose(checked(0.0, [0.0, 0.0], audio_delay_s=1.0).after_ms, -1000, atol=1e-6)
    assert furthest(np.array([99.0, 102.0, 100.0]), 100) == 102


def test_a_clap_that_a_stalled_machine_left_out_does_not_shift_the_others():
    check = checked(0.0, [0.001, None, 0.003])
    assert check.claps == 2
    np.testing.assert_allclose(check.after_ms, [1, 3], atol=1e-6)


def test_without_sound_claps_are_counted_but_not_measured():
    check = SyncMeter(lambda: None, clock=ManualClock())
    for weights in (pose(), pose(JAW), pose(JAW), pose(), pose(JAW, BROW)):
        check.send(weights, STAMP)
        assert check.high == bool(weights[BROW])
    assert (check.claps, check.sent, len(check.after_ms)) == (2, 5, 0)
