"""A microphone moves a face, and the home is as empty as before."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import homes
import pytest

pytestmark = [pytest.mark.device, pytest.mark.timeout(90)]


def test_a_microphone_session_leaves_the_subject_s_device_id_in_its_own_folder_and_nothing_else(
    pulse: dict[str, str], receiver: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    # libpulse keeps a cookie in the home of whoever speaks to a server: that is the sound system's, and lies elsewhere
    # here.
    sound = {"PULSE_SERVER": f"unix:{pulse['XDG_RUNTIME_DIR']}/pulse/native", "PULSE_COOKIE": str(tmp_path / "cookie")}
    command = [sys.executable, "-m", "livelink_bridge", "--mic", "--to", receiver.uri]
    with subprocess.Popen(command, env={**homes.environment(home), **sound}, stderr=subprocess.PIPE, text=True) as live:
        assert receiver.first.wait(60)
        live.send_signal(signal.SIGINT)
        _, errors = live.communicate(timeout=30)
    assert live.returncode == 130, errors
    assert homes.files(home) == [] and homes.files(homes.remembered(home)) == homes.IDENTITIES
