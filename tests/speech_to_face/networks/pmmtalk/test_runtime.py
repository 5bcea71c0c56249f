"""The live contract: any chunking equals the whole recording, and a frame never hears past its look-ahead."""

import numpy as np
import pytest
import soundfile
import soxr

from livelink_bridge.demo import SENTENCE
from speech_to_face.base import SpeechToFace, Stream
from speech_to_face.loading import load_model
from speech_to_face.streaming.features import frame_count

CHUNKINGS = {
    **{"samples": 1, "three": 3, "seven": 7, "blocks of 10 ms": 160},
    **{"odd blocks": 441, "one frame": 267, "seconds": 16_000, "random": None},
}


def voice(seconds: float = 2.5, seed: int = 0) -> np.ndarray:
    """Part of the bundled sentence, which has a voice's phones: a trained network rests in noise, whatever its
    rhythm."""
    sentence, rate = soundfile.read(SENTENCE, dtype="float32")
    spoken = soxr.resample(sentence, rate, 16_000).astype(np.float32)
    return np.roll(spoken, -8000 - 16_000 * seed)[: int(seconds * 16_000)]


def pieces(sound: np.ndarray, chunk: int | None) -> list[np.ndarray]:
    if chunk:
        return [sound[at : at + chunk] for at in range(0, len(sound), chunk)]
    cuts = np.sort(np.random.default_rng(5).integers(0, len(sound), 60))
    return np.split(sound, cuts)


@pytest.fixture(scope="module", params=["shipped", "tiny", "tiny in torch"])
def model(request, tiny_checkpoint, tmp_path_factory):
    if request.param == "shipped":
        return load_model(device="cpu")
    if request.param == "tiny":
        return load_model(str(tiny_checkpoint), device="cpu")
    folder = tmp_path_factory.mktemp("plain")
    for name in ("config.yaml", "model.safetensors"):
        (folder / name).write_bytes((tiny_checkpoint / name).read_bytes())
    from speech_to_face import checkpoint

    checkpoint.write_sums(folder)
    return load_model(str(folder), device="cpu")


def test_it_obeys_the_contract_of_every_model(model):
    assert isinstance(model, SpeechToFace) and isinstance(model.stream(), Stream)
    assert (model.sample_rate, model.frame_rate, len(model.channels)) == (16_000, 60, 32)
    assert model.lookahead_s <= 0.067


@pytest.mark.parametrize("chunk", CHUNKINGS.values(), ids=CHUNKINGS.keys())
def test_any_chunking_gives_the_frames_of_the_whole(model, chunk):
    sound = voice(0.3 if chunk in (1, 3) else 2.5)
    stream = model.stream()
    live = np.concatenate([*(stream.push(piece) for piece in pieces(sound, chunk)), stream.flush()])
    whole = model.animate(sound)
    assert live.shape == whole.shape == (frame_count(len(sound)), 32)
    assert whole.std(0).max() > 1e-3, "a network that never moves would pass any comparison"
    np.testing.assert_allclose(live, whole, atol=1e-5)


@pytest.mark.parametrize("frame", [0, 17, 61])
def test_sound_after_a_frames_look_ahead_leaves_it_bit_identical(model, frame):
    sound = voice()
    horizon = (frame + 4) * 800 // 3
    other = sound.copy()
    other[horizon:] = voice(seed=9)[horizon:] + 0.05
    before, after = model.animate(sound), model.animate(other)
    np.testing.assert_array_equal(before[: frame + 1], after[: frame + 1])
    assert not np.array_equal(before[frame + 1], after[frame + 1]), "the frame after it does hear the change"


def test_a_frame_is_ready_with_the_last_sample_of_its_look_ahead_and_not_before(model):
    stream, sound = model.stream(), voice()
    assert len(stream.push(sound[:1065])) == 0
    assert len(stream.push(sound[1065:1066])) == 1


@pytest.mark.parametrize("samples", [0, 1, 266, 267, 12_345])
def test_every_recording_has_the_frames_its_length_asks_for(model, samples):
    mouth = model.animate(voice()[:samples])
    assert mouth.shape == (frame_count(samples), 32) and mouth.dtype == np.float32
    assert np.isfinite(mouth).all() and mouth.min(initial=0) >= 0 and mouth.max(initial=0) <= 1


def test_reset_equals_new(model):
    stream, sound = model.stream(), voice()
    stream.push(voice(seed=3)), stream.flush(), stream.reset()
    np.testing.assert_array_equal(stream.push(sound), model.stream().push(sound))


def test_two_streams_of_one_model_do_not_share_state(model):
    one, two, sound = model.stream(), model.stream(), voice()
    alone = model.stream().push(sound)
    parts = []
    for piece, other in zip(pieces(sound, 267), pieces(voice(seed=4), 267), strict=True):
        parts.append(one.push(piece))
        two.push(other)
    np.testing.assert_allclose(np.concatenate(parts), alone, atol=1e-5)


def test_flush_twice_gives_nothing_more_and_pushing_on_is_an_error(model):
    stream = model.stream()
    stream.push(voice()), stream.flush()
    assert stream.flush().shape == (0, 32)
    with pytest.raises(ValueError, match="reset"):
        stream.push(voice())


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 5), np.float32), np.array([np.nan], np.float32)], ids=["stereo", "not a number"]
)
def test_sound_that_is_no_sound_is_refused(model, bad):
    with pytest.raises(ValueError, match="finite samples of shape"):
        model.stream().push(bad)


def test_silence_is_a_neutral_face_from_the_first_frame():
    shipped = load_model(device="cpu")
    for samples in (1, 16_000 * 5):
        assert not shipped.animate(np.zeros(samples, np.float32)).any()
