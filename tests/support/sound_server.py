"""A PulseAudio server of a test's own: a sound system without a sound card."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = ("pulseaudio", "pactl", "paplay")


@contextmanager
def sound_server(folder: Path, modules: str) -> Iterator[dict[str, str]]:
    """What to add to the environment of programs that shall hear it; `modules`: its script. A skip where there is no
    PulseAudio."""
    for program in PROGRAMS:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Debian: apt install pulseaudio pulseaudio-utils)")
    (folder / "run").mkdir(mode=0o700)
    (folder / "server.pa").write_text(f"load-module module-native-protocol-unix auth-anonymous=1\n{modules}\n")
    ours = {"XDG_RUNTIME_DIR": str(folder / "run"), "PULSE_COOKIE": str(folder / "cookie")}
    environment = (
        {name: value for name, value in os.environ.items() if not name.startswith("PULSE")}
        | ours
        | {"HOME": str(folder)}
    )
    options = ["--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-n", "-F", str(folder / "server.pa")]
    server = subprocess.Popen(["pulseaudio", *options], env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if (
                subprocess.run(
                    ["pactl", "info"], env=environment, capture_output=True, timeout=10, check=False
                ).returncode
                == 0
            ):
                break
            assert server.poll() is None, "PulseAudio does not start"
            threading.Event().wait(0.05)
        yield ours
    finally:
        server.terminate()
        server.wait(10)
