import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.sources.audio_file import WavSource
from livelink_bridge.sources.base import Source
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.sources.paced_pcm import PcmSource
from livelink_bridge.testing.stand_ins import FakePortAudio, ListSource, ManualClock

RATE = 48000
SOUND = (np.random.default_rng(4).standard_normal((4800, 2)) * 0.1).astype(np.float32)

Opened = tuple[Source, Callable[[], None]]
"""A source that will give SOUND, and what makes the sound come and end."""


def list_source(_folder: Path) -> Opened:
    return ListSource.of_samples(SOUND, RATE, 480), lambda: None


def wav_source(folder: Path) -> Opened:
    path = folder / "sound.wav"
    soundfile.write(path, SOUND, RATE, subtype="FLOAT")
    return WavSource(path, clock=ManualClock(), block_s=0.01), lambda: None


def microphone_source(_folder: Path) -> Opened:
    devices, clock = FakePortAudio(default_input=1), ManualClock()
    source = MicrophoneSource(Input(), clock=clock, system=SoundSystem(devices))

    def speak() -> None:
        for start in range(0, len(SOUND), 200):
            clock.advance(200 / RATE)
            devices.streams[0].record(SOUND[start : start + 200])
        source.close()

    return source, speak


def pcm_source(_folder: Path) -> Opened:
    source = PcmSource("engine", clock=ManualClock())

    def speak() -> None:
        source.push(SOUND, RATE)
        source.finish()

    return source, speak


@pytest.fixture(
    params=[list_source, wav_source, microphone_source, pcm_source], ids=["list", "wav", "microphone", "pcm"]
)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return request.param(tmp_path)


class TestEverySource:
    def test_gives_all_of_its_sound_in_order(self, opened: Opened):
        source, speak = opened
        speak()
        blocks = list(source.blocks())
        np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), SOUND)
        assert [block.start for block in blocks] == [0, *np.cumsum([len(block.samples) for block in blocks])[:-1]]
        assert {block.sample_rate for block in blocks} == {source.sample_rate} == {RATE}

    def test_says_when_each_block_came(self, opened: Opened):
        source, speak = opened
        speak()
        arrivals = [block.arrived_s for block in source.blocks()]
        assert arrivals == sorted(arrivals)

    def test_ends_when_it_is_closed(self, opened: Opened):
        source, _ = opened
        source.close()
        source.close()
        ended = threading.Event()
        reader = threading.Thread(target=lambda: (list(source.blocks()), ended.set()), daemon=True)
        reader.start()
        assert ended.wait(5)

    def test_names_itself_and_has_lost_nothing(self, opened: Opened):
        source, speak = opened
        speak()
        list(source.blocks())
        assert source.name
        assert (source.overflows, source.dropped) == (0, 0)
        assert source.duration_s == (None if source.live else pytest.approx(0.1))
