"""Each performer hears his own channel of an interface and nothing else, on a real sound system."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.device, pytest.mark.timeout(90)]

RATE = 44100
MAPS = {
    1: "mono",
    2: "front-left,front-right",
    6: "front-left,front-right,front-center,lfe,rear-left,rear-right",
    8: ",".join(f"aux{number}" for number in range(8)),
}
PRO = {2: "aux0,aux1", 6: ",".join(f"aux{number}" for number in range(6))}
"""As interfaces of the "pro audio" profile call their channels."""
HEARD_S, WHOLE_S = 1.5, 0.5
"""A busy machine loses sound here and there, which is heard at every pitch: one stretch without such a hole is looked
for."""
OTHERS_DB = -60.0
PLAYED_S = 60

HEAR = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.sources.microphone import Input
from livelink_bridge.sources.demux import open_microphones
import threading

wanted, seconds = json.loads(sys.argv[1]), float(sys.argv[2])
sources, splits = open_microphones([Input(name, tuple(channels)) for name, channels in wanted], MonotonicClock())
for split in splits:
    threading.Thread(target=split.run, daemon=True).start()

def hear(source):
    parts, blocks = [], source.blocks()
    while not parts or np.abs(parts[-1]).max() < 0.01:  # until the server has woken the source
        parts.append(next(blocks).samples[:, 0])
    parts = []
    while sum(map(len, parts)) < (seconds + 0.2) * source.sample_rate:
        parts.append(next(blocks).samples[:, 0])
    return np.concatenate(parts)[-round(seconds * source.sample_rate):]

with ThreadPoolExecutor(len(sources)) as threads:
    heard = list(threads.map(hear, sources))
for source in sources:
    source.close()
for split in splits:
    split.close()
np.savez(sys.argv[3], *heard, rates=[source.sample_rate for source in sources])
"""


def tone_hz(channel: int) -> int:
    return 300 + 130 * channel


@contextmanager
def playing(room, pulse, folder: Path, count: int, positions: str) -> Iterator[None]:
    """A sink of so many channels as the default microphone, with another tone in each."""
    room.ask(
        "load-module",
        "module-null-sink",
        "sink_name=studio",
        f"channels={count}",
        f"channel_map={positions}",
        "norewinds=1",
    )
    room.ask("set-default-source", "studio.monitor")
    at_s = np.arange(RATE) / RATE  # whole periods of every tone, so that the second repeats without a seam
    tones = np.stack([0.3 * np.sin(2 * np.pi * tone_hz(channel) * at_s) for channel in range(1, count + 1)], axis=1)
    (folder / "tones.raw").write_bytes(PLAYED_S * tones.astype("<f4").tobytes())
    options = ["--playback", "--raw", "--device=studio", "--format=float32le", f"--rate={RATE}", f"--channels={count}",
               f"--channel-map={positions}", "--no-remix", "--no-remap", "--latency-msec=50"]  # fmt: skip
    player = subprocess.Popen(["pacat", *options, str(folder / "tones.raw")], env=pulse)
    try:
        yield
    finally:
        player.kill()
        player.wait(10)


def heard(pulse, folder: Path, wanted: list[tuple[str | None, list[int]]]) -> list[np.ndarray]:
    """dB against the tone that is played, of each channel's tone, in what each of these voices hears."""
    out = folder / "heard.npz"
    command = [sys.executable, "-c", HEAR, json.dumps(wanted), str(HEARD_S), str(out)]
    done = subprocess.run(command, env=pulse, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(out) as found:
        return [levels_db(found[f"arr_{at}"], int(rate)) for at, rate in enumerate(found["rates"])]


def levels_db(samples: np.ndarray, rate: int) -> np.ndarray:
    """Of the stretch in which everything but the loudest tone is softest."""
    length = round(WHOLE_S * rate)
    stretches = [stretch_db(samples[at : at + length], rate) for at in range(0, len(samples) - length + 1, length // 2)]
    return min(stretches, key=lambda found_db: np.sort(found_db)[-2])


def stretch_db(samples: np.ndarray, rate: int) -> np.ndarray:
    window, at_s = np.hanning(len(samples)), np.arange(len(samples)) / rate
    waves = [np.exp(-2j * np.pi * tone_hz(channel) * at_s) for channel in range(1, 9)]
    return np.array([20 * np.log10(2 * abs((samples * window) @ wave) / window.sum() / 0.3 + 1e-9) for wave in waves])


CASES = [(count, positions) for maps in (MAPS, PRO) for count, positions in maps.items() if count > 1]


@pytest.mark.parametrize(("count", "positions"), CASES, ids=[f"{count}-{positions[:5]}" for count, positions in CASES])
def test_channel_n_is_channel_n_and_nothing_else(count, positions, room, pulse, tmp_path):
    with playing(room, pulse, tmp_path, count, positions):
        wanted = [(name, [channel]) for name in (None, "studio.monitor") for channel in range(1, count + 1)]
        for (name, (channel,)), found_db in zip(wanted, heard(pulse, tmp_path, wanted), strict=True):
            assert found_db[channel - 1] == pytest.approx(0, abs=3), f"{name}: channel {channel} is heard"
            assert np.delete(found_db, channel - 1).max() < OTHERS_DB, f"{name}: channel {channel} is heard alone"


@pytest.mark.parametrize("channel", [1, 2])
def test_one_performer_alone_hears_one_channel_of_a_stereo_microphone(channel, room, pulse, tmp_path):
    with playing(room, pulse, tmp_path, 2, MAPS[2]):
        ((*found_db,),) = heard(pulse, tmp_path, [(None, [channel])])
    assert found_db[channel - 1] == pytest.approx(0, abs=1)
    assert found_db[2 - channel] < OTHERS_DB


def test_a_channel_that_is_not_there_is_one_line_with_those_that_are(room, pulse, tmp_path):
    with playing(room, pulse, tmp_path, 6, MAPS[6]):
        command = [sys.executable, "-m", "livelink_bridge", "--mic", "--channel", "7", "--to", "osc://127.0.0.1:9"]
        done = subprocess.run(command, env=pulse, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "got channel 7, expected channels from 1 to 6" in done.stderr.splitlines()[-1]


def test_devices_says_how_many_channels_each_source_has(room, pulse, tmp_path):
    with playing(room, pulse, tmp_path, 8, MAPS[8]):
        listed = subprocess.run(
            [sys.executable, "-m", "livelink_bridge", "devices"],
            env=pulse,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    of_server = [line for line in listed.stdout.splitlines() if line.endswith("of the sound server")]
    assert sorted(line.split("  ")[-3].strip() for line in of_server) == ["2 channels", "8 channels"], listed.stdout
