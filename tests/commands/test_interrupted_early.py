"""Ctrl-C while the program is still being imported: silence and 130, whatever is imported at that moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOOK = """
import os, signal, sys

class Interrupting:
    '''Interrupts the program at its so-many-th import, counted from that of the command line.'''

    left = int(os.environ["INTERRUPTED_IMPORT"])

    def find_spec(self, name, path=None, target=None):
        if name == "livelink_bridge.cli" or Interrupting.left < int(os.environ["INTERRUPTED_IMPORT"]):
            Interrupting.left -= 1
        if Interrupting.left == 0:
            print("interrupted", flush=True)
            {how}

sys.meta_path.insert(0, Interrupting())
"""
RAISED, SENT = "raise KeyboardInterrupt", "os.kill(os.getpid(), signal.SIGINT)"
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def interrupted(folder: Path, how: str, at: int) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(HOOK.format(how=how))
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "INTERRUPTED_IMPORT": str(at),
    }
    command = [sys.executable, "-m", "livelink_bridge", "config"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("how", [pytest.param(RAISED, id="raised"), pytest.param(SENT, id="sent", marks=ON_POSIX)])
@pytest.mark.parametrize("at", [1, 3, 40, 120, 200])
def test_an_interruption_while_importing_is_silence_and_130(how: str, at: int, tmp_path: Path) -> None:
    done = interrupted(tmp_path, how, at)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "interrupted\n", "")


@ON_POSIX
def test_a_job_in_the_background_that_ignores_interruptions_goes_on_ignoring_them(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts `command &`; a child inherits it
    try:
        done = interrupted(tmp_path, SENT, 40)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == 0 and "subject:" in done.stdout
