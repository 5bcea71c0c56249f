"""The programs in examples/ do what their first line says, as a user runs them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import write_take
from livelink_bridge.wire.livelink import Packet, decode

EXAMPLES = Path(__file__).parents[2] / "examples"
JAW = CHANNELS_61.index("JawOpen")
LIMIT_S = 40


def run(name: str, *arguments: object, home: Path, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LIVELINK_BRIDGE_")}
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(
        command, input=given, env={**kept, "LIVELINK_BRIDGE_HOME": str(home)}, capture_output=True, timeout=LIMIT_S
    )


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unreal:
        unreal.bind(("127.0.0.1", 0))
        unreal.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        unreal.settimeout(1)
        yield unreal


def received(unreal: socket.socket, count: int) -> list[Packet]:
    return [decode(unreal.recv(2000)) for _ in range(count)]


def uri(unreal: socket.socket) -> str:
    return f"livelink://127.0.0.1:{unreal.getsockname()[1]}"


def voice() -> np.ndarray:
    """0.6 s at 24 kHz, as much like speech as the detector wants: a buzz with formants."""
    at_s = np.arange(14400) / 24000
    buzz = np.sign(np.sin(2 * np.pi * 130 * at_s)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at_s))
    return np.asarray(0.2 * buzz, np.float32)


def test_sound_becomes_arrays(tmp_path):
    soundfile.write(tmp_path / "voice.wav", voice(), 24000)
    done = run("wav_to_npz.py", tmp_path / "voice.wav", home=tmp_path)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "voice.npz") as arrays:
        assert arrays["values"].shape == (36 + 29, 61) and tuple(arrays["channels"]) == CHANNELS_61
        assert arrays["values"][:, JAW].max() > 0.05
    assert b"values (65, 61)" in done.stdout


def test_what_an_engine_writes_to_its_output_moves_the_face(tmp_path, receiver):
    samples = (voice() * 32767).astype("<i2").tobytes()
    done = run(
        "tts_to_unreal.py",
        "-",
        "--rate",
        24000,
        "--to",
        uri(receiver),
        "--subject",
        "Ada",
        home=tmp_path,
        given=samples,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"0.6 s of audio")
    packets = received(receiver, 40)
    assert {packet.subject for packet in packets} == {"Ada"}


@pytest.mark.skipif(
    not shutil.which("espeak-ng"), reason="espeak-ng is not installed: the example that runs it was not tried"
)
def test_a_text_is_said_by_espeak_and_opens_the_mouth(tmp_path, receiver):
    done = run("tts_to_unreal.py", "Mama", "--to", uri(receiver), home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    sent = int(done.stdout.split(b"audio, ")[1].split()[0])
    packets = received(receiver, sent)
    assert max(packet.values[JAW] for packet in packets) > 0.1
    assert not packets[-1].values.any()


def test_a_take_becomes_an_animated_gltf(tmp_path):
    poses = np.zeros((90, 61), np.float32)
    poses[:, JAW] = np.linspace(0, 1, 90)
    write_take(tmp_path / "take.csv", poses)
    for _ in range(2):
        done = run("take_to_gltf.py", tmp_path / "take.csv", home=tmp_path)
        assert done.returncode == 0, done.stderr
    from pygltflib import GLTF2

    [animation] = GLTF2().load(str(tmp_path / "take.glb")).animations
    assert "weights" in {channel.target.path for channel in animation.channels}
    assert b"90 frames, 1.5 s" in done.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("wav_to_npz.py", ["none.wav"], b"none.wav: no such file"),
        ("take_to_gltf.py", ["none.csv"], b"take none.csv cannot be read"),
        ("wav_to_npz.py", [], b"AUDIO [OUT.npz]"),
        ("take_to_gltf.py", [], b"TAKE.csv [OUT.glb"),
        ("tts_to_unreal.py", ["-", "--rate", "3"], b"rate: got 3, expected"),
    ],
)
def test_a_mistake_is_one_line_and_no_traceback(tmp_path, name, arguments, said):
    done = run(name, *arguments, home=tmp_path, given=b"")
    assert done.returncode == 1 and said in done.stderr and b"Traceback" not in done.stderr
