import numpy as np
import pytest

from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.sources.playout import PlayoutBuffer
from livelink_bridge.sources.utterance import Boundary, UtteranceEnd

RATE = 24000


def sound(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.full((round(seconds * rate), 1), 0.1, np.float32)


class Played:
    """A PlayoutBuffer whose model takes everything as soon as it is due, on a millisecond's grid from 100 s on."""

    def __init__(self, **options) -> None:
        self.audio = PlayoutBuffer(**options)
        self.ms = 100_000
        self.blocks: list[AudioBlock] = []
        self.over: list[UtteranceEnd] = []

    @property
    def now_s(self) -> float:
        return self.ms / 1000

    def push(self, seconds: float, rate: int = RATE) -> None:
        self.audio.push(sound(seconds, rate), rate, self.now_s)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 1000)):
            while (block := self.audio.take(self.now_s)) is not None:
                self.blocks.append(block)
            self.over += self.audio.take_ended(self.now_s)
            self.ms += 1

    def handed_s(self) -> float:
        return sum(len(block.samples) / block.sample_rate for block in self.blocks)

    def sounds(self) -> list[AudioBlock]:
        return [block for block in self.blocks if len(block.samples)]


def test_sound_faster_than_real_time_is_played_at_its_own_rate():
    played = Played()
    played.push(5.0)
    played.run(1.0)
    position = played.audio.position(played.now_s)
    assert position.played_s == pytest.approx(1.0 - 0.025, abs=0.002)
    assert position.buffered_s == pytest.approx(5.0 - position.played_s)
    assert played.handed_s() == pytest.approx(position.played_s + 0.25, abs=0.02)


def test_each_sample_is_delivered_a_quarter_of_a_second_before_it_is_played_and_none_is_lost():
    played = Played()
    ramp = np.arange(2 * RATE, dtype=np.float32)[:, None] / RATE
    played.audio.push(ramp, RATE, played.now_s)
    played.audio.end()
    played.run(3.0)
    np.testing.assert_array_equal(np.concatenate([block.samples for block in played.sounds()]), ramp)
    ends = [played.audio.play_time_s(block.start, RATE) - block.arrived_s for block in played.sounds()]
    assert max(ends) <= 0.2501 and min(ends) > 0
    assert ends[-1] == pytest.approx(0.25, abs=0.002)
    assert all(len(block.samples) <= RATE // 60 for block in played.blocks)


def test_the_first_tenth_of_a_second_is_enough_to_begin_and_begins_25_ms_later():
    played = Played()
    played.push(0.099)
    played.run(0.05)
    assert played.blocks == []
    played.push(0.001)
    began_s = played.now_s
    played.run(0.001)
    assert played.audio.zero_s == pytest.approx(began_s + 0.025)
    assert played.blocks[0].start == 0
    assert played.handed_s() == pytest.approx(0.1)


def test_less_than_that_begins_when_it_is_ended_or_nothing_has_followed_for_a_fifth_of_a_second():
    ended = Played()
    ended.push(0.03)
    ended.audio.end()
    ended.run(0.002)
    assert ended.handed_s() == pytest.approx(0.03)
    waiting = Played()
    waiting.push(0.03)
    waiting.run(0.199)
    assert waiting.blocks == []
    waiting.run(0.003)
    assert waiting.handed_s() == pytest.approx(0.03)


def test_sound_slower_than_real_time_pauses_and_begins_again_later_never_in_a_burst():
    played = Played()
    for _ in range(40):
        played.push(0.05)
        played.run(0.1)
    played.run(0.5)
    sounds = played.sounds()
    times = [
        (played.audio.play_time_s(block.start, RATE), played.audio.play_time_s(block.end, RATE)) for block in sounds
    ]
    assert all(later[0] >= earlier[1] - 1e-9 for earlier, later in zip(times, times[1:], strict=False)), (
        "no two are played at once"
    )
    assert played.handed_s() == pytest.approx(2.0)
    assert played.audio.underruns > 5
    assert all(block.arrived_s <= begin_s for block, (begin_s, _) in zip(sounds, times, strict=True)), (
        "nothing is played before it came"
    )


def test_after_running_dry_the_sound_is_numbered_by_when_it_is_played():
    played = Played()
    played.push(0.2)
    played.run(1.0)
    played.push(0.2)
    began_s = played.now_s
    played.run(0.001)
    again = next(block for block in played.blocks if block.arrived_s >= began_s)
    at_s = played.audio.play_time_s(again.start, RATE)
    assert began_s + 0.025 <= at_s < began_s + 0.025 + 1 / 60
    assert again.start % (RATE // 60) == 0, "on the grid of the poses"
    assert played.audio.underruns == 1


def test_jitter_within_what_is_buffered_changes_nothing():
    played = Played()
    played.push(0.1)
    for late_s in [0.1, 0.05, 0.15, 0.04, 0.16] * 4:
        played.push(0.1)
        played.run(late_s)
    starts = [block.start for block in played.sounds()]
    assert starts == [0, *np.cumsum([len(block.samples) for block in played.sounds()])[:-1]]
    assert played.audio.underruns == 0


def test_an_utterance_is_over_when_its_last_sample_was_played():
    played = Played()
    played.push(0.5)
    played.audio.end()
    played.run(0.52)
    assert played.over == []
    played.run(0.01)
    assert played.over == [UtteranceEnd(1, "end", 0.5)]
    assert isinstance(played.blocks[-1], Boundary) and not played.blocks[-1].cut
    assert played.audio.idle(played.now_s)


def test_an_end_without_sound_is_over_at_once():
    played = Played()
    played.audio.end()
    played.run(0.001)
    assert played.over == [UtteranceEnd(1, "end", 0.0)]
    assert played.blocks == []


def test_utterances_follow_one_another_each_with_its_own_end_and_rate():
    played = Played()
    played.push(0.3, 24000)
    played.push(0.3, 48000)
    played.audio.end()
    played.run(1.0)
    assert [done.utterance for done in played.over] == [1, 2]
    assert [block.sample_rate for block in played.blocks if isinstance(block, Boundary)] == [24000, 48000]
    first, second = (next(block for block in played.blocks if block.sample_rate == rate) for rate in (24000, 48000))
    pause_s = played.audio.play_time_s(second.start, 48000) - played.audio.play_time_s(first.start, 24000) - 0.3
    assert 0.025 <= pause_s < 0.05


def test_an_interruption_drops_all_that_waits_and_says_how_far_it_came():
    played = Played()
    played.push(10.0)
    played.audio.end()
    played.push(1.0)
    played.run(0.525)
    played.audio.interrupt(played.now_s)
    played.blocks.clear()
    played.run(0.5)
    assert [(done.utterance, done.reason) for done in played.over] == [(1, "interrupt"), (2, "interrupt")]
    assert played.over[0].played_s == pytest.approx(0.5, abs=0.001)
    assert played.over[1].played_s == 0.0
    (cut,) = played.blocks
    assert isinstance(cut, Boundary) and cut.cut
    assert cut.start == 30, "the pose that was shown"
    assert played.audio.position(played.now_s).buffered_s == 0


def test_who_speaks_after_an_interruption_waits_until_the_face_has_closed():
    played = Played()
    played.push(1.0)
    played.run(0.5)
    played.audio.interrupt(played.now_s)
    interrupted_s = played.now_s
    played.push(1.0)
    played.blocks.clear()
    played.run(0.001)
    begin_s = played.audio.play_time_s(played.sounds()[0].start, RATE)
    assert interrupted_s + 0.15 <= begin_s < interrupted_s + 0.2


def test_interrupting_silence_is_answered_and_cuts_nothing():
    played = Played()
    played.audio.interrupt(played.now_s)
    played.run(0.01)
    assert played.over == [UtteranceEnd(1, "interrupt", 0.0)]
    assert played.blocks == []


def test_it_is_full_at_its_limit_and_has_room_again_when_some_was_played():
    played = Played(buffer_s=2.0)
    played.push(1.99)
    assert not played.audio.full(played.now_s)
    played.push(0.02)
    assert played.audio.full(played.now_s)
    played.run(0.1)
    assert not played.audio.full(played.now_s)


def test_no_number_of_tiny_utterances_is_unbounded():
    played = Played()
    pushed = 0
    while not played.audio.full(played.now_s):
        played.push(1 / RATE)
        played.audio.end()
        pushed += 1
        assert pushed < 100
    played.run(0.1)
    assert not played.audio.full(played.now_s)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 192000])
def test_at_any_rate_a_stretch_begins_with_the_pose_of_the_tick_that_shows_it(rate):
    played = Played()
    for _ in range(3):
        played.push(0.2, rate)
        played.audio.end()
        played.run(0.4321)
    firsts = [
        block for before, block in zip(played.blocks, played.blocks[1:], strict=False) if isinstance(before, Boundary)
    ]
    assert len(firsts) == 2
    for block in firsts:
        pose = -(-block.start * 60 // rate)
        assert 0 <= pose * rate / 60 - block.start < 1


def test_it_says_when_to_look_again():
    audio = PlayoutBuffer()
    assert audio.next_s(1.0) is None
    audio.push(sound(0.05), RATE, 1.0)
    assert audio.next_s(1.0) == pytest.approx(1.2)
    audio.push(sound(1.0), RATE, 1.1)
    while audio.take(1.1) is not None:
        pass
    due_s = audio.next_s(1.1)
    assert due_s is not None and 1.1 < due_s < 1.1 + 1 / 60
    assert audio.take(due_s - 0.0001) is None
    assert audio.take(due_s) is not None
