import threading

import numpy as np
import pytest

from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.testing.stand_ins import FakePortAudio, FakeStream, ListSource, ManualClock

RATE = 48000
SOUND = np.linspace(-1, 1, 9600).astype(np.float32)[:, None]


def speaker(sound: np.ndarray = SOUND, *, feed: bool = True) -> tuple[Speaker, FakeStream, ManualClock]:
    devices, clock = FakePortAudio(), ManualClock(50.0)
    playing = Speaker(
        ListSource.of_samples(sound, RATE, 1000), block_s=1000 / RATE, clock=clock, system=SoundSystem(devices)
    )
    if feed:
        playing.feed()
    assert devices.streams[0].started
    return playing, devices.streams[0], clock


def test_the_file_is_heard_whole_and_then_silence():
    _, stream, _ = speaker()
    heard = np.concatenate([stream.play(960) for _ in range(12)])
    np.testing.assert_array_equal(heard[:9600], np.repeat(SOUND, 2, axis=1))
    assert not heard[9600:].any()


def test_the_level_is_that_of_what_the_device_took_last():
    playing, stream, _ = speaker(np.full((960, 1), 0.1, np.float32), feed=False)
    stream.play(480)
    assert playing.level_dbfs is None
    playing.feed()
    stream.play(480)
    assert playing.level_dbfs == pytest.approx(-20, abs=0.01)
    stream.play(960)
    assert playing.level_dbfs == pytest.approx(-23, abs=0.1), "half of it is the silence after the end"


def test_pose_0_is_due_when_the_first_sample_is_heard():
    playing, stream, clock = speaker()
    assert playing.zero_s is None
    for _ in range(15):
        stream.play(480)
        clock.advance(480 / RATE)
    assert playing.zero_s == pytest.approx(50.0 + stream.latency)
    assert playing.heard_s(30) == pytest.approx(playing.zero_s + 0.5)


def test_time_goes_on_after_the_end_of_the_file():
    playing, stream, clock = speaker(SOUND[:100])
    for _ in range(200):
        stream.play(480)
        clock.advance(480 / RATE)
    assert playing.zero_s == pytest.approx(50.0 + stream.latency)
    assert playing.underruns == 0


def test_late_requests_do_not_move_the_clock():
    playing, stream, clock = speaker()
    late = np.random.default_rng(0).uniform(0, 0.004, 20)
    late[3] = 0
    for request in range(20):
        at_s = 50.0 + request * 480 / RATE + late[request]
        clock.advance(at_s - clock.now())
        stream.play(480)
    assert playing.zero_s == pytest.approx(50.0 + stream.latency, abs=1e-6)


def test_when_the_file_is_read_too_slowly_the_face_waits_with_the_sound():
    playing, stream, clock = speaker(feed=False)
    stream.play(480)
    assert playing.zero_s is None
    assert playing.underruns == 0
    playing.feed()
    clock.advance(1.0)
    stream.play(480)
    assert playing.zero_s == pytest.approx(51.0 + stream.latency)


def test_a_stall_in_the_middle_is_counted():
    playing, stream, _ = speaker(feed=False)
    playing._sound.put(SOUND[:1000])
    assert stream.play(1000).any()
    assert not stream.play(480).any()
    assert playing.underruns == 1


@pytest.mark.parametrize(("channels", "expected"), [(1, 1.0), (2, 0.75), (6, 0.75)])
def test_sound_is_fitted_to_the_devices_channels(channels, expected):
    sound = np.tile(np.array([[1.0, 0.5] * 3], np.float32)[:, :channels], (2000, 1))
    _, stream, _ = speaker(sound)
    heard = stream.play(480, channels=3)
    np.testing.assert_allclose(heard, expected if channels != 1 else 1.0)


def test_a_refusing_output_is_a_device_error():
    source = ListSource.of_samples(SOUND, RATE, 1000)
    with pytest.raises(DeviceError, match="no audio output: Invalid device"):
        Speaker(source, block_s=0.1, clock=ManualClock(), system=SoundSystem(FakePortAudio(refuse="Invalid device")))


def test_an_output_that_is_busy_is_a_device_error_and_left_closed():
    devices = FakePortAudio(busy="Device unavailable")
    with pytest.raises(DeviceError, match="no audio output: Device unavailable"):
        Speaker(ListSource.of_samples(SOUND, RATE, 1000), block_s=0.1, clock=ManualClock(), system=SoundSystem(devices))
    assert devices.streams[0].closed


def test_closing_silences_and_ends_the_reader():
    playing, stream, _ = speaker(np.zeros((100 * 1000, 1), np.float32), feed=False)
    reader = threading.Thread(target=playing.feed)
    reader.start()
    playing.close()
    playing.close()
    reader.join(5)
    assert not reader.is_alive()
    assert stream.closed
