"""Takes whose faces are known: a voice that buzzes on vowels, and a jaw that opens with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import write_take
from speech_to_face import checkpoint
from speech_to_face.networks.pmmtalk.config import load_config, save_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.streaming.features import LogMel
from speech_to_face_lab.adapt.data.takes import TakeFile
from speech_to_face_lab.training.data.examples import ALL_STYLES
from speech_to_face_lab.training.export import export_run
from speech_to_face_lab.training.graph import write_graph
from speech_to_face_lab.training.loop.state import Average, Progress, save

MakeTake = Callable[..., TakeFile]
RATE = 16_000


@pytest.fixture(autouse=True)
def denormals_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command rounds tiny numbers to zero in its whole process, which here is everybody's."""
    monkeypatch.setattr(torch, "set_flush_denormal", lambda _: True)


def syllables(seconds: float, seed: int) -> NDArray[np.float64]:
    """(frames,) 0 or 1 at 60 Hz: vowels of random lengths, another pattern each seed."""
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.integers(6, 18, 400))
    return (np.searchsorted(edges, np.arange(round(seconds * 60)), "right") % 2).astype(np.float64)


def voice(open_: NDArray[np.float64]) -> NDArray[np.float64]:
    at = np.arange(len(open_) * RATE // 60)
    return 0.3 * np.sign(np.sin(2 * np.pi * 120 * at / RATE)) * open_[at * 60 // RATE]


def jaw_of(open_: NDArray[np.float64], smooth: int = 5) -> NDArray[np.float64]:
    return 0.1 + 0.5 * np.convolve(open_, np.ones(smooth) / smooth, "same")


@pytest.fixture
def make_take(tmp_path: Path) -> MakeTake:
    """Write `NAME.csv` and `NAME.wav`: `late` frames by which the face comes later, `strange` another one's sound,
    `sound` False none; `smooth` frames over which the jaw moves."""

    def make(
        name: str,
        seed: int,
        seconds: float = 9.0,
        late: int = 0,
        strange: bool = False,
        sound: bool = True,
        smooth: int = 5,
    ) -> TakeFile:
        folder = tmp_path / "takes"
        folder.mkdir(exist_ok=True)
        pattern = syllables(seconds, seed)
        values = np.zeros((len(pattern), 61), np.float32)
        values[:, CHANNELS_61.index("JawOpen")] = np.roll(jaw_of(pattern, smooth), late)
        values[:, CHANNELS_61.index("MouthFunnel")] = 0.3 - 0.3 * np.roll(pattern, late)
        table, path = folder / f"{name}.csv", folder / f"{name}.wav"
        write_take(table, values)
        if sound:
            soundfile.write(
                path, voice(syllables(seconds, seed + 1000) if strange else pattern), RATE, subtype="PCM_16"
            )
        return TakeFile(name, table, path if sound else None)

    return make


@pytest.fixture(scope="session")
def base(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint that was taught for a moment: its jaw opens with the buzz."""
    folder = tmp_path_factory.mktemp("base")
    config = replace(load_config(tiny_run / checkpoint.CONFIG), styles=ALL_STYLES)
    torch.manual_seed(0)
    network = PMMTalk(config)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    teach(network, optimiser)
    save_config(config, folder / checkpoint.CONFIG)
    save(folder / "state.safetensors", network, Average(network), optimiser, Progress(step=1))
    out = folder / "tiny-base"
    export_run(folder, out)
    write_graph(load_network(out, config), out / checkpoint.GRAPH)
    checkpoint.write_sums(out)
    return out


def teach(network: PMMTalk, optimiser: torch.optim.Optimizer) -> None:
    """The jaw alone, from one stretch of buzz."""
    config, pattern = network.config, syllables(8, 99)
    mel = torch.from_numpy(LogMel().push(voice(pattern).astype(np.float32)))[None]
    jaw, column = torch.from_numpy(jaw_of(pattern) - 0.1), config.channels.index("jawOpen")
    style, crop = network.styles.weight[-1:].detach(), torch.zeros(1, (config.image_size // 4) ** 2, 48)
    for _ in range(20):
        out, _, _ = network(mel, style, torch.zeros_like(style), crop, torch.tensor(0), network.initial_states())
        heard = out[0, config.delay :, column]
        loss = ((heard - jaw[: len(heard)]) ** 2).mean() + out[0].square().mean() * 0.01
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.fixture(autouse=True)
def small_bank_of_noises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of noise, not minutes."""
    from speech_to_face_lab.adapt.data import material

    monkeypatch.setattr(material, "NOISE_CHUNKS", 1)
    monkeypatch.setattr(material, "CHUNK_S", 2)
