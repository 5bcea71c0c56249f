"""The whole road through the program itself: a sound file in, an independent decoder out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from livelink_bridge.wire.livelink import decode

SENTENCE = Path(str(files("livelink_bridge").joinpath("demo", "sentence.flac")))
JAW, CLOSE = CHANNELS_61.index("JawOpen"), CHANNELS_61.index("MouthClose")

pytestmark = pytest.mark.timeout(60)


def bridge(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "livelink_bridge", *arguments]


def at_home_in(folder: Path) -> dict[str, str]:
    """An environment without anybody's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVELINK_BRIDGE_")}
    return {**kept, "LIVELINK_BRIDGE_HOME": str(folder)}


def receive(receiver: socket.socket, sender: subprocess.Popen[str]) -> Iterator[tuple[float, bytes]]:
    """Datagrams and when they came, until the sender has ended and nothing is left."""
    receiver.settimeout(0.5)
    while True:
        try:
            datagram = receiver.recv(2000)
        except TimeoutError:
            if sender.poll() is not None:
                return
            continue
        yield time.perf_counter(), datagram


def last_row(values: np.ndarray, take: np.ndarray, frames: np.ndarray) -> int:
    """The take's row that the last packet shows: the first packets may come a tick late, so the fit over all of them
    decides."""
    rows = range(-int(frames[0]), len(take))
    return min(rows, key=lambda row: float(np.abs(values - take[frames + row]).sum()))


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """(arrival times, datagrams) of the bundled sentence, played without sound."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        target = f"livelink://127.0.0.1:{receiver.getsockname()[1]}"
        command = bridge("play", str(SENTENCE), "--no-audio", "--to", target, "--subject", "Talker")
        env = at_home_in(tmp_path_factory.mktemp("home"))
        with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as sender:
            arrivals = list(receive(receiver, sender))
            errors = sender.stderr.read()
    assert sender.returncode == 0, errors
    return np.array([at for at, _ in arrivals]), [datagram for _, datagram in arrivals]


def test_an_independent_decoder_reads_every_packet_as_61_channels(played):
    _, datagrams = played
    for datagram in datagrams:
        good, face = PyLiveLinkFace.decode(datagram)
        ours = decode(datagram)
        assert good and face.name == "Talker" and ours.values.shape == (61,)
        theirs = [face.get_blendshape(FaceBlendShape(i)) for i in range(61)]
        np.testing.assert_allclose(theirs, ours.values, atol=1e-6)


def test_packets_come_sixty_times_a_second_with_rising_frame_numbers(played):
    times, datagrams = played
    frames = np.array([decode(datagram).frame for datagram in datagrams])
    assert (np.diff(frames) > 0).all()
    # A stalled machine delivers late, never early: the earliest packets of both halves keep the beat whatever else runs
    # here.
    lateness_s = times - frames / 60
    first, second = np.array_split(lateness_s, 2)
    assert second.min() - first.min() == pytest.approx(0, abs=0.02)
    assert np.median(np.diff(times)) == pytest.approx(1 / 60, abs=5e-3)


def test_the_face_speaks_and_ends_neutral(played):
    _, datagrams = played
    values = np.stack([decode(datagram).values for datagram in datagrams])
    assert np.percentile(values[:, JAW], 95) > 0.1 and values[:, JAW].std() > 0.03
    np.testing.assert_array_equal(values[-10:], np.zeros((10, 61)))


def test_convert_gives_the_curves_that_play_sent_but_for_mouth_close(played, tmp_path):
    _, datagrams = played
    command = bridge("convert", str(SENTENCE), "-o", str(tmp_path / "take.csv"))
    subprocess.run(command, env=at_home_in(tmp_path), check=True, capture_output=True, timeout=50)
    take = read_take(tmp_path / "take.csv")
    packets = [decode(datagram) for datagram in datagrams]
    others = [i for i in range(61) if i != CLOSE]
    values = np.stack([packet.values for packet in packets])
    frames = np.array([packet.frame for packet in packets]) - packets[-1].frame
    # Ticks left out of the tail are made up for at its end: as many neutral rows as a stalled machine may want.
    rows = np.concatenate([take.values, np.zeros((60 + max(0, -int(frames[0]) - len(take.values)), 61), np.float32)])
    shown = frames + last_row(values[:, others], rows[:, others], frames)
    np.testing.assert_allclose(values[:, others], rows[shown][:, others], atol=1e-5)
    assert np.abs(values[:, CLOSE] - rows[shown][:, CLOSE]).max() > 0.01
    assert take.times_s[0] == 0
