"""PulseAudio's and PipeWire's microphones by name.

PortAudio sees their server as one ALSA device called "pulse". Which source that device records from is read from the environment at the
moment it is opened (PULSE_SOURCE, man page pulse-client.conf), and the server is asked through its own `pactl`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from livelink_bridge.portaudio import Device

_DEVICE = "pulse"
_VARIABLE = "PULSE_SOURCE"
_ASK_S = 3.0
_ENVIRONMENT_LOCK = threading.Lock()
_SOURCE = re.compile(r"^Source #(\d+)\n(.*?)(?=^Source #|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class PulseInput:
    """One source of the sound server."""

    index: int
    """Its number; a source that goes and comes back has another."""
    name: str
    description: str
    """What the desktop's sound settings call it."""

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """What is opened inside records from this source."""
        with _ENVIRONMENT_LOCK:
            before = os.environ.get(_VARIABLE)
            os.environ[_VARIABLE] = self.name
            try:
                yield
            finally:
                os.environ.pop(_VARIABLE) if before is None else os.environ.update({_VARIABLE: before})


def pulse_device(devices: Sequence[Device]) -> int | None:
    """Index of the device through which PortAudio reaches the server, if it does."""
    return next((i for i, device in enumerate(devices) if device["name"] == _DEVICE and device["max_input_channels"]), None)


def find_pulse_input(wanted: str, inputs: Sequence[PulseInput]) -> PulseInput | None:
    """The one source whose name or description is `wanted` or, if there is no such, the one that contains it in any case."""
    exact = [one for one in inputs if wanted in (one.name, one.description)]
    part = [one for one in inputs if wanted.casefold() in f"{one.name}\n{one.description}".casefold()]
    found = exact or part
    return found[0] if len(found) == 1 else None


def pulse_inputs() -> list[PulseInput]:
    """The server's sources, none where there is no server."""
    if not shutil.which("pactl"):
        return []
    try:
        environment = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run(["pactl", "list", "sources"], capture_output=True, text=True, timeout=_ASK_S, check=True, env=environment)
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_sources(done.stdout)


def parse_sources(listing: str) -> list[PulseInput]:
    """What `pactl list sources` says."""
    found = []
    for index, text in _SOURCE.findall(listing):
        fields: dict[str, str] = dict(re.findall(r"^\t(Name|Description): (.*)$", text, re.MULTILINE))
        if name := fields.get("Name"):
            found.append(PulseInput(int(index), name, fields.get("Description") or name))
    return found


class PulseWatch:
    """Calls `on_gone` when a source is removed. The server moves who recorded from it to another microphone without a word."""

    def __init__(self, source: PulseInput, on_gone: Callable[[], None]) -> None:
        self._event = f"Event 'remove' on source #{source.index}"
        self._on_gone = on_gone
        environment = {**os.environ, "LC_ALL": "C"}
        self._process = subprocess.Popen(["pactl", "subscribe"], stdout=subprocess.PIPE, text=True, env=environment)
        self._thread = threading.Thread(target=self._read, name="pactl", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == self._event:
                self._on_gone()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(_ASK_S)
        self._thread.join(_ASK_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
