"""`play FILE --model NAME` drives the wire with every system: folders with new weights, in a models' folder of their
own."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from livelink_bridge.cli import run
from livelink_bridge.session import build
from livelink_bridge.wire.livelink import decode
from speech_to_face.base import ModelError
from speech_to_face.config_file import load_config
from speech_to_face.loading import load_model
from speech_to_face.networks.pmmtalk.paper.config import TINY, Config
from speech_to_face_lab.training.export import write_checkpoint
from speech_to_face_lab.training.systems import SYSTEMS, config_of, network_of

NAMES = ("pmmtalk", "codetalker", "dualtalker", "voca", "faceformer", "emotalk")
"""Of folders, and of the networks in them as the training program calls them."""

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("shared_clock")]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models' folder with one of each system."""
    torch.set_num_threads(1)  # small operators: two threads wait for each other where a machine is busy
    folder = tmp_path_factory.mktemp("models")
    for name in NAMES:
        torch.manual_seed(3)
        config = load_config(TINY, Config) if name == "pmmtalk" else config_of(SYSTEMS[name], ("anna", "ben"))
        network = network_of(SYSTEMS[name], config)
        with torch.no_grad():  # a new network gives a face at rest, whatever it hears: its last layer begins at zero
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        write_checkpoint(network, folder / name, "New weights.\n")
    return folder


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """0.6 s of a loud tone that swells."""
    at = np.arange(9600)
    soundfile.write(tmp_path / "voice.wav", 0.5 * np.sin(at * 0.2) * np.abs(np.sin(at / 1500)), 16_000)
    return tmp_path / "voice.wav"


@pytest.mark.parametrize("name", NAMES)
def test_it_moves_a_face_over_the_wire(name: str, kept: Path, voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        build, "REAL_TIME_SHARE", 1e6
    )  # how busy the machine is that tests run on is not the question here
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.bind(("127.0.0.1", 0))
        to = f"livelink://127.0.0.1:{receiver.getsockname()[1]}"
        arguments = ["--no-audio", "--no-liveliness", "--device", "cpu", "--models-dir", str(kept), "--to", to]
        assert run(["play", str(voice), "--model", name, *arguments]) == 0
        poses = np.array([decode(packet).values for packet in waiting(receiver)])
    assert len(poses) >= 36
    assert np.isfinite(poses).all() and float(poses[:, :52].min()) >= 0 and float(poses[:, :52].max()) <= 1
    assert float(np.ptp(poses[:, :52], axis=0).max()) > 1e-2
    assert not poses[-1].any()  # the face was eased back to neutral


def waiting(receiver: socket.socket) -> list[bytes]:
    """The datagrams that have come."""
    receiver.setblocking(False)
    found = []
    while True:
        try:
            found.append(receiver.recv(2000))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("name", NAMES)
def test_live_and_converted_faces_agree(name: str, kept: Path) -> None:
    model = load_model(str(kept / name), device="cpu")
    sound = (np.random.default_rng(1).standard_normal(8000) * 0.2).astype(np.float32)
    stream = model.stream()
    live = np.concatenate([*(stream.push(sound[at : at + 333]) for at in range(0, 8000, 333)), stream.flush()])
    assert live.shape == (30, 32)
    assert np.abs(live - model.animate(sound)).max() <= 1e-5


def test_every_system_knows_the_styles_of_its_config_and_refuses_others(kept: Path) -> None:
    for name in set(NAMES) - {"pmmtalk"}:
        mixed = load_model(str(kept / name), device="cpu", style="0.3:anna,0.7:ben")
        assert mixed.animate(np.zeros(1600, np.float32)).shape == (6, 32)
        with pytest.raises(ModelError, match="did you mean 'anna'"):
            load_model(str(kept / name), device="cpu", style="ana")
