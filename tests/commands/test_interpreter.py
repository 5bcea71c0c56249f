"""The command line makes the interpreter steady for as long as a face is live, and restores what it found."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from arkit_mapping.takes.csv import write_take
from livelink_bridge.cli import run
from livelink_bridge.session import build
from livelink_bridge.testing.stand_ins import LoudnessModel

LIVE = {
    "play": "session.modes.play.run_play",
    "--mic": "session.modes.microphone.run_live",
    "replay": "session.modes.replay.run_replay",
    "demo": "session.modes.play.run_play",
}


@pytest.mark.parametrize(("verb", "runs"), LIVE.items())
def test_a_live_command_steadies_the_interpreter_while_it_runs(
    verb: str, runs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "voice.wav", np.zeros(800), 8000)
    write_take(tmp_path / "take.csv", np.zeros((3, 61), np.float32))
    seen: list[tuple[float, int]] = []

    def stands_in(*_: object, **__: object) -> object:
        seen.append((sys.getswitchinterval(), gc.get_freeze_count()))
        return SimpleNamespace()

    monkeypatch.setattr(f"livelink_bridge.{runs}", stands_in)
    monkeypatch.setattr(build, "model_of", lambda _settings: LoudnessModel())
    monkeypatch.setattr(build, "summary_line", lambda _summary: "done")
    found_s = sys.getswitchinterval()
    files = {"play": [str(tmp_path / "voice.wav")], "replay": [str(tmp_path / "take.csv")]}.get(verb, [])
    assert run([verb, *files, *(() if verb == "--mic" else ("--no-audio",))]) == 0
    ((interval_s, frozen),) = seen
    assert interval_s == pytest.approx(0.0005) and frozen > 0
    assert sys.getswitchinterval() == pytest.approx(found_s) and gc.get_freeze_count() == 0
