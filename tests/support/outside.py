"""The command line from outside: what it needs, what it says, what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from livelink_bridge.network.udp_port import Arrivals

RATE_HZ = 16000


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on stderr."""
    err = capsys.readouterr().err
    assert err.startswith("livelink-bridge: ") and err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


class NoSound(SimpleNamespace):
    """A sound system as sounddevice shows it, with the devices it was made with."""

    def __init__(self, devices: list[dict[str, Any]]) -> None:
        super().__init__(
            query_devices=lambda: devices, query_hostapis=lambda: [{"name": "ALSA"}], PortAudioError=OSError
        )
        self.default = SimpleNamespace(device=[-1, -1])


SPEAKERS = {
    "name": "Speakers",
    "hostapi": 0,
    "max_input_channels": 0,
    "max_output_channels": 2,
    "default_samplerate": 48000.0,
}


def received(arrivals: Arrivals) -> Iterator[bytes]:
    """What waits at a port."""
    while (found := arrivals.receive(0.05)) is not None:
        yield found[0]


def loud_tone(folder: Path, seconds: float = 0.4) -> Path:
    """A sound file."""
    path = folder / "voice.wav"
    soundfile.write(path, 0.5 * np.sin(np.arange(int(seconds * RATE_HZ)) * 0.2), RATE_HZ)
    return path
