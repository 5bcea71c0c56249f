"""A network that sees whole stretches, run on the fixed grid of blocks: live and converted faces agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace, runs_in_blocks
from speech_to_face.streaming import block_model
from speech_to_face.streaming.block_model import BlockModel, Blocks, load_blocks, real_time_factor
from speech_to_face.streaming.to_60_fps import to_60_fps
from speech_to_face.styles import VoiceChoice


@dataclass(frozen=True, slots=True)
class Sizes:
    left: int = 6
    hop: int = 3
    right: int = 3
    channels: tuple[str, ...] = ("jawOpen", "mouthClose")
    styles: tuple[str, ...] = ("calm",)


class Listener(nn.Module):
    """Sees all of a stretch: loudness per frame, mixed along time by attention, with a style; it keeps the lengths that
    it saw."""

    frame_rate = 30

    def __init__(self, config: Sizes = Sizes()) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.config, self.seen = config, []
        self.styles = nn.Embedding(len(config.styles) + 1, 4)
        self.wide, self.out = nn.Linear(5, 8), nn.Linear(8, len(config.channels))
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, samples: Tensor, frames: int, style: Tensor) -> Tensor:
        self.seen.append((samples.shape[-1], frames))
        loud = nn.functional.adaptive_avg_pool1d(samples.abs()[:, None], frames).transpose(1, 2)
        wide = self.wide(torch.cat([loud * 3, style[:, None].expand(-1, frames, -1)], dim=-1))
        return torch.sigmoid(self.out(wide + self.mix(wide, wide, wide)[0]))


def model_of(config: Sizes = Sizes()) -> tuple[BlockModel, Listener]:
    network = Listener(config).eval()
    return BlockModel("listener", "cpu", Blocks(network, config, network.styles.weight[-1:].detach())), network


def sound(samples: int, seed: int = 0) -> np.ndarray:
    envelope = np.abs(np.sin(np.arange(samples) / 900))
    return (np.random.default_rng(seed).standard_normal(samples) * envelope * 0.3).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 533, 534, 1600, 3200, 4801, 20_011])
@pytest.mark.parametrize("chunk", [37, 533, 1600, 7001])
def test_any_chunks_give_exactly_what_the_recording_gives(samples: int, chunk: int) -> None:
    model, _ = model_of()
    heard = sound(samples)
    stream = model.stream()
    live = np.concatenate([*(stream.push(heard[at : at + chunk]) for at in range(0, samples, chunk)), stream.flush()])
    converted = model.animate(heard)
    assert converted.shape == (-(-samples * 30 // 16_000), 2)
    assert np.array_equal(live, converted)
    assert samples < 3000 or float(np.ptp(converted, axis=0).min()) > 1e-3


def test_frames_are_those_of_the_network_over_the_stretch_around_them() -> None:
    model, network = model_of()
    heard = sound(16_000)
    face = model.animate(heard)
    silence = np.zeros(3200, np.float32)
    padded = np.concatenate([silence, heard, silence])  # six frames of left context stand before sample 0
    for block in (0, 1, 5):
        stretch = torch.from_numpy(padded[1600 * block : 1600 * block + 6400])[None]
        with torch.no_grad():
            whole = network(stretch, 12, network.styles.weight[-1:])[0].numpy()
        assert np.allclose(face[3 * block : 3 * block + 3], whole[6:9], atol=1e-6)


def test_all_blocks_are_equally_long_at_the_beginning_and_the_end_too() -> None:
    model, network = model_of()
    model.animate(sound(10_000))
    assert set(network.seen) == {(6400, 12)} and len(network.seen) == 7


def test_a_frame_is_there_once_hop_and_right_context_are_heard_and_not_one_sample_earlier() -> None:
    model, _ = model_of()
    stream = model.stream()
    needed = round(model.lookahead_s * 16_000)
    assert needed == 3200
    assert len(stream.push(sound(needed - 1))) == 0
    assert len(stream.push(sound(1))) == 3


def test_sound_behind_the_right_context_changes_nothing_before_it() -> None:
    model, _ = model_of()
    heard = sound(16_000)
    other = heard.copy()
    other[6400:] = sound(9600, seed=5)
    before, after = model.animate(heard), model.animate(other)
    assert np.array_equal(before[:9], after[:9])
    assert not np.array_equal(before[9:12], after[9:12])


def test_a_reset_stream_is_a_new_one_and_a_flushed_one_takes_no_more() -> None:
    model, _ = model_of()
    stream = model.stream()
    first = np.concatenate([stream.push(sound(5000)), stream.flush()])
    assert len(stream.flush()) == 0
    with pytest.raises(ValueError, match="call reset"):
        stream.push(sound(1))
    stream.reset()
    assert np.array_equal(np.concatenate([stream.push(sound(5000)), stream.flush()]), first)


@pytest.mark.parametrize("bad", [np.zeros((2, 3), np.float32), np.array([np.nan], np.float32)])
def test_samples_that_are_none_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected finite samples"):
        model_of()[0].stream().push(bad)


@pytest.mark.parametrize(("name", "frames"), [("left", 4), ("hop", 0), ("right", -3)])
def test_sizes_off_the_grid_are_one_clear_error(name: str, frames: int) -> None:
    with pytest.raises(ModelError, match=f"config {name}: got {frames} frames, expected a multiple of 3"):
        model_of(Sizes(**{name: frames}))


def test_two_voices_share_weights_and_differ_by_style(tmp_path: Path) -> None:
    network = Listener()
    save_file(network.state_dict(), tmp_path / checkpoint.WEIGHTS)
    calm, unknown = load_blocks(tmp_path, Listener(), "cpu", [VoiceChoice(style="calm"), VoiceChoice()], tongue=False)
    heard = sound(8000)
    assert (calm.name, calm.device, calm.channels) == (tmp_path.name, "cpu", ("jawOpen", "mouthClose"))
    assert isinstance(calm, SpeechToFace)
    assert np.abs(calm.animate(heard) - unknown.animate(heard)).max() > 1e-4
    assert np.allclose(unknown.animate(heard), model_of()[0].animate(heard), atol=1e-6)


def test_a_reference_face_goes_to_the_network_that_draws_on_one_and_is_refused_by_another(tmp_path: Path) -> None:
    network = Listener()
    save_file(network.state_dict(), tmp_path / checkpoint.WEIGHTS)
    asked = [VoiceChoice(reference="ada.png")]

    def face_of(voice: VoiceChoice) -> block_model.Face:
        return lambda samples, frames, style: torch.full((1, frames, 2), 0.25 if voice.reference == "ada.png" else 0.0)

    assert load_blocks(tmp_path, network, "cpu", asked, False, face_of)[0].animate(sound(533)).tolist() == [
        [0.25, 0.25]
    ]
    with pytest.raises(ModelError, match="--reference-face"):
        load_blocks(tmp_path, network, "cpu", asked, False)
    with pytest.raises(ModelError, match="--tongue"):
        load_blocks(tmp_path, network, "cpu", [VoiceChoice()], True, face_of)


def test_coefficients_are_kept_between_0_and_1() -> None:
    style = torch.zeros(1, 4)
    wild = BlockModel(
        "wild",
        "cpu",
        Blocks(lambda samples, frames, style: torch.tensor([-2.0, 3.0]).expand(1, frames, 2), Sizes(), style),
    )
    assert wild.animate(sound(533)).tolist() == [[0.0, 1.0]]


def test_the_real_time_factor_is_seconds_of_computing_per_second_of_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    model, network = model_of()
    now = [100.0]

    def slow(samples: Tensor, frames: int, style: Tensor) -> Tensor:
        now[0] += 0.3  # for every block of 0.1 s
        return torch.zeros(1, frames, 2)

    monkeypatch.setattr(block_model.time, "perf_counter", lambda: now[0])
    taking = BlockModel("slow", "cpu", Blocks(slow, network.config, torch.zeros(1, 4)))
    assert real_time_factor(taking) == pytest.approx(3.0)
    assert real_time_factor(to_60_fps(taking)) == pytest.approx(3.0, rel=0.1)
    assert runs_in_blocks(taking) and runs_in_blocks(to_60_fps(taking))


def test_at_60_frames_a_second_live_and_converted_faces_still_agree() -> None:
    model = to_60_fps(model_of()[0])
    heard = sound(9000)
    stream = model.stream()
    live = np.concatenate([*(stream.push(heard[at : at + 271]) for at in range(0, 9000, 271)), stream.flush()])
    assert len(live) == 34 and np.array_equal(live, model.animate(heard))
