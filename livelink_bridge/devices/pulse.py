"""Microphones of PulseAudio and PipeWire, selected by name.

PortAudio sees the sound server as one ALSA device called "pulse". That device reads the source to record from out of
the environment when it is opened (PULSE_SOURCE, man page pulse-client.conf). This module queries the server through its
own program `pactl`.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from livelink_bridge.devices.portaudio import Device

SERVER_DEVICES = ("pulse", "default", "pipewire")
"""ALSA's names for the sound server's default source, where a server runs."""
_DEVICE = "pulse"
_VARIABLE = "PULSE_SOURCE"
_ASK_S = 3.0
_ENVIRONMENT_LOCK = threading.Lock()
_SOURCE = re.compile(r"^Source #(\d+)\n(.*?)(?=^Source #|\Z)", re.MULTILINE | re.DOTALL)
_PLAIN = (("mono",), ("front-left", "front-right"))
"""Channel maps that an ALSA stream with as many channels copies unchanged. It knows only these channel names: of a
source with others it makes a mix, or silence when no name matches, as with an interface's aux0, aux1 ..."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PulseInput:
    """One source of the sound server."""

    index: int
    """Its number; it changes when a source is removed and added again."""
    name: str
    """The server's name of it."""
    description: str
    """Its name in the desktop's sound settings."""
    positions: tuple[str, ...] = ("front-left", "front-right")
    """Names of its audio channels, in order."""
    rate_hz: int = 44100
    """Hz."""

    @property
    def plain(self) -> bool:
        """Whether an ALSA stream with as many channels gets each of them unchanged."""
        return self.positions in _PLAIN

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Streams opened in this context record from this source."""
        with _ENVIRONMENT_LOCK:
            before = os.environ.get(_VARIABLE)
            os.environ[_VARIABLE] = self.name
            try:
                yield
            finally:
                os.environ.pop(_VARIABLE) if before is None else os.environ.update({_VARIABLE: before})


def pulse_device(devices: Sequence[Device]) -> int | None:
    """Index of the PortAudio device that records from the server; None if there is none."""
    return next(
        (i for i, device in enumerate(devices) if device["name"] == _DEVICE and device["max_input_channels"]), None
    )


def fitting_pulse_inputs(spec: str, inputs: Sequence[PulseInput]) -> list[PulseInput]:
    """The sources whose name or description equals `spec`; if there is none, those that contain it, ignoring case."""
    exact = [one for one in inputs if spec in (one.name, one.description)]
    return exact or [one for one in inputs if spec.casefold() in f"{one.name}\n{one.description}".casefold()]


def shown_names(inputs: Sequence[PulseInput]) -> list[str]:
    """A unique name for each source: its description or, where several have the same, its name."""
    descriptions = [one.description for one in inputs]
    return [one.description if descriptions.count(one.description) == 1 else one.name for one in inputs]


def pulse_inputs() -> list[PulseInput]:
    """The server's sources; empty when there is no server."""
    return parse_sources(_pactl("list", "sources"))


def default_pulse_input() -> PulseInput | None:
    """The server's default source; None when there is no server or no source."""
    default = re.search(r"^Default Source: (.*)$", _pactl("info"), re.MULTILINE)
    name = os.environ.get(_VARIABLE) or (default[1] if default else None)
    return next((one for one in pulse_inputs() if one.name == name), None) if name else None


def _pactl(*arguments: str) -> str:
    """Output of the server's own program; empty when there is no server."""
    if not shutil.which("pactl"):
        return ""
    try:
        done = subprocess.run(
            ["pactl", *arguments], capture_output=True, text=True, timeout=_ASK_S, check=True, env=plain_environment()
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def plain_environment() -> dict[str, str]:
    """Environment for programs whose output is parsed: in English."""
    return {**os.environ, "LC_ALL": "C"}


def parse_sources(listing: str) -> list[PulseInput]:
    """Parse the output of `pactl list sources`."""
    found = []
    for index, text in _SOURCE.findall(listing):
        fields: dict[str, str] = dict(re.findall(r"^\t([A-Z][\w ]+): (.*)$", text, re.MULTILINE))
        if name := fields.get("Name"):
            positions = tuple(part.strip() for part in fields.get("Channel Map", "front-left,front-right").split(","))
            rate = re.search(r"(\d+)Hz", fields.get("Sample Specification", ""))
            found.append(
                PulseInput(
                    int(index), name, fields.get("Description") or name, positions, int(rate[1]) if rate else 44100
                )
            )
    return found


def removed(source: PulseInput) -> Callable[[str], bool]:
    """Predicate on the server's events: this source was removed. The server silently moves its recordings to another
    microphone."""
    return lambda event: event == f"Event 'remove' on source #{source.index}"


def default_differs(source: PulseInput) -> Callable[[str], bool]:
    """Predicate on the server's events: the default source is now one with other channels than `source`.

    With the same channels the recording continues by itself.
    """

    def differs(event: str) -> bool:
        if " on server" not in event:
            return False
        now = default_pulse_input()
        return now is not None and now.positions != source.positions

    return differs


class PulseWatch:
    """Calls `on_event`, on its own thread, for each event of the server that `matches` accepts."""

    def __init__(self, matches: Callable[[str], bool], on_event: Callable[[], None]) -> None:
        """Raises OSError when `pactl` cannot be started."""
        self._matches, self._on_event = matches, on_event
        # On its end it prints "Got SIGINT, exiting.", which users need not see. A session of its own keeps the
        # terminal's Ctrl-C from it.
        self._process = subprocess.Popen(
            ["pactl", "subscribe"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=plain_environment(),
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._read, name="pactl", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if self._matches(line.strip()):
                self._on_event()

    def close(self) -> None:
        """End the watching process. Never raises, so that callers can close the rest."""
        end_process(self._process, self._thread)


def end_process(process: subprocess.Popen[Any], reader: threading.Thread) -> None:
    """End a program and the thread that reads its output. Never raises: a program that does not end is killed, and at
    worst the thread, a daemon, is abandoned.

    Parameters
    ----------
    process : the program
    reader : the thread that reads its standard output
    """
    process.terminate()
    try:
        process.wait(_ASK_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _log.debug("%s had to be killed", process.args)
    reader.join(_ASK_S)
    if process.stdout is not None and not reader.is_alive():
        process.stdout.close()
