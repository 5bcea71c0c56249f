import threading

import numpy as np
import pytest

from livelink_bridge.clock import MonotonicClock
from livelink_bridge.frames import AudioBlock
from livelink_bridge.listen.utterance import Boundary
from livelink_bridge.sources.pcm import PcmSource
from livelink_bridge.testing import ManualClock

RATE = 24000


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
    assert source.heard_out()
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
    assert not source.heard_out()
    source.finish()
    assert ended.wait(5)
    assert sum(len(block.samples) for block in blocks) == RATE // 10
    assert source.heard_out()


def test_closing_ends_it_whatever_waits():
    source = PcmSource("engine", clock=MonotonicClock())
    source.push(sound(20.0), RATE)
    ended = threading.Event()
    threading.Thread(target=lambda: (list(source.blocks()), ended.set()), daemon=True).start()
    source.close()
    assert ended.wait(5)
    assert source.heard_out()


def test_what_is_echoed_is_what_is_played_with_the_time_until_it_is():
    clock = ManualClock()
    source = PcmSource("engine", clock=clock, echo=True)
    voice = sound(0.5)
    source.push(voice, RATE)
    source.finish()
    echo: list[tuple[AudioBlock, float]] = []
    for _ in source.blocks():
        echo += source.echoed()
    np.testing.assert_array_equal(np.concatenate([block.samples for block, _ in echo]), voice)
    assert all(0 < in_s <= 0.2501 for _, in_s in echo)
    assert source.echoed() == []


def test_an_interruption_takes_back_the_echo_too():
    source = PcmSource("engine", clock=ManualClock(), echo=True)
    source.push(sound(0.5), RATE)
    blocks = source.blocks()
    next(blocks)
    source.interrupt()
    cut = next(blocks)
    assert isinstance(cut, Boundary) and cut.cut
    assert source.echoed() == []
    assert [done.reason for done in source.take_over()] == ["interrupt"]


def test_without_an_echo_nothing_is_kept():
    source = PcmSource("engine", clock=ManualClock())
    source.push(sound(0.5), RATE)
    source.finish()
    list(source.blocks())
    assert source.echoed() == []


def test_it_is_idle_only_when_all_was_told():
    source = PcmSource("engine", clock=ManualClock())
    assert source.idle()
    source.end()
    assert not source.idle()
    assert [done.reason for done in source.take_over()] == ["end"]
    assert source.idle()
