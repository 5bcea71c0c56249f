from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.audio.agc import AGC
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.audio.noise_gate import Thresholds
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import UsageError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.testing.stand_ins import LoudnessModel

CHUNK = 256


class LoudIsVoice:
    """A detector for tests: what is loud is a voice; an answer every 16 ms, as the real one gives."""

    def __init__(self):
        self.resets = 0
        self.reset()

    def reset(self):
        self.resets += 1
        self._kept, self._given = np.zeros(0, np.float32), 0

    def push(self, samples):
        self._kept = np.concatenate([self._kept, samples])
        chunks = self._kept[: len(self._kept) // CHUNK * CHUNK].reshape(-1, CHUNK)
        self._kept = self._kept[chunks.size :]
        first, self._given = self._given, self._given + len(chunks)
        return np.arange(first + 1, self._given + 1) * CHUNK, (np.sqrt(np.mean(chunks**2, axis=1)) > 0.02).astype(
            np.float32
        )


def words(rate, *runs, seed=0):
    """float32 (n,): noise from runs of (dBFS, seconds)."""
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal(int(seconds * rate)) * 10 ** (dbfs / 20) for dbfs, seconds in runs]
    return np.clip(np.concatenate(parts), -1, 1).astype(np.float32)


SENTENCE = ((-60, 1.0), (-20, 0.5), (-60, 1.0), (-25, 0.7), (-60, 1.0))


def push(chain, samples, rate, chunks=None):
    """The audio that comes out, and the gate weights of the frames that are decided."""
    out, at, turn = [], 0, 0
    chunks = chunks or (len(samples),)
    while at < len(samples):
        piece = samples[at : at + chunks[turn % len(chunks)]]
        at, turn = at + len(piece), turn + 1
        out.append(chain.push(piece, rate))
    return np.concatenate([voice.samples for voice in out]), np.concatenate([voice.gates for voice in out])


def gates(chain, samples, rate):
    return push(chain, samples, rate)[1]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("chunks", [(480,), (1, 13, 700), (10_000,)])
def test_decisions_and_sound_are_the_same_for_any_chunks(rate, chunks):
    samples = words(rate, *SENTENCE)
    whole, pieces = (InputChain(LoudIsVoice(), level=AGC()) for _ in range(2))
    (expected, decided), (found, in_pieces) = push(whole, samples, rate), push(pieces, samples, rate, chunks)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_array_equal(in_pieces, decided)
    assert len(decided) > 240


@pytest.mark.parametrize("cut", [20_000, 31_111])
def test_a_pose_knows_no_sound_after_its_look_ahead(cut):
    samples = words(16_000, *SENTENCE)
    chain, deaf = InputChain(LoudIsVoice()), InputChain(LoudIsVoice())
    decided = gates(chain, samples, 16_000)
    early = gates(deaf, samples[:cut], 16_000)
    assert len(early) == (3 * cut + 2) // 800 - 3
    np.testing.assert_array_equal(early, decided[: len(early)])


def test_poses_are_known_as_soon_as_the_network_gives_them():
    chain = InputChain(LoudIsVoice())
    decided = gates(chain, words(16_000, (-20, 1.0)), 16_000)
    assert len(decided) == 57 and decided[-1] == 1.0  # frame 56 waits for step 59, the last of the second
    assert chain.gate == 1.0


def test_the_gate_tells_its_gain_on_the_way_and_1_where_it_has_no_say():
    samples = words(16_000, (-20, 1.0), (-60, 1.0))
    chain, ungated = InputChain(LoudIsVoice()), InputChain(LoudIsVoice(), gated=False)
    assert (chain.gate, ungated.gate) == (0.0, 1.0)
    gains = []
    for at in range(0, len(samples), 160):
        chain.push(samples[at : at + 160], 16_000)
        gains.append(chain.gate)
    assert max(gains) == 1.0 and gains[-1] == 0.0
    assert len({gain for gain in gains if 0 < gain < 1}) > 5, "it closes over 150 ms"


def test_a_face_is_open_when_its_first_sound_is_due():
    chain = InputChain(LoudIsVoice())
    weights = gates(chain, words(48_000, (-60, 1.0), (-20, 0.5), (-60, 1.5)), 48_000)
    assert weights[60] == 1.0 and weights[:56].max() == 0
    assert weights[89] == 1.0 and weights[90 + 15 + 9 + 2 :].max() == 0


def test_without_a_detector_the_level_decides():
    chain = InputChain(None, thresholds=Thresholds(-40, -43))
    weights = gates(chain, words(16_000, (-45, 1.0), (-35, 1.0)), 16_000)
    assert len(weights) == 117
    assert weights[:56].max() == 0 and weights[62:].min() == 1


def test_thresholds_are_of_the_sound_before_the_gain():
    chain = InputChain(None, thresholds=Thresholds(-40, -43), gain_db=20)
    assert gates(chain, words(16_000, (-45, 1.0)), 16_000).max() == 0


def test_a_gain_makes_louder_and_nothing_leaves_the_range():
    chain, samples = InputChain(None, gain_db=20), words(16_000, (-40, 0.5), (-10, 0.5))
    out = chain.push(samples, 16_000).samples
    np.testing.assert_allclose(out[:8000], samples[:8000] * 10, rtol=1e-5)
    assert np.max(np.abs(out)) == 1.0


def test_speech_is_brought_to_level_and_noise_is_not():
    chain = InputChain(LoudIsVoice(), level=AGC())
    chain.push(words(48_000, (-60, 2.0)), 48_000)
    assert chain.gain_db == 0
    chain.push(words(48_000, (-25, 3.0)), 48_000)
    assert chain.gain_db == pytest.approx(10, abs=1)  # a third of its power lies below 8 kHz


def test_a_face_that_is_not_gated_always_moves():
    chain = InputChain(None, gated=False)
    assert gates(chain, np.zeros(16_000, np.float32), 16_000).tolist() == [1.0] * 57


def block(samples, start, rate=48_000):
    return AudioBlock(samples, rate, start, start / rate)


def test_blocks_come_out_mono_at_16_khz_and_without_gaps():
    chain, rate = InputChain(LoudIsVoice()), 44_100
    samples = words(rate, *SENTENCE)
    stereo = np.stack([samples, samples], axis=1)
    out = [chain.take(block(stereo[at : at + 441], at, rate)) for at in range(0, len(stereo), 441)]
    assert all(one.samples.ndim == 1 and one.frame is None for one in out)
    plain = InputChain(LoudIsVoice())
    heard = np.concatenate([one.samples for one in out])
    np.testing.assert_allclose(heard, plain.push(samples, rate).samples, atol=1e-6)
    assert len(heard) == pytest.approx(16_000 * len(samples) / rate - 24, abs=1)


@pytest.mark.parametrize("lost", [1, 777, 48_000])
def test_after_a_gap_it_goes_on_with_the_pose_whose_sound_is_next(lost):
    detector, samples = LoudIsVoice(), words(48_000, (-20, 2.0))
    chain = InputChain(detector)
    chain.take(block(samples[:48_000], 0))
    resets = detector.resets
    after = chain.take(block(samples[:24_000], 48_000 + lost))
    pose = -(-(48_000 + lost) // 800)
    assert detector.resets == resets + 1
    assert after.frame == pose
    skipped = pose * 800 - 48_000 - lost
    assert len(after.samples) == pytest.approx((24_000 - skipped) / 3 - 24, abs=1)  # the resampler waits for 1.5 ms
    assert after.gates[:20].tolist() == [1.0] * 20  # the face does not twitch


def test_a_block_that_lies_wholly_before_the_next_pose_gives_nothing():
    chain = InputChain(LoudIsVoice())
    first = chain.take(block(np.zeros(100, np.float32), 801))
    second = chain.take(block(np.zeros(1000, np.float32), 901))
    assert (len(first.samples), first.frame, second.frame) == (0, 2, None)  # frame 2 begins at sample 1600
    assert len(second.samples) == pytest.approx((1901 - 1600) / 3 - 24, abs=1)
    assert chain.take(block(np.zeros(1000, np.float32), 1901)).frame is None


def test_another_rate_begins_on_the_next_pose():
    chain = InputChain(LoudIsVoice())
    chain.take(block(np.zeros(1000, np.float32), 0, 16_000))
    out = chain.take(block(np.zeros(48_000, np.float32), 1000, 48_000))
    assert out.frame == 2


def test_reset_equals_new():
    used, new = (InputChain(LoudIsVoice(), level=AGC()) for _ in range(2))
    used.take(block(words(48_000, (-20, 1.0)), 5000))
    used.reset()
    samples = words(48_000, *SENTENCE, seed=1)
    for found, expected in zip(push(used, samples, 48_000), push(new, samples, 48_000), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert used.meter.held_peak_dbfs == new.meter.held_peak_dbfs


@pytest.mark.parametrize("gain_db", [-41, 41, float("nan")])
def test_a_gain_that_cannot_be_is_refused(gain_db):
    with pytest.raises(UsageError, match="expected -40 to 40"):
        InputChain(None, gain_db=gain_db)


@pytest.mark.parametrize("pose", [300, 301, 302])
def test_after_a_gap_no_pose_is_lost_between_front_and_animator(pose):
    animators = [Animator(LoudnessModel(), Face(), chain) for chain in (None, InputChain(None, gated=False))]
    start = -(-pose * 48000 // 60)
    block = AudioBlock(np.zeros(48000, np.float32), 48000, start, 0.0)
    first = [
        animator.push(AudioBlock(np.zeros(480, np.float32), 48000, 0, 0.0)) or animator.push(block)[0].index
        for animator in animators
    ]
    assert first == [pose, pose]


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_the_last_sound_before_an_end_is_heard_to_its_last_sample(rate):
    chain, samples = InputChain(None, gated=False), np.zeros(rate // 10, np.float32)
    samples[-20:] = 0.5
    given = chain.take(AudioBlock(samples, rate, 0, 0.0)).samples
    rest = chain.flush().samples
    assert len(given) + len(rest) == 1600
    assert np.abs(rest).max() > 0.4


def test_after_an_end_the_next_sound_is_as_fresh_as_the_first():
    samples, chain = words(48_000, (-20, 0.5)), InputChain(LoudIsVoice())
    once = chain.take(AudioBlock(samples, 48_000, 0, 0.0)).samples
    chain.flush()
    again = chain.take(
        AudioBlock(samples, 48_000, len(samples), 0.0)
    )  # without a gap: its start is no reason to begin anew
    np.testing.assert_array_equal(again.samples, once)


@pytest.mark.parametrize("lost", [1, 777, 1234, 48_000])
def test_after_a_gap_the_network_hears_what_it_would_without_a_chain(lost):
    samples = words(48_000, (-20, 2.0))
    found = []
    for chain in (None, InputChain(None, gated=False)):
        animator = Animator(LoudnessModel(), Face(), chain)
        animator.push(block(samples[:48_000], 0))
        found.append(animator.push(block(samples[48_000:], 48_000 + lost)))
        assert animator.gaps == 1
    plain, chained = found
    assert [frame.index for frame in chained] == [frame.index for frame in plain]
    np.testing.assert_array_equal([frame.weights for frame in chained], [frame.weights for frame in plain])


def test_the_poses_of_an_utterance_hear_its_end_through_a_front():
    sound = words(48_000, (-60, 0.5))
    sound[-60:] = 0.9
    plain, fronted = (Animator(LoudnessModel(), Face(), chain) for chain in (None, InputChain(None, gated=False)))
    last = [
        [*animator.push(AudioBlock(sound, 48_000, 0, 0.0)), *animator.flush()][-1].weights
        for animator in (plain, fronted)
    ]
    np.testing.assert_allclose(last[1], last[0], atol=1e-3)


def test_a_measurement_asked_for_while_the_last_one_ends_is_answered_too():
    chain, answered = InputChain(None), []

    def first(_samples, _rate):
        answered.append("first")
        chain.measure(0.01, lambda _samples, _rate: answered.append("second"))

    chain.measure(0.01, first)
    for _ in range(3):
        chain.push(np.zeros(1600, np.float32), 16000)
    assert answered == ["first", "second"]
