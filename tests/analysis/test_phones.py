"""What the text branch hears, as segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from livelink_bridge.analysis import phones
from livelink_bridge.analysis.phones import (
    VISEME_NAMES,
    BestPath,
    PhoneNetwork,
    Segment,
    phone_network,
    recognize_file,
    visemes,
)
from livelink_bridge.errors import SourceError
from speech_to_face.base import ModelError
from speech_to_face.loading import DEFAULT
from speech_to_face.phones import CLASSES, VISEMES

SENTENCE = Path(phones.__file__).parents[1] / "demo" / "sentence.flac"
NAMES = ("SIL", "M", "AA")


def heard(labels: list[int], delay: int = 0, portion: int | None = None) -> tuple[Segment, ...]:
    """The path of certain frames, pushed in portions; the delay's frames before them are of phone 2."""
    sure = np.full((delay + len(labels), 3), -9.0, np.float32)
    sure[np.arange(len(sure)), [2] * delay + labels] = 0
    path = BestPath(NAMES, delay)
    for start in range(0, len(sure), portion or len(sure) or 1):
        path.push(sure[start : start + (portion or len(sure))])
    return path.segments(len(labels))


def test_segments_follow_one_another_from_the_beginning_to_the_end():
    found = heard([0] * 10 + [1] * 5 + [2] * 15)
    assert [part.label for part in found] == ["SIL", "M", "AA"]
    assert (found[0].start_s, found[-1].end_s) == (0.0, 0.5)
    assert [part.end_s for part in found[:-1]] == [part.start_s for part in found[1:]] == [9.5 / 60, 14.5 / 60]


def test_the_network_s_delay_is_taken_out():
    assert heard([0] * 10 + [1] * 10, delay=3) == heard([0] * 10 + [1] * 10)


@pytest.mark.parametrize("portion", [1, 2, 3, 7])
def test_portions_of_any_size_give_the_same(portion):
    labels = np.random.default_rng(1).integers(0, 3, 40).repeat(3).tolist()
    assert heard(labels, 3, portion) == heard(labels, 3)


def test_a_leap_of_one_frame_is_no_phone():
    assert [part.label for part in heard([0] * 10 + [1] + [0] * 10)] == ["SIL"]
    assert [part.label for part in heard([1] + [0] * 10)] == ["SIL"]
    assert [part.label for part in heard([0] * 10 + [1])] == ["SIL"]


def test_two_frames_are_a_phone():
    assert [part.label for part in heard([0] * 10 + [1] * 2 + [2] * 10)] == ["SIL", "M", "AA"]


def test_nothing_heard_is_no_segment_and_one_frame_is_one():
    assert heard([]) == ()
    assert heard([1]) == (Segment("M", 0.0, 1 / 60),)


def test_frames_that_are_no_number_are_heard_as_something_and_break_nothing():
    path = BestPath(NAMES)
    path.push(np.full((20, 3), np.nan, np.float32))
    assert len(path.segments(20)) == 1


def test_every_class_has_a_viseme_with_a_name():
    assert {VISEMES[name] for name in CLASSES} == set(range(len(VISEME_NAMES)))
    assert VISEME_NAMES[VISEMES["PB"]] == VISEME_NAMES[VISEMES["M"]] == "p b m"


def test_phones_that_look_alike_are_one_viseme():
    found = visemes([Segment("PB", 0, 0.1), Segment("M", 0.1, 0.2), Segment("AA", 0.2, 0.3), Segment("??", 0.3, 0.4)])
    assert found == (Segment("p b m", 0, 0.2), Segment("ah", 0.2, 0.3))


def test_the_sentence_is_heard_whole_and_pieces_of_any_size_give_the_same():
    samples, rate = soundfile.read(SENTENCE, dtype="float32")
    assert rate == 16000
    samples = samples[: 3 * rate]
    network = phone_network(DEFAULT)
    listening = network.listen()
    for start in range(0, len(samples), 7001):
        listening.push(samples[start : start + 7001])
    found = listening.finish()
    at_once = network.listen()
    at_once.push(samples)
    assert found == at_once.finish()
    assert found[0].start_s == 0 and found[-1].end_s == pytest.approx(3.0)
    labels = [part.label for part in found]
    assert set(labels) <= set(CLASSES) and labels[0] == "SIL"
    assert sum(label in ("PB", "M") for label in labels) >= 5, (
        "more people than you think prefer ..., or the like, is full of them"
    )


@pytest.mark.slow
def test_phones_are_heard_where_the_reference_hears_them():
    torch = pytest.importorskip("torch", reason="the network in PyTorch is what this is compared with")
    torch.set_num_threads(1)
    from speech_to_face import checkpoint
    from speech_to_face.networks.pmmtalk.config import load_config
    from speech_to_face.networks.pmmtalk.loading import load_network
    from speech_to_face.networks.pmmtalk.posteriors import log_posteriors

    samples = soundfile.read(SENTENCE, dtype="float32")[0][:32000]
    folder = checkpoint.find(DEFAULT)
    config = load_config(folder / checkpoint.CONFIG)
    wanted = log_posteriors(load_network(folder, config), samples).argmax(1)
    listening = phone_network(DEFAULT).listen()
    listening.push(samples)
    found = np.zeros(len(wanted), int)
    for part in listening.finish():
        found[round(part.start_s * 60 + 0.01) : round(part.end_s * 60 + 0.01)] = config.phones.index(part.label)
    assert (found == wanted).mean() > 0.85, "but for what the median takes out"


def test_a_file_is_heard_at_any_rate(tmp_path):
    samples, _ = soundfile.read(SENTENCE, dtype="float32")
    soundfile.write(tmp_path / "it.wav", np.stack([samples[:16000].repeat(3)] * 2, 1), 48000)
    found = recognize_file(tmp_path / "it.wav", phone_network(DEFAULT))
    assert found[-1].end_s == pytest.approx(1.0)
    with pytest.raises(SourceError):
        recognize_file(tmp_path / "none.wav", phone_network(DEFAULT))


def test_no_sound_is_no_phone():
    assert phone_network(DEFAULT).listen().finish() == ()


def test_a_model_without_phones_says_so(tmp_path):
    with pytest.raises(ModelError, match="unknown model 'loudness'"):
        PhoneNetwork("loudness")
    with pytest.raises(ModelError):
        PhoneNetwork(str(tmp_path))
