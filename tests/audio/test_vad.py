from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from livelink_bridge import demo
from livelink_bridge.audio import vad
from livelink_bridge.audio.vad import SileroDetector, silero_path
from livelink_bridge.errors import BridgeError
from speech_to_face_lab.evaluation.sounds import NOISES

pytestmark = pytest.mark.skipif(importlib.util.find_spec("silero_vad") is None, reason="silero-vad is not installed")


@pytest.fixture(scope="module")
def detector():
    return SileroDetector()


@pytest.fixture(scope="module")
def sentence():
    """The bundled sentence at 16 kHz with a second of faint hiss before it."""
    samples, rate = soundfile.read(Path(demo.__file__).with_name("sentence.flac"), dtype="float32", always_2d=True)
    voice = soxr.resample(samples.mean(axis=1), rate, 16_000).astype(np.float32)
    return np.concatenate([np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 1e-3, voice])[
        : 4 * 16_000
    ]


def test_a_sentence_is_a_voice_and_the_hiss_before_it_is_not(detector, sentence):
    detector.reset()
    at, voice = detector.push(sentence)
    assert voice[at <= 16_000].max() < 0.25
    assert np.mean(voice[at > 20_000] > 0.7) > 0.6


def test_a_quiet_sentence_is_a_voice_too(detector, sentence):
    detector.reset()
    at, voice = detector.push(sentence * np.float32(0.03))
    assert np.mean(voice[at > 20_000] > 0.7) > 0.6


@pytest.mark.parametrize("noise", NOISES)
def test_noises_are_no_voice(detector, noise):
    detector.reset()
    _, voice = detector.push(NOISES[noise]())
    assert voice.max() < 0.7
    assert np.mean(voice >= 0.25) < 0.01


def test_answers_come_every_16_ms_and_do_not_depend_on_the_chunks(detector, sentence):
    detector.reset()
    at, expected = detector.push(sentence)
    assert at[0] == 256 and set(np.diff(at)) == {256}
    detector.reset()
    pieces = [detector.push(piece) for piece in np.split(sentence, [1, 300, 301, 5000, 40_000])]
    np.testing.assert_array_equal(np.concatenate([piece[0] for piece in pieces]), at)
    np.testing.assert_allclose(np.concatenate([piece[1] for piece in pieces]), expected, atol=1e-6)


def test_voices_share_one_session_and_nothing_else(detector, sentence, monkeypatch):
    monkeypatch.setattr(vad, "open_session", None)  # it would fail to be called again
    detector.reset()
    _, alone = detector.push(sentence[16_000:32_000])
    detector.reset()
    other, mixed = SileroDetector(), []
    for piece in np.split(sentence[16_000:32_000], 20):
        mixed.append(detector.push(piece)[1])
        other.push(piece[::-1])
    np.testing.assert_allclose(np.concatenate(mixed), alone, atol=1e-6)


def test_it_works_without_importing_torch():
    program = (
        "import sys; from livelink_bridge.audio.vad import SileroDetector; SileroDetector(); sys.exit('torch' "
        "in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=50, check=False).returncode == 0


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(vad, "find_spec", lambda _name: None)
    with pytest.raises(BridgeError, match="no package silero-vad .* pip install silero-vad"):
        silero_path()


def test_a_damaged_network_is_one_line(tmp_path):
    (tmp_path / "network.onnx").write_bytes(b"nothing")
    with pytest.raises(BridgeError, match="install silero-vad again") as caught:
        SileroDetector(tmp_path / "network.onnx")
    assert "\n" not in str(caught.value)
