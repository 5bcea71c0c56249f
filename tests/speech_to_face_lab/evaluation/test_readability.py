"""Marks of lips against values counted by hand; takes and spoken sound as lips."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import CHANNELS_61, MOUTH_32
from arkit_mapping.takes.csv import write_take
from speech_to_face.base import ModelError
from speech_to_face.phones import CLASSES, INDEX, Phone
from speech_to_face_lab.evaluation.readability import Lips, Readability, readability, spoken_lips, take_lips, together


def guesses(*names: str, share: float = 0.71) -> np.ndarray:
    """Log-probabilities of a reader that gives each named phone `share` and spreads the rest evenly."""
    rows = np.full((len(names), len(CLASSES)), (1 - share) / (len(CLASSES) - 1))
    rows[np.arange(len(names)), [INDEX[name] for name in names]] = share
    return np.log(rows).astype(np.float32)


def lips(frames: int, **known: object) -> Lips:
    return Lips("a", np.zeros((frames, 32), np.float32), **known)  # type: ignore[arg-type]


def test_phones_and_visemes_are_counted_outside_of_pauses():
    phones = (Phone("PB", 0, 2 / 60), Phone("AA", 2 / 60, 4 / 60), Phone("SIL", 4 / 60, 5 / 60))
    read = guesses("PB", "M", "AE", "S", "AA", "AA")  # the last frame is of no phone
    mark = readability(lips(6, phones=phones), lambda _mouth: read)
    assert (mark.phones_right, mark.visemes_right) == (1 / 4, 3 / 4)
    assert (mark.constant, mark.seconds, mark.speaking) == (2 / 4, 0.1, 1.0)
    assert math.isnan(mark.heard)


def test_confidence_and_entropy_are_those_of_frames_read_as_speech():
    read = np.concatenate([guesses("SIL", "SIL", share=0.9), guesses("AA", share=0.71), guesses("AA", share=0.42)])
    mark = readability(lips(4), lambda _mouth: read)
    rest = [0.29 / 29, 0.58 / 29]
    bits = [
        -share * math.log2(share) - 29 * one * math.log2(one) for share, one in zip((0.71, 0.42), rest, strict=True)
    ]
    assert mark.speaking == 0.5
    assert mark.confidence == pytest.approx((0.71 + 0.42) / 2, rel=1e-5)
    assert mark.entropy_bits == pytest.approx(sum(bits) / 2, rel=1e-5)
    silent = readability(lips(2), lambda _mouth: guesses("SIL", "SIL"))
    assert (
        silent.speaking == 0
        and math.isnan(silent.confidence)
        and math.isnan(silent.entropy_bits)
        and math.isnan(silent.constant)
    )


def test_lips_are_compared_with_what_the_sound_says_where_it_speaks():
    read, heard = guesses("PB", "S", "AA", "AA"), guesses("M", "S", "IY", "SIL")
    mark = readability(lips(4, samples=np.ones(1000, np.float32)), lambda _mouth: read, lambda _sound: heard)
    assert (
        mark.heard == pytest.approx(2 / 3) and mark.constant == pytest.approx(1 / 3) and math.isnan(mark.phones_right)
    )
    assert math.isnan(readability(lips(4), lambda _mouth: read, lambda _sound: heard).heard)


def test_a_sound_shorter_or_longer_than_the_take_is_compared_as_far_as_both_go():
    read, sound = guesses("PB", "PB", "PB"), np.ones(1000, np.float32)
    for heard in (guesses("M"), guesses("M", "M", "M", "AA", "AA")):
        assert readability(lips(3, samples=sound), lambda _mouth: read, lambda _sound, h=heard: h).heard == 1


def test_the_whole_is_the_mean_by_length_of_those_that_have_a_figure():
    none = float("nan")
    a = Readability("a", 3.0, 1.0, 0.5, 2.0, none, none, none, none)
    b = Readability("b", 1.0, 0.0, 0.1, 4.0, 0.3, 0.6, none, 0.2)
    whole = together([a, b])
    assert (whole.name, whole.seconds, whole.speaking, whole.entropy_bits) == ("all", 4.0, 0.75, 2.5)
    assert whole.confidence == pytest.approx(0.4)
    assert (whole.phones_right, whole.visemes_right) == (0.3, 0.6) and math.isnan(whole.heard)


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Two seconds whose jaw opens steadily, its sound and its phones beside it."""
    values = np.zeros((120, 61), np.float32)
    values[:, CHANNELS_61.index("JawOpen")] = np.linspace(0, 1.19, 120)
    values[:, CHANNELS_61.index("EyeBlinkLeft")] = 1
    write_take(tmp_path / "a.csv", values, start_s=3600)
    return tmp_path / "a.csv"


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0 2 <exists> 1
"IntervalTier" "phones" 0 2 2
0 1 "p"
1 2 "s"
"""


def test_a_take_is_read_by_name_on_the_clock_of_its_rows(take):
    found = take_lips(take)
    assert found.name == "a.csv" and found.mouth.shape == (120, 32) and (found.samples, found.phones) == (None, None)
    jaw = MOUTH_32.index("jawOpen")
    np.testing.assert_allclose(found.mouth[:, jaw], np.minimum(np.linspace(0, 1.19, 120), 1), atol=2e-2)
    assert not np.delete(found.mouth, jaw, 1).any()


def test_rows_that_the_app_left_out_are_filled_in(take):
    rows = take.read_text().splitlines(keepends=True)
    take.write_text("".join(rows[:40] + rows[60:]))
    np.testing.assert_allclose(
        take_lips(take).mouth[:, MOUTH_32.index("jawOpen")], np.minimum(np.linspace(0, 1.19, 120), 1), atol=2e-2
    )


def test_sound_and_phones_beside_a_take_come_with_it(take):
    soundfile.write(take.with_suffix(".wav"), np.full(48_000, 0.25), 24_000)
    take.with_suffix(".TextGrid").write_text(TEXTGRID)
    found = take_lips(take)
    assert found.samples is not None and len(found.samples) == 32_000
    assert found.phones == (Phone("PB", 0.0, 1.0), Phone("S", 1.0, 2.0))


def test_what_is_no_take_is_one_clear_line(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ModelError, match="a.csv"):
        take_lips(tmp_path / "a.csv")
    with pytest.raises(ModelError, match="gone.csv"):
        take_lips(tmp_path / "gone.csv")


class Slow:
    """A model at 30 frames a second that opens the jaw by a thirtieth a frame, in columns of its own order."""

    name, device, sample_rate, frame_rate, lookahead_s, channels = (
        "slow",
        "cpu",
        16_000,
        30,
        0.1,
        ("tongueOut", "jawOpen"),
    )

    def animate(self, samples):
        jaw = np.arange(len(samples) * 30 // 16_000) / 30
        return np.stack([np.ones(len(jaw)), jaw], 1).astype(np.float32)


def test_a_models_face_is_brought_to_sixty_frames_and_its_channels_to_their_places(tmp_path):
    soundfile.write(tmp_path / "b.wav", np.zeros(16_000), 16_000)
    found = spoken_lips(Slow(), tmp_path / "b.wav")
    assert found.mouth.shape == (60, 32) and found.samples is not None
    np.testing.assert_allclose(found.mouth[:59, MOUTH_32.index("jawOpen")], np.arange(59) / 60, atol=1e-6)
    assert found.mouth.any(0).sum() == 1
