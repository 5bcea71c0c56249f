"""PulseAudio's and PipeWire's microphones by name, and what of them PortAudio can record.

PortAudio sees their server as one ALSA device called "pulse". Which source that device records from is read from the
environment at the moment it is opened (PULSE_SOURCE, man page pulse-client.conf), and the server is asked through its
own `pactl`.
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
"""The channels of which ALSA's stream, opened with as many, is a copy. It knows channels by these names alone: of a
source with others it makes a mixture, or silence where no name is the same, as of an interface's aux0, aux1 ..."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PulseInput:
    """One source of the sound server."""

    index: int
    """Its number; a source that goes and comes back has another."""
    name: str
    description: str
    """What the desktop's sound settings call it."""
    positions: tuple[str, ...] = ("front-left", "front-right")
    """What its channels are called, in their order."""
    rate_hz: int = 44100

    @property
    def plain(self) -> bool:
        """Whether a stream of ALSA with as many channels has each of them as it is."""
        return self.positions in _PLAIN

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
    return next(
        (i for i, device in enumerate(devices) if device["name"] == _DEVICE and device["max_input_channels"]), None
    )


def fitting_pulse_inputs(wanted: str, inputs: Sequence[PulseInput]) -> list[PulseInput]:
    """The sources whose name or description is `wanted` or, if there is no such, those that contain it in any case."""
    exact = [one for one in inputs if wanted in (one.name, one.description)]
    return exact or [one for one in inputs if wanted.casefold() in f"{one.name}\n{one.description}".casefold()]


def shown_names(inputs: Sequence[PulseInput]) -> list[str]:
    """What each source can be asked for by: its description or, where several have the same, its name."""
    descriptions = [one.description for one in inputs]
    return [one.description if descriptions.count(one.description) == 1 else one.name for one in inputs]


def pulse_inputs() -> list[PulseInput]:
    """The server's sources, none where there is no server."""
    return parse_sources(_pactl("list", "sources"))


def default_pulse_input() -> PulseInput | None:
    """The source that is recorded from where none is named; None where there is no server, or it has none."""
    stated = re.search(r"^Default Source: (.*)$", _pactl("info"), re.MULTILINE)
    wanted = os.environ.get(_VARIABLE) or (stated[1] if stated else None)
    return next((one for one in pulse_inputs() if one.name == wanted), None) if wanted else None


def _pactl(*arguments: str) -> str:
    """What the server's own program answers; nothing where there is no server."""
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
    """For programs whose answers are read: English, as everywhere."""
    return {**os.environ, "LC_ALL": "C"}


def parse_sources(listing: str) -> list[PulseInput]:
    """What `pactl list sources` says."""
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
    """Of the server's events: this source is gone. The server moves who recorded from it to another microphone without
    a word."""
    return lambda event: event == f"Event 'remove' on source #{source.index}"


def default_differs(source: PulseInput) -> Callable[[str], bool]:
    """Of the server's events: the default source is one with other channels than `source`, from which it records from
    now on.

    With the same channels the recording goes on by itself.
    """

    def differs(event: str) -> bool:
        if " on server" not in event:
            return False
        now = default_pulse_input()
        return now is not None and now.positions != source.positions

    return differs


class PulseWatch:
    """Calls `on_event` at each of the server's events that `meant` says is meant."""

    def __init__(self, meant: Callable[[str], bool], on_event: Callable[[], None]) -> None:
        self._meant, self._on_event = meant, on_event
        # It says "Got SIGINT, exiting." where it is ended: nothing that a person has to read. The terminal's Ctrl-C is
        # ours alone.
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
            if self._meant(line.strip()):
                self._on_event()

    def close(self) -> None:
        """Never raises: whoever closes has more to close."""
        end_process(self._process, self._thread)


def end_process(process: subprocess.Popen[Any], reader: threading.Thread) -> None:
    """End a program that is read by a thread. One that does not heed is killed, and the thread, a daemon, left behind
    at worst."""
    process.terminate()
    try:
        process.wait(_ASK_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _log.debug("%s had to be killed", process.args)
    reader.join(_ASK_S)
    if process.stdout is not None and not reader.is_alive():
        process.stdout.close()
