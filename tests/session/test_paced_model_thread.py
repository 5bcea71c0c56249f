from collections.abc import Iterator

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.face import face
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.jitter_buffer import HOLD_FRAMES, JitterBuffer
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.paced_model_thread import CLOSING_FRAMES, animate_paced, closing
from livelink_bridge.sources.playout import PlayoutBuffer
from livelink_bridge.testing.stand_ins import LoudnessModel, ManualClock
from livelink_bridge.timing.arrival_clock import FixedTiming

RATE = 16000
JAW = CHANNELS_61.index("JawOpen")
VOICE = (0.2 * np.sin(np.arange(RATE) / 12)).astype(np.float32)[:, None]


class Face:
    """What a sender would show, tick by tick, while a script of things happens to the sound."""

    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.audio = PlayoutBuffer()
        self.animator = Animator(LoudnessModel(), face.Face())
        self.channel: Channel[FaceFrame] = Channel(30)
        self.shown: list[float] = []
        self.metrics = Metrics()

    def run(self, script: dict[float, object], seconds: float) -> np.ndarray:
        """JawOpen of each tick since the first sound was played; `script` says what is called when, seconds from
        now."""
        self._script = {self.clock.now() + at_s: call for at_s, call in script.items()}
        self._end_s = self.clock.now() + seconds
        self._poses = JitterBuffer(self.channel)
        animate_paced(
            self._blocks(), self.animator, self.channel, FixedTiming(100.025), clock=self.clock, metrics=self.metrics
        )
        return np.array(self.shown)

    def _blocks(self) -> Iterator[AudioBlock]:
        while self.clock.now() < self._end_s:
            for at_s in [at_s for at_s in self._script if at_s <= self.clock.now() + 1e-9]:
                self._script.pop(at_s)()
            while (block := self.audio.take(self.clock.now())) is not None:
                yield block
            if self.audio.zero_s is not None:
                assert self.audio.zero_s == pytest.approx(100.025)
                while (
                    len(self.shown) <= (self.clock.now() - self.audio.zero_s) * 60 + 1e-6
                    and self.clock.now() >= self.audio.zero_s
                ):
                    self.shown.append(float(self._poses.at(len(self.shown))[JAW]))
            self.clock.advance(0.001)

    def say(self, seconds: float) -> None:
        self.audio.push(VOICE[: round(seconds * RATE)], RATE, self.clock.now())


def test_what_is_said_moves_the_face_in_time_with_its_clock():
    face = Face()
    jaw = face.run({0.0: lambda: face.say(1.0), 0.001: face.audio.end}, 2.0)
    whole = LoudnessModel().animate(VOICE[:, 0])[:, LoudnessModel.channels.index("jawOpen")]
    np.testing.assert_allclose(jaw[:60], whole, atol=1e-6)
    assert jaw[80:].max() == 0.0


def test_an_interrupted_face_closes_smoothly_within_a_tenth_of_a_second():
    face = Face()
    jaw = face.run({0.0: lambda: face.say(1.0), 0.53: lambda: face.audio.interrupt(face.clock.now())}, 1.5)
    at = 30  # 0.53 - 0.025 s after the first sound is between ticks 30 and 31
    assert jaw[at] > 0.5
    assert (np.diff(jaw[at : at + CLOSING_FRAMES + 1]) < 0).all()
    assert np.abs(np.diff(jaw[at:])).max() < 0.35 * jaw[at]
    assert not jaw[at + CLOSING_FRAMES :].any()
    assert CLOSING_FRAMES / 60 <= 0.1


def test_an_interruption_while_the_face_eases_already_is_no_slower():
    face = Face()
    jaw = face.run({0.0: lambda: face.say(0.5), 0.65: lambda: face.audio.interrupt(face.clock.now())}, 1.5)
    at = 37
    assert 0 < jaw[at] < jaw[30]
    assert jaw[at + 1] < jaw[at]
    assert not jaw[at + CLOSING_FRAMES :].any()


def test_who_speaks_at_once_after_an_interruption_is_animated_afresh():
    face = Face()

    def barge_in() -> None:
        face.audio.interrupt(face.clock.now())
        face.say(0.5)
        face.audio.end()

    jaw = face.run({0.0: lambda: face.say(1.0), 0.53: barge_in}, 2.0)
    begin = int(np.flatnonzero(jaw[37:])[0]) + 37
    assert (begin - 31) / 60 == pytest.approx(0.15, abs=0.02)
    expected = LoudnessModel().animate(VOICE[: RATE // 2, 0])[:, LoudnessModel.channels.index("jawOpen")]
    np.testing.assert_allclose(jaw[begin : begin + 30], expected, atol=1e-3)  # it begins up to a sample after its pose


def test_sound_that_runs_dry_makes_the_face_hold_and_ease_and_go_on_later():
    face = Face()
    jaw = face.run({0.0: lambda: face.say(0.5), 1.2: lambda: face.say(0.5)}, 2.5)
    assert jaw[20] > 0.5
    assert jaw[60] == 0.0
    assert jaw[80:90].max() > 0.5
    assert face.animator.gaps == 0
    assert face.metrics.sound_s == pytest.approx(1.0)


def test_a_face_that_was_never_shown_needs_no_closing():
    assert closing([], 5) == []
    ahead = FaceFrame(np.ones(61, np.float32), 9)
    assert closing([ahead], 5) == []


def test_closing_goes_on_from_the_pose_that_is_shown():
    frames = [FaceFrame(np.full(61, value, np.float32), index) for value, index in ((0.3, 4), (0.8, 5), (0.1, 6))]
    closed = closing(frames, 5)
    assert [frame.index for frame in closed] == list(range(6, 6 + CLOSING_FRAMES))
    assert 0.6 < closed[0].weights[0] < 0.8
    assert closed[-1].weights[0] == 0.0
    eased = closing(frames, 6 + HOLD_FRAMES + 8)
    assert eased[0].weights[0] < 0.05
