"""Detects a change of the system's default input.

PulseAudio and PipeWire move a recording to the new default by themselves. On Windows and macOS PortAudio continues with
the old device and learns of a new default only when it is restarted, which is not possible while a stream is open.
Therefore another process restarts its own PortAudio every two seconds.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from livelink_bridge.devices.own_python import own_python
from livelink_bridge.devices.pulse import end_process

_WATCHER = """
import time, sounddevice
while True:
    try:
        name = sounddevice.query_devices(kind="input")["name"]
    except Exception:
        name = ""
    print(name, flush=True)  # also when nothing changed: a pipe without a reader ends this process
    time.sleep(2)
    try:
        sounddevice._terminate()
    except Exception:
        pass
    try:
        sounddevice._initialize()
    except Exception:
        pass
"""


def needed(platform: str = sys.platform) -> bool:
    """Whether programs have to follow the default input themselves on this system."""
    return platform in ("win32", "darwin")


class DefaultWatch:
    """Calls `on_change` when the name of the default input changes; an empty name, while no input is plugged in, is
    ignored."""

    def __init__(self, on_change: Callable[[], None], command: Sequence[str] | None = None) -> None:
        """
        Parameters
        ----------
        on_change : called on the watching thread
        command : program to run; injected for tests

        Raises
        ------
        OSError : no other process can be started
        """
        python = own_python()
        if command is None and python is None:
            raise OSError("Python is embedded in this program, so it cannot start another one")
        command = command or (str(python), "-c", _WATCHER)
        self._on_change = on_change
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._thread = threading.Thread(target=self._read, name="default input", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watching process. Never raises, so that callers can close the rest."""
        end_process(self._process, self._thread)

    def _read(self) -> None:
        assert self._process.stdout is not None
        known = ""
        for line in self._process.stdout:
            name = line.strip()
            if name and known and name != known:
                self._on_change()
            known = name or known
