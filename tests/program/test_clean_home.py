"""Nothing is written where nobody looks: after every kind of command a fresh home is as empty as before."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import homes
import pytest
from outside import loud_tone

BRIDGE = [sys.executable, "-m", "livelink_bridge"]
EXAMPLES = Path(__file__).parents[2] / "examples"
LIMIT_S = 50
LIBRARY = """
import sys
from livelink_bridge import animate, load_model
model = load_model("pmmtalk-live")
assert len(animate(sys.argv[1], model=model).times_s)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, *command: str) -> str:
    """What a command that ends well says; it is run in the folder beside the home."""
    environment = homes.environment(home)
    done = subprocess.run(
        [*command], env=environment, cwd=home.parent, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_convert_leaves_the_take_alone(home: Path, tmp_path: Path) -> None:
    run(home, *BRIDGE, "convert", str(loud_tone(tmp_path)), "-o", str(tmp_path / "take.csv"))
    assert homes.files(tmp_path) == ["take.csv", "voice.wav"]


def test_play_leaves_the_subject_s_device_id_in_its_own_folder_and_nothing_else(home: Path, tmp_path: Path) -> None:
    run(
        home,
        *BRIDGE,
        "play",
        str(loud_tone(tmp_path)),
        "--no-audio",
        "--to",
        "livelink://127.0.0.1:9",
        "--gate",
        "voice",
    )
    assert homes.files(tmp_path) == [*(f"remembered/{name}" for name in homes.IDENTITIES), "voice.wav"]


def test_a_batch_with_workers_leaves_its_takes_with_their_sounds_and_its_record(home: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(loud_tone(tmp_path), lines / f"{name}.wav")
    assert "3 converted" in run(home, *BRIDGE, "convert", str(lines), "-o", str(tmp_path / "takes"), "--jobs", "2")
    assert homes.files(home) == [] and not homes.remembered(home).exists()
    takes = [f"{name}{end}" for name in "abc" for end in (".csv", ".wav")]
    assert homes.files(tmp_path / "takes") == [".livelink-bridge/takes.sqlite", *takes]


def test_the_library_leaves_nothing(home: Path, tmp_path: Path) -> None:
    run(home, sys.executable, "-c", LIBRARY, str(loud_tone(tmp_path)))
    assert homes.files(tmp_path) == ["voice.wav"]


def test_an_example_leaves_what_it_is_there_for(home: Path, tmp_path: Path) -> None:
    run(home, sys.executable, str(EXAMPLES / "wav_to_npz.py"), str(loud_tone(tmp_path)))
    assert homes.files(tmp_path) == ["voice.npz", "voice.wav"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole consoles")
def test_a_preview_that_is_looked_at_leaves_nothing(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("nicegui", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")
    command = [*BRIDGE, "preview", str(loud_tone(tmp_path)), "--no-browser", "--port", "0"]
    environment = {**homes.environment(home), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as page:
        assert page.stdout
        where = re.search(r"http://127\.0\.0\.1:\d+/", page.stdout.readline())
        assert where
        with urllib.request.urlopen(where[0], timeout=LIMIT_S) as answer:
            assert b"face" in answer.read()
        page.send_signal(signal.SIGINT)
        page.wait(LIMIT_S)
    assert set(homes.files(tmp_path)) <= {"voice.wav", *(f"remembered/{name}" for name in homes.IDENTITIES)}
