"""What a live session and a conversion load: no library and no module that only training needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from import_graph import ROOT

SENTENCE = ROOT / "livelink_bridge" / "demo" / "sentence.flac"
UNWANTED = {"torch", "transformers", "soxr", "speech_to_face_lab"}
LIMIT_S = 60
INTERRUPTED = 130

MICROPHONE = """
import os, signal, threading
import numpy as np
from livelink_bridge.devices import portaudio
from livelink_bridge.testing.stand_ins import FakePortAudio, FakeStream

class Voice(FakeStream):
    def start(self):
        super().start()
        threading.Thread(target=self.speak, daemon=True).start()

    def speak(self):
        rng = np.random.default_rng(0)
        for _ in range(100):
            self.record(rng.uniform(-0.3, 0.3, (480, 1)).astype(np.float32))
        os.kill(os.getpid(), signal.SIGINT)

class System(FakePortAudio):
    def InputStream(self, **options):
        self.streams.append(Voice(options))
        return self.streams[-1]

portaudio.load_backend = System
"""
"""A microphone that gives a second of noise at once, then Ctrl-C."""


def loaded_by(line: list[str], home: Path, before: str = "", ends_with: int = 0) -> set[str]:
    """Top-level names of the modules that a command line has loaded when it has ended as it should."""
    code = (
        f"{before}\nimport sys\nfrom livelink_bridge import cli\ncode = cli.run({line!r})\n"
        "print('loaded', *{name.partition('.')[0] for name in sys.modules})\nsys.exit(code)"
    )
    environment = os.environ | {"LIVELINK_BRIDGE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT_S, cwd=ROOT, env=environment
    )
    assert done.returncode == ends_with, done.stdout + done.stderr
    return set(done.stdout.rpartition("loaded")[2].split())


def test_a_conversion_loads_nothing_that_only_training_needs(tmp_path: Path) -> None:
    out = tmp_path / "take.csv"
    loaded = loaded_by(["convert", str(SENTENCE), "-o", str(out)], tmp_path)
    assert out.stat().st_size > 0 and {"onnxruntime", "speech_to_face"} <= loaded, "the model was loaded and ran"
    assert loaded & UNWANTED == set()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C as a signal to one process")
def test_a_live_session_loads_nothing_that_only_training_needs(tmp_path: Path) -> None:
    loaded = loaded_by(["--mic", "--to", "livelink://127.0.0.1:9"], tmp_path, MICROPHONE, INTERRUPTED)
    assert {"onnxruntime", "speech_to_face"} <= loaded, "the model was loaded and ran"
    assert loaded & UNWANTED == set()
