"""Texts, noise and the corpus on disk."""

import numpy as np
import pytest

from models.corpus.augment import augment, no_speech, resped
from models.corpus.engines import SAMPLE_RATE, Utterance
from models.corpus.phones import Phone
from models.corpus.store import read_voice, voices, write_voice
from models.corpus.text import texts


@pytest.mark.parametrize("language", ["english", "mandarin", "italian", "finnish", "czech", "german", "french", "spanish"])
def test_texts_are_the_same_for_a_seed_and_differ_between_seeds(language):
    assert texts(language, 20, seed=3) == texts(language, 20, seed=3)
    assert texts(language, 20, seed=3) != texts(language, 20, seed=4)


def test_mandarin_is_numbered_pinyin():
    assert all(syllable.strip(",.")[-1] in "1234" for text in texts("mandarin", 20, 0) for syllable in text.split())


def tone(seconds: float = 1.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 200 * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def test_augmented_speech_keeps_its_length_and_its_level_range():
    rng = np.random.default_rng(0)
    for _ in range(60):
        out = augment(tone(), rng)
        assert out.shape == tone().shape and out.dtype == np.float32 and np.isfinite(out).all()
        assert 10 ** (-30.1 / 20) <= np.abs(out).max() <= 1.0 + 1e-6


def test_no_speech_is_quiet_and_of_several_kinds():
    rng = np.random.default_rng(0)
    levels = [float(np.sqrt(np.mean(no_speech(16_000, rng) ** 2))) for _ in range(40)]
    assert max(levels) <= 10 ** (-30 / 20) + 1e-6 and min(levels) == 0.0 and len({round(x, 6) for x in levels}) > 10


def test_a_faster_voice_is_shorter_and_higher():
    out = resped(tone(), 1.25)
    assert abs(len(out) - SAMPLE_RATE / 1.25) < 5
    assert abs(np.abs(np.fft.rfft(out)).argmax() * SAMPLE_RATE / len(out) - 250) < 2


def test_a_voice_comes_back_as_it_was_written(tmp_path):
    said = [Utterance(str(i), tone(0.5 + i) * (i + 1) / 10, (Phone("AA", 0.0, 0.5 + i),)) for i in range(3)]
    seconds = write_voice(tmp_path, "v", {"licence": "MIT"}, said)
    clips = read_voice(tmp_path, "v")
    assert seconds == pytest.approx(sum(len(u.samples) for u in said) / SAMPLE_RATE)
    assert [(c.text, len(c.samples), c.phones) for c in clips] == [(u.text, len(u.samples), u.phones) for u in said]
    assert all(np.abs(c.samples).max() == pytest.approx(0.7 * 32768, rel=0.01) for c in clips), "every utterance at the same peak"


def test_a_voice_that_was_not_finished_does_not_count(tmp_path):
    def broken():
        yield Utterance("a", tone(), ())
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_voice(tmp_path, "v", {}, broken())
    assert voices(tmp_path) == []
