import numpy as np
import pytest

from arkit_mapping import CHANNELS_61, MOUTH_32
from arkit_mapping.character.character import Character
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.testing.stand_ins import LoudnessModel
from speech_to_face.base import ModelError

RATE = 48000
JAW = CHANNELS_61.index("JawOpen")


def voice(seconds: float) -> np.ndarray:
    at_s = np.arange(round(seconds * RATE)) / RATE
    return (0.2 * np.sin(2 * np.pi * 200 * at_s) * (np.sin(2 * np.pi * 2 * at_s) > 0)).astype(np.float32)


def block(samples: np.ndarray, start: int = 0) -> AudioBlock:
    return AudioBlock(samples, RATE, start, 0.0)


def animate(sound: np.ndarray, chunk: int, animator: Animator | None = None) -> list[FaceFrame]:
    animator = animator or Animator(LoudnessModel(), Face())
    pushed = [animator.push(block(sound[i : i + chunk], i)) for i in range(0, len(sound), chunk)]
    return sum(pushed, []) + animator.flush()


def weights(frames: list[FaceFrame]) -> np.ndarray:
    return np.stack([frame.weights for frame in frames])


@pytest.mark.parametrize("chunk", [200, 480, 1000, 100000])
def test_any_chunking_gives_the_same_poses(chunk):
    sound = voice(1.01)
    frames = animate(sound, chunk)
    assert [frame.index for frame in frames] == list(range(61))
    np.testing.assert_allclose(weights(frames), weights(animate(sound, 7777)), atol=1e-6)


def test_poses_follow_the_voice_under_the_wires_names():
    frames = animate(voice(1.0), 480)
    jaw = weights(frames)[:, JAW]
    assert jaw[7] > 0.5
    assert jaw[22] < 0.01
    assert np.count_nonzero(weights(frames)[:, 52:]) == 0


def test_the_character_is_applied():
    characters = (Face(), Face(Character(gain={"JawOpen": 0.5})))
    plain, shy = (weights(animate(voice(0.5), 480, Animator(LoudnessModel(), who))) for who in characters)
    np.testing.assert_allclose(shy[:, JAW], plain[:, JAW] / 2, atol=1e-6)
    assert plain[:, JAW].max() > 0.5


def test_a_big_push_reaches_the_network_in_one_call():
    sizes: list[int] = []

    class Watched(LoudnessModel):
        def stream(self):
            stream = super().stream()
            push = stream.push
            stream.push = lambda samples: (sizes.append(len(samples)), push(samples))[1]
            return stream

    animator = Animator(Watched(), Face())
    animator.push(block(voice(10.0)))
    assert len(sizes) == 1
    assert sizes[0] == pytest.approx(160000, abs=100)


def test_after_lost_samples_the_network_starts_afresh_and_time_goes_on():
    sound = voice(3.0)
    animator = Animator(LoudnessModel(), Face())
    before = animator.push(block(sound[:48000]))
    after = animator.push(block(sound[60123:], 60123)) + animator.flush()
    assert animator.gaps == 1
    first = after[0].index
    assert first == np.ceil(60123 / 800)
    assert before[-1].index < first
    alone = animate(sound[first * 800 :], 10**6)
    np.testing.assert_allclose(weights(after), weights(alone), atol=1e-6)


def test_a_gap_in_short_blocks_resumes_on_the_grid():
    sound = voice(2.0)
    animator = Animator(LoudnessModel(), Face())
    frames: list[FaceFrame] = []
    for start in [*range(0, 24000, 200), *range(30100, 90000, 200)]:
        frames += animator.push(block(sound[start : start + 200], start))
    indices = [frame.index for frame in frames]
    resumed = next(index for index, following in zip(indices[1:], indices, strict=False) if index > following + 1)
    assert resumed == 38
    alone = animate(sound[resumed * 800 : 90100], 10**6)
    after = [frame for frame in frames if frame.index >= resumed]
    np.testing.assert_allclose(weights(after), weights(alone)[: len(after)], atol=1e-6)


def test_reset_equals_new():
    sound, animator = voice(0.5), Animator(LoudnessModel(), Face())
    first = animate(sound, 480, animator)
    animator.reset()
    again = animate(sound, 480, animator)
    np.testing.assert_array_equal(weights(first), weights(again))
    assert [frame.index for frame in again] == [frame.index for frame in first]


def test_the_rate_of_the_sound_may_change_between_sources():
    animator = Animator(LoudnessModel(), Face())
    animate(voice(0.5), 480, animator)
    animator.reset()
    assert len(animator.push(AudioBlock(np.zeros((16000, 2), np.float32), 16000, 0, 0.0)) + animator.flush()) == 60


def test_one_sample_gives_one_pose_and_none_gives_none():
    assert len(animate(voice(1 / RATE), 480)) == 1
    assert Animator(LoudnessModel(), Face()).flush() == []


class Spoilt(LoudnessModel):
    """Its frames are spoilt before they are given: by frame, what is put where."""

    def __init__(self, **values_by_frame: dict[str, float]) -> None:
        self._spoilt = {int(frame.removeprefix("frame_")): values for frame, values in values_by_frame.items()}

    def stream(self):
        stream = super().stream()
        push, count = stream.push, [0]

        def spoil(samples):
            out = push(samples)
            for frame, values in self._spoilt.items():
                for channel, value in values.items():
                    if count[0] <= frame < count[0] + len(out):
                        out[frame - count[0], self.channels.index(channel)] = value
            count[0] += len(out)
            return out

        stream.push = spoil
        return stream


FUNNEL, SMILE = (CHANNELS_61.index(name) for name in ("MouthFunnel", "MouthSmileLeft"))


@pytest.mark.parametrize("chunk", [200, 48000])
@pytest.mark.parametrize("nonsense", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_keeps_its_channels_last_one_and_no_other(chunk, nonsense, caplog):
    plain = weights(animate(voice(0.5), chunk, Animator(LoudnessModel(), Face())))
    broken = Spoilt(
        frame_9={"mouthFunnel": 0.4}, frame_10={"mouthFunnel": nonsense}, frame_11={"mouthFunnel": nonsense}
    )
    animator = Animator(broken, Face())
    poses = weights(animate(voice(0.5), chunk, animator))
    np.testing.assert_array_equal(poses[9:12, FUNNEL], np.full(3, 0.4, np.float32))
    np.testing.assert_array_equal(poses[12:, FUNNEL], plain[12:, FUNNEL])
    others = np.arange(61) != FUNNEL
    np.testing.assert_array_equal(poses[:, others], plain[:, others])
    assert animator.bad_poses == 2
    assert [record.message for record in caplog.records] == [
        "model loudness gave a value that is not finite; such channels keep their last one"
    ]


@pytest.mark.parametrize("chunk", [200, 48000])
def test_a_value_out_of_range_is_clipped_and_the_rest_of_the_face_moves(chunk, caplog):
    plain = weights(animate(voice(0.5), chunk, Animator(LoudnessModel(), Face())))
    hot = {f"frame_{frame}": {"mouthFunnel": 1.02, "mouthSmileLeft": -7.0} for frame in range(30)}
    animator = Animator(Spoilt(**hot), Face())
    poses = weights(animate(voice(0.5), chunk, animator))
    assert (poses[:30, FUNNEL] == 1).all() and not poses[:30, SMILE].any()
    np.testing.assert_array_equal(poses[:, CHANNELS_61.index("JawOpen")], plain[:, CHANNELS_61.index("JawOpen")])
    assert animator.bad_poses == 0
    assert [record.message.partition("from")[2] for record in caplog.records] == [
        " -7 to 1.02, expected 0 to 1; they are clipped"
    ]


def test_a_model_at_another_rate_is_refused():
    class Slow(LoudnessModel):
        frame_rate = 30

    with pytest.raises(ModelError, match="gives 30 poses a second, expected 60"):
        Animator(Slow(), Face())


def test_the_look_ahead_is_the_models_and_the_resamplers():
    animator = Animator(LoudnessModel(), Face())
    animator.push(block(voice(0.1)))
    assert animator.lookahead_s == pytest.approx(4 / 60 + 0.0015)
    assert LoudnessModel.channels == MOUTH_32


class Speech:
    """A stand-in for a voice detector: loud is a voice."""

    def reset(self) -> None:
        self._heard = 0

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, self._heard = self._heard, self._heard + len(samples)
        at = np.arange(first // 256 + 1, self._heard // 256 + 1) * 256
        loud = [float(np.abs(samples[max(0, end - first - 256) : end - first]).max(initial=0) > 0.02) for end in at]
        return at, np.array(loud, np.float32)


def test_with_a_front_a_face_is_neutral_until_speech_begins_and_keeps_its_first_sound():
    at_s = np.arange(3 * 48000) / 48000
    sound = (
        0.3 * np.sin(2 * np.pi * 200 * at_s) * ((at_s > 1) & (at_s < 2)) + 0.002 * np.sin(2 * np.pi * 300 * at_s)
    ).astype(np.float32)
    blocks = [AudioBlock(sound[start : start + 480], 48000, start, 0.0) for start in range(0, len(sound), 480)]
    open_model = LoudnessModel()
    gated = Animator(open_model, Face(), InputChain(Speech()))
    plain = Animator(open_model, Face())
    with_front = np.array([frame.weights[JAW] for block in blocks for frame in gated.push(block)])
    without = np.array([frame.weights[JAW] for block in blocks for frame in plain.push(block)])
    assert not with_front[:55].any() and without[:55].all()
    spoken = slice(62, 115)
    np.testing.assert_allclose(with_front[spoken], without[spoken], atol=0.02)
    assert not with_front[150:].any()
    assert gated.lookahead_s > open_model.lookahead_s
