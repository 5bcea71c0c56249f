import threading

import numpy as np
import pytest

from livelink_bridge.audio import resample
from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.sources.utterance import Boundary
from livelink_bridge.testing.stand_ins import LoudnessModel, ManualClock

RATE = 24000
STEREO = PcmFormat("s16le", RATE, 2)


def sound(seconds: float) -> np.ndarray:
    return np.random.default_rng(7).uniform(-0.5, 0.5, (round(seconds * RATE), 1)).astype(np.float32)


def test_a_source_that_is_finished_gives_everything_and_ends():
    clock = ManualClock(50.0)
    source = PcmSource("engine", clock=clock)
    voice = sound(1.0)
    source.push(voice, RATE)
    source.finish()
    blocks = list(source.blocks())
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), voice)
    assert isinstance(blocks[-1], Boundary)
    assert source.played_out()
    assert clock.now() == pytest.approx(51.025, abs=0.006)
    assert source.zero_s == pytest.approx(50.025)
    assert source.heard_s(60) == pytest.approx(51.025)


def test_a_source_that_waits_is_woken_by_sound_and_by_its_end():
    source = PcmSource("engine", clock=MonotonicClock())
    blocks: list[AudioBlock] = []
    first, ended = threading.Event(), threading.Event()

    def read() -> None:
        for block in source.blocks():
            blocks.append(block)
            first.set()
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    source.push(sound(0.1), RATE)
    assert first.wait(5)
    assert not source.played_out()
    source.finish()
    assert ended.wait(5)
    assert sum(len(block.samples) for block in blocks) == RATE // 10
    assert source.played_out()


def test_closing_ends_it_whatever_waits():
    source = PcmSource("engine", clock=MonotonicClock())
    source.push(sound(20.0), RATE)
    ended = threading.Event()
    threading.Thread(target=lambda: (list(source.blocks()), ended.set()), daemon=True).start()
    source.close()
    assert ended.wait(5)
    assert source.played_out()


def test_what_is_echoed_is_what_is_played_with_the_time_until_it_is():
    clock = ManualClock()
    source = PcmSource("engine", clock=clock, echo=True)
    voice = sound(0.5)
    source.push(voice, RATE)
    source.finish()
    echo: list[tuple[AudioBlock, float]] = []
    for _ in source.blocks():
        echo += source.take_echo()
    np.testing.assert_array_equal(np.concatenate([block.samples for block, _ in echo]), voice)
    assert all(0 < in_s <= 0.2501 for _, in_s in echo)
    assert source.take_echo() == []


def test_an_interruption_takes_back_the_echo_too():
    source = PcmSource("engine", clock=ManualClock(), echo=True)
    source.push(sound(0.5), RATE)
    blocks = source.blocks()
    next(blocks)
    source.interrupt()
    cut = next(blocks)
    assert isinstance(cut, Boundary) and cut.cut
    assert source.take_echo() == []
    assert [done.reason for done in source.take_ended()] == ["interrupt"]


@pytest.mark.parametrize(
    "layout", [PcmFormat("s16le", RATE, 1), PcmFormat("s16le", RATE, 2), PcmFormat("f32le", RATE, 2)], ids=str
)
@pytest.mark.parametrize("message_bytes", [1, 333, 4801])
def test_messages_that_end_within_a_sample_are_the_same_sound(layout, message_bytes):
    source = PcmSource("engine", clock=ManualClock())
    data = layout.encode(np.repeat(sound(0.1), layout.channels, axis=1))
    for at in range(0, len(data), message_bytes):
        source.push_bytes(data[at : at + message_bytes], layout)
    source.finish()
    np.testing.assert_array_equal(np.concatenate([block.samples for block in source.blocks()]), layout.decode(data))
    assert source.position().dropped_bytes == 0


def test_a_sample_that_an_utterance_ends_within_is_dropped_and_counted():
    source = PcmSource("engine", clock=ManualClock())
    for _ in range(2):
        source.push_bytes(STEREO.encode(np.full((5, 2), 0.5, np.float32)) + b"\x01\x02\x03", STEREO)
        source.end()
    source.push_bytes(b"\x01", STEREO)
    source.finish()
    played = np.concatenate([block.samples for block in source.blocks() if len(block.samples)])
    np.testing.assert_array_equal(played, np.full((10, 2), 0.5))
    assert source.position().dropped_bytes == 3 + 3 + 1


@pytest.mark.parametrize("forget", [PcmSource.interrupt, PcmSource.drop_partial_sample])
def test_a_sample_that_is_forgotten_does_not_count(forget):
    source = PcmSource("engine", clock=ManualClock())
    source.push_bytes(b"\x01\x02\x03", STEREO)
    forget(source)
    source.push_bytes(STEREO.encode(np.full((5, 2), 0.5, np.float32)), STEREO)
    source.finish()
    np.testing.assert_array_equal(
        np.concatenate([block.samples for block in source.blocks() if len(block.samples)]), np.full((5, 2), 0.5)
    )
    assert source.position().dropped_bytes == 0


def test_another_format_begins_a_sample_of_its_own():
    source = PcmSource("engine", clock=ManualClock())
    source.push_bytes(b"\x01", STEREO)
    mono = PcmFormat("s16le", RATE, 1)
    source.push_bytes(mono.encode(np.full((5, 1), 0.5, np.float32)), mono)
    source.finish()
    np.testing.assert_array_equal(
        np.concatenate([block.samples for block in source.blocks() if len(block.samples)]), np.full((5, 1), 0.5)
    )


def test_sound_that_was_begun_before_an_interruption_is_not_kept():
    source = PcmSource("engine", clock=ManualClock())
    before = source.interruptions
    assert source.push(sound(0.1), RATE, expected_interruptions=before)
    source.interrupt()
    assert not source.push(sound(0.1), RATE, expected_interruptions=before)
    assert not len(source.samples_of(b"\0\0\0", STEREO, expected_interruptions=before))
    assert source.position().buffered_s == 0
    source.push_bytes(STEREO.encode(np.zeros((9, 2), np.float32)), STEREO)
    source.end()
    assert source.position().dropped_bytes == 0


def test_its_reader_hears_of_each_echo_and_of_the_end_of_an_utterances_sound():
    for echo, heard in [(False, ["end"]), (True, ["sound", "sound", "end"])]:
        source = PcmSource("engine", clock=ManualClock(), echo=echo)
        told: list[bool] = []
        source.on_progress = lambda told=told: told.append(True)
        source.push(sound(2 / 60), RATE)
        source.finish()
        list(source.blocks())
        assert len(told) == len(heard)


def test_when_an_utterance_is_over_is_known_as_soon_as_the_model_has_its_sound():
    clock = ManualClock(10.0)
    source = PcmSource("engine", clock=clock)
    source.push(sound(0.05), RATE)
    assert source.next_end_s() is None
    source.end()
    blocks = source.blocks()
    while not isinstance(next(blocks), Boundary):
        pass
    next_end_s = source.next_end_s()
    assert next_end_s == pytest.approx(10.025 + 0.05)
    clock.advance(next_end_s - clock.now() - 1e-3)
    assert source.take_ended() == []
    clock.advance(1e-3)
    assert len(source.take_ended()) == 1


def test_without_an_echo_nothing_is_kept():
    source = PcmSource("engine", clock=ManualClock())
    source.push(sound(0.5), RATE)
    source.finish()
    list(source.blocks())
    assert source.take_echo() == []


def test_it_is_idle_only_when_all_was_told():
    source = PcmSource("engine", clock=ManualClock())
    assert source.idle()
    source.end()
    assert not source.idle()
    assert [done.reason for done in source.take_ended()] == ["end"]
    assert source.idle()


def test_the_filter_for_another_rate_is_made_before_the_models_thread_needs_it():
    source = PcmSource("client", clock=ManualClock())
    resample._bank.cache_clear()
    source.push(np.zeros((4799, 1), np.float32), 47_990)
    source.finish()
    made = resample._bank.cache_info().misses
    animator = Animator(LoudnessModel(), Face())
    blocks = [block for block in source.blocks() if len(block.samples)]
    assert made > 0 and blocks
    for block in blocks:
        animator.push(block)
    assert resample._bank.cache_info().misses == made
