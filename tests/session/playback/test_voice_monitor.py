import numpy as np
import pytest

from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError
from livelink_bridge.session.playback.voice_monitor import VoiceMonitor
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock
from livelink_bridge.timing.shown import Shown

RATE = 48000
BLOCK = 960
DELAY_S = 0.1
"""Of the face. The stand-in output holds 50 ms, blocks last 20, and 20 more are kept for blocks that come unevenly."""
LATENCY_S = 0.05
"""Of the stand-in's streams."""


def voice(seconds: float, seed: int = 5) -> np.ndarray:
    """Noise without anything above 4 kHz, as speech has it."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(round(seconds * RATE)))
    spectrum[np.fft.rfftfreq(round(seconds * RATE), 1 / RATE) > 4000] = 0
    sound = np.fft.irfft(spectrum)
    return (0.2 * sound / sound.std()).astype(np.float32)


def lag_s(heard: np.ndarray, spoken: np.ndarray) -> float:
    """By how much `heard` comes after `spoken`, from the peak of their cross-correlation."""
    size = 2 * len(spoken)
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size)))
    at = int(np.argmax(product))
    return (at if at < len(spoken) else at - size) / RATE


class Moving(Shown):
    """Is asked anew each time."""

    def __init__(self, zero_s) -> None:
        super().__init__()
        self._zero_s = zero_s

    @property
    def zero_s(self) -> float:
        return self._zero_s()


def shown(zero_s: float) -> Shown:
    """Audio time 0 is shown at `zero_s`."""
    found = Shown()
    found.write(0.0, zero_s)
    return found


def simulated(minutes: int, input_ppm: float, output_ppm: float) -> tuple[VoiceMonitor, list[float]]:
    """A microphone and an output, each by a clock of its own; by how many seconds the voice is after the face, minute
    by minute.

    Sound sample i is spoken at i / (RATE (1 + input_ppm)); its pose is shown DELAY_S later. The output asks every 20 ms
    of its own.
    """
    devices, clock, rng = FakePortAudio(), ManualClock(), np.random.default_rng(8)
    input_hz, output_hz = RATE * (1 + input_ppm * 1e-6), RATE * (1 + output_ppm * 1e-6)

    def zero_s() -> float:
        """Sound time counts samples at the nominal rate, so its zero moves as the input's clock drifts."""
        return clock.now() * (1 - input_hz / RATE) + DELAY_S

    out = VoiceMonitor(None, clock=clock, shown=Moving(zero_s), system=SoundSystem(devices))
    spoken, found = voice(2.0), []
    written, asked, heard = 0, 0, []
    while len(found) < minutes:
        asked_s = asked / output_hz + rng.uniform(0, 0.002)
        while written / input_hz < asked_s:
            start = written % len(spoken)
            written += BLOCK
            out.heard(AudioBlock(spoken[start : start + BLOCK], RATE, written - BLOCK, written / input_hz))
        clock.advance(max(0.0, asked_s - clock.now()))
        played = devices.streams[0].play(BLOCK)[:, 0]
        if clock.now() > 60 * (len(found) + 1) - 2:
            heard.append((asked, played))
        if clock.now() > 60 * (len(found) + 1):
            found.append(voice_after_face(heard, spoken, input_hz, output_hz))
            heard = []
        asked += BLOCK
    return out, found


def voice_after_face(heard, spoken: np.ndarray, input_hz: float, output_hz: float) -> float:
    first_heard_s = heard[0][0] / output_hz + LATENCY_S
    sound = np.concatenate([played for _, played in heard])
    # The sample whose pose is shown when the first of these is heard.
    shown = round((first_heard_s - DELAY_S) * input_hz)
    expected = np.roll(spoken, -(shown % len(spoken)))[: len(sound)]
    return lag_s(sound, expected)


TEN_MINUTES = [
    pytest.param(10, 200.0, 0.0, marks=pytest.mark.slow),
    pytest.param(10, -100.0, 100.0, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("minutes", "input_ppm", "output_ppm"), [(3, 200.0, 0.0), *TEN_MINUTES])
def test_the_voice_stays_with_the_face_whatever_the_clocks(minutes, input_ppm, output_ppm, capsys):
    out, found = simulated(minutes, input_ppm, output_ppm)
    after_ms = 1000 * np.array(found)
    with capsys.disabled():
        print(  # noqa: T201 - promised, and to be seen in the log of every run
            f"\nvoice after face, clocks off by {input_ppm:+.0f} and {output_ppm:+.0f} ppm, {minutes} minutes: "
            f"{after_ms.min():+.2f} to "
            f"{after_ms.max():+.2f} ms (bar 10); drift {out.follower.drift_ppm:+.0f} ppm"
        )
    assert len(found) == minutes
    assert np.abs(after_ms).max() < 3
    assert abs(after_ms[-1] - after_ms[1]) < 1
    assert out.follower.leaps == 0
    assert out.follower.drift_ppm == pytest.approx(input_ppm - output_ppm, abs=40)


def opened() -> tuple[VoiceMonitor, FakePortAudio, ManualClock]:
    devices, clock = FakePortAudio(), ManualClock()
    return VoiceMonitor("speak", clock=clock, shown=Shown(), system=SoundSystem(devices)), devices, clock


def test_until_a_pose_is_shown_there_is_silence():
    out, devices, _ = opened()
    out.heard(AudioBlock(np.ones(4800, np.float32), RATE, 0, 0.1))
    assert not devices.streams[0].play(480).any()


def test_an_output_that_goes_is_opened_again_once_it_is_back():
    out, devices, clock = opened()
    gone = devices.plugged.pop(2)
    devices.streams[0].unplug()
    out.tend()
    assert out.trouble is not None and "no output's name contains 'speak'" in out.trouble
    devices.plugged.append(gone)
    out.tend()
    assert len(devices.streams) == 1, "not more often than once a second"
    clock.advance(1.1)
    out.tend()
    assert (len(devices.streams), out.trouble) == (2, None)
    out.close()
    assert devices.streams[1].closed


def test_an_input_is_not_taken_for_an_output():
    with pytest.raises(
        DeviceError, match=r"\(Desk Microphone\) is not an output; outputs: 1 Studio Interface: Line In, 2 Speakers"
    ):
        VoiceMonitor("desk", clock=ManualClock(), shown=Shown(), system=SoundSystem(FakePortAudio()))


def test_what_is_heard_on_the_way_is_passed_on():
    out, _, _ = opened()
    blocks = [AudioBlock(np.ones(480, np.float32), RATE, start, 0.0) for start in (0, 480)]
    assert list(out.tee(iter(blocks))) == blocks


def test_an_output_slower_than_the_face_plays_what_there_is_and_says_what_to_do(caplog):
    devices, clock = FakePortAudio(), ManualClock()
    out = VoiceMonitor(None, clock=clock, shown=shown(0.01), system=SoundSystem(devices))
    spoken = voice(2.0)
    heard = []
    for start in range(0, len(spoken), BLOCK):
        clock.advance(BLOCK / RATE)
        out.heard(AudioBlock(spoken[start : start + BLOCK], RATE, start, clock.now()))
        heard.append(devices.streams[0].play(BLOCK)[:, 0])
    out.tend()
    out.tend()
    # The sound that is heard 50 ms after it is asked for should have been spoken 40 ms ago, and 20 ms more are asked
    # for at once.
    assert out.late_s == pytest.approx(0.04 + BLOCK / RATE + 0.02, abs=0.002)
    assert lag_s(np.concatenate(heard)[-48000:], spoken[-48000:]) == pytest.approx(0.02, abs=0.002)
    assert [record.message for record in caplog.records] == [
        "sound output 'Speakers' needs 80 ms more than the face takes, so the voice comes after it; --face-delay 80 "
        "brings them together"
    ]


def test_a_microphone_that_was_away_leaves_the_voice_in_step_afterwards(caplog):
    devices, clock = FakePortAudio(), ManualClock()
    out = VoiceMonitor(None, clock=clock, shown=shown(DELAY_S), system=SoundSystem(devices))
    spoken = voice(2.0)

    def talk(seconds: float, first: int) -> None:
        for start in range(first, first + round(seconds * RATE), BLOCK):
            clock.advance(BLOCK / RATE)
            at = start % len(spoken)
            out.heard(AudioBlock(spoken[at : at + BLOCK], RATE, start, clock.now()))
            devices.streams[0].play(BLOCK)

    talk(3.0, 0)
    before_s = out.late_s
    for _ in range(150):
        clock.advance(BLOCK / RATE)
        assert _ < 10 or not devices.streams[0].play(BLOCK).any(), "nothing is heard while nobody is"
    talk(3.0, 6 * RATE)
    out.tend()
    assert out.late_s == pytest.approx(before_s, abs=0.025)
    assert not any("needs" in record.message for record in caplog.records if "500" in record.message)


def test_an_output_that_is_found_but_busy_is_tried_again():
    out, devices, clock = opened()
    devices.streams[0].unplug()
    devices.refuse = "Device unavailable"
    out.tend()
    assert out.trouble is not None
    devices.refuse = None
    clock.advance(1.1)
    out.tend()
    assert (len(devices.streams), out.trouble) == (2, None)
