"""The tongue: out on th, half as far on l, in on everything else, and nothing of it where nobody asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from cases import case

from arkit_mapping.channels import MOUTH_32
from livelink_bridge.demo import SENTENCE
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.loading import load_model, load_voices
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.networks.pmmtalk.onnx_steps import Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.torch_steps import TorchSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.phones import CLASSES, INDEX
from speech_to_face.streaming.features import step_end
from speech_to_face.streaming.stepped import SteppedStream
from speech_to_face.streaming.tongue import REACH, SURE, UNSURE, Tongue
from speech_to_face.styles import VoiceChoice

JAW = MOUTH_32.index("jawOpen")


def heard(*phones: str, share: float = 0.97) -> np.ndarray:
    """float32 (steps, phones): log-probabilities of a step that hears each phone, and all others alike."""
    out = np.full((len(phones), len(CLASSES)), (1 - share) / (len(CLASSES) - 1))
    out[np.arange(len(phones)), [INDEX[phone] for phone in phones]] = share
    return np.log(out).astype(np.float32)


def out(*phones: str, share: float = 0.97) -> np.ndarray:
    return Tongue(CLASSES).push(heard(*phones, share=share))


def voice(seconds: float = 2.5) -> np.ndarray:
    sentence, rate = soundfile.read(SENTENCE, dtype="float32")
    return soxr.resample(sentence, rate, 16_000).astype(np.float32)[: int(seconds * 16_000)]


def test_a_th_shows_it_all_the_way_and_an_l_half_as_far():
    assert out(*["TH"] * 6).max() == pytest.approx(REACH["TH"])
    assert out(*["L"] * 6).max() == pytest.approx(REACH["TH"] / 2)


def test_no_other_phone_shows_it():
    for phone in sorted(set(CLASSES) - set(REACH)):
        with case(phone):
            assert not out(*[phone] * 6).any()


@pytest.mark.parametrize(("at", "phone"), list(enumerate(REACH)))
def test_what_is_hardly_heard_shows_nothing_and_what_is_half_sure_shows_half_of_it(at, phone):
    assert not out(*[phone] * 6, share=UNSURE[at] - 0.01).any()
    assert out(*[phone] * 6, share=(UNSURE[at] + SURE[at]) / 2)[-1] == pytest.approx(REACH[phone] / 2, abs=0.001)


def test_a_single_step_of_it_is_softened_and_comes_one_step_late():
    np.testing.assert_allclose(out("AA", "TH", "AA", "AA", "AA") / REACH["TH"], [0, 0.5, 1, 0.5, 0], atol=1e-6)
    assert 0 < out("AA", "L", "AA", "AA", "AA").max() < 0.8 * REACH["L"]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_portions_of_any_size_give_the_same_tongue_and_a_reset_begins_anew(size):
    said = heard(*["AA", "TH", "L", "TH", "TH", "SIL", "L", "L", "IY", "TH"])
    tongue, whole = Tongue(CLASSES), Tongue(CLASSES).push(said)
    for _ in range(2):
        np.testing.assert_array_equal(
            np.concatenate([tongue.push(said[at : at + size]) for at in range(0, len(said), size)]), whole
        )
        tongue.reset()


class Scripted:
    """Steps that open the jaw and hear a th at one step, and an open vowel at all others."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.reset()

    def reset(self) -> None:
        self._clock = 0

    def run(self, mel: np.ndarray) -> np.ndarray:
        now = np.arange(self._clock, self._clock + len(mel)) == self._at
        self._clock += len(mel)
        mouth = np.zeros((len(mel), 32), np.float32)
        mouth[now, JAW] = 1
        return np.hstack([mouth, heard(*["TH" if one else "AA" for one in now])])


@pytest.mark.parametrize("chunk", [267, 1000, 16_000])
def test_it_waits_for_the_same_look_ahead_as_the_mouth(chunk):
    stream, sound = (
        SteppedStream(Config(phones=CLASSES, channels=MOUTH_32), Scripted(13), Tongue(CLASSES)),
        np.zeros(8000, np.float32),
    )
    for _ in range(2):
        face = np.concatenate([*(stream.push(sound[at : at + chunk]) for at in range(0, 8000, chunk)), stream.flush()])
        assert face.shape == (30, 33) and face.dtype == np.float32
        assert face[:, JAW].argmax() == 10, "step 13 is frame 10"
        assert face[:, 32].argmax() == 11 and face[[9, 13], 32].max() == 0 < face[10, 32]
        stream.reset()


def test_a_stream_without_sound_has_as_many_channels_as_one_with(tiny_checkpoint):
    model = load_model(str(tiny_checkpoint), device="cpu", tongue=True)
    assert model.channels == (*MOUTH_32, "tongueOut")
    assert model.stream().push(np.zeros(0, np.float32)).shape == (0, 33)
    assert model.animate(np.zeros(1000, np.float32)).shape == (4, 33)


@pytest.mark.parametrize("name", ["pmmtalk-live", "pmmtalk-live-33", "pmmtalk-live-tts", "tiny", "tiny in torch"])
def test_the_mouth_is_the_same_bit_for_bit_whether_the_tongue_is_asked_for_or_not(name, tiny_checkpoint, tmp_path):
    if name.startswith("tiny"):
        folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "copied"))
        if name.endswith("torch"):
            (folder / checkpoint.GRAPH).unlink()
            checkpoint.write_sums(folder)
        name = str(folder)
    plain, tongued = (load_model(name, device="cpu", tongue=tongue) for tongue in (False, True))
    assert len(plain.channels) == 32
    np.testing.assert_array_equal(tongued.animate(voice(1.5))[:, :32], plain.animate(voice(1.5)))
    live = [model.stream().push(voice(0.5)[: step_end(11)]) for model in (plain, tongued)]
    np.testing.assert_array_equal(live[1][:, :32], live[0])


def test_the_shipped_model_shows_it_now_and_then_in_a_sentence_and_never_in_silence():
    model = load_model(device="cpu", tongue=True)
    tongue = model.animate(voice(60))[:, 32]
    assert 0.01 < (tongue > 0.1).mean() < 0.2 and tongue.max() <= REACH["TH"] + 1e-6
    assert not model.animate(np.zeros(32_000, np.float32)).any()


def test_graph_and_network_tell_the_same_phones_alone_and_in_company(tiny_checkpoint):
    network = load_network(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml"))
    rng = np.random.default_rng(0)
    face = Voice(*(rng.uniform(0, 1, shape).astype(np.float32) for shape in ((1, 16), (1, 16), (1, 16, 48))))
    mel = rng.standard_normal((40, 160)).astype(np.float32)
    wanted = TorchSteps(network, face, phones=True).run(mel)
    np.testing.assert_allclose(np.exp(wanted[:, 32:]).sum(1), 1, atol=1e-5)
    graph = Graph(tiny_checkpoint / "step.onnx", phones=True)
    one, other = OnnxSteps(graph, face), OnnxSteps(graph, face)
    got = [one.run(mel[:20]), one.run(mel[20:21])]
    for step in range(21, 40):
        first, second = graph.run_steps([one.next(mel[step : step + 1]), other.next(mel[step - 21 : step - 20])])
        got.append(one.take(first))
        np.testing.assert_allclose(other.take(second), wanted[step - 21 : step - 20], atol=1e-4)
    np.testing.assert_allclose(np.concatenate(got), wanted, atol=1e-4)


def test_all_voices_of_a_model_have_a_tongue_or_none_has(tiny_checkpoint):
    models = load_voices(str(tiny_checkpoint), "cpu", [VoiceChoice(), VoiceChoice(style="broad")], tongue=True)
    assert [model.channels[-1] for model in models] == ["tongueOut"] * 2


@pytest.fixture
def older(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint whose graph was made before phones were among its outputs."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: a graph without phones was not tried")
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "older"))
    graph = onnx.load(folder / "step.onnx")
    assert graph.graph.output[-1].name == "log_phones"
    del graph.graph.output[-1]
    onnx.save(graph, folder / "step.onnx")
    checkpoint.write_sums(folder)
    return folder


def test_a_graph_from_before_speaks_as_ever_and_says_what_to_do_when_asked_for_a_tongue(older, tiny_checkpoint):
    np.testing.assert_array_equal(
        load_model(str(older), device="cpu").animate(voice()),
        load_model(str(tiny_checkpoint), device="cpu").animate(voice()),
    )
    with pytest.raises(
        ModelError, match=r"has no output of phones; leave out --tongue, or make it again: .*--graph-only --out"
    ):
        load_model(str(older), device="cpu", tongue=True)


def test_a_network_that_hears_no_th_has_no_tongue(tiny_checkpoint, tmp_path):
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "deaf"))
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    assert "- TH\n" in config
    (folder / "config.yaml").write_text(config.replace("- TH\n", "- THETA\n"), encoding="utf-8")
    checkpoint.write_sums(folder)
    load_model(str(folder), device="cpu")
    with pytest.raises(ModelError, match=r"does not recognize TH among its phones.*leave out --tongue"):
        load_model(str(folder), device="cpu", tongue=True)


def test_a_tongue_asked_of_the_graph_loads_no_torch():
    code = (
        "import sys; from speech_to_face import load_model; load_model(device='cpu', tongue=True); assert 'torch' "
        "not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
