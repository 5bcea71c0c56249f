"""PortAudio, shared by all sound streams of this process.

PortAudio lists the devices once, when it starts, and cannot be started anew while a stream is open. So whoever lost its
device asks here for a fresh list: streams that still run are closed first, which to their owners is a device that was
lost for a moment.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import subprocess
import threading
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.devices.own_python import own_python
from livelink_bridge.errors import DeviceError

_ASK_S = 5.0
"""How long another process may take to list the devices."""
_ASK_EVERY_S = 2.0
"""A Python that lists devices takes 0.1 s of a core."""
_CLOSE_S = 3.0
"""A device that has not closed by then never will."""
_LIST = "import json, sounddevice; print(json.dumps([device['name'] for device in sounddevice.query_devices()]))"

Device = dict[str, Any]

_log = logging.getLogger(__name__)


def load_backend() -> Any:
    """The sounddevice module. Raises DeviceError where PortAudio is missing or finds no sound system it can start."""
    try:
        return import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise DeviceError(
            f"no sound devices: {error}; install PortAudio (Debian and Ubuntu: apt install libportaudio2)"
        ) from error
    except (
        Exception
    ) as error:  # PortAudio starts on import, and the class of its errors is in the module that was not imported
        if type(error).__name__ != "PortAudioError":
            raise
        raise DeviceError(f"no sound devices: {one_line(error)}; is the system's sound server running?") from error


def one_line(error: Exception) -> str:
    return " ".join(str(part) for part in error.args[:1]) or type(error).__name__


@cache
def sound_system() -> SoundSystem:
    """This process's one. Raises DeviceError where there is none."""
    return SoundSystem(load_backend())


class SoundSystem:
    """Devices and streams of a backend (the sounddevice module, or a stand-in). Any thread may call."""

    def __init__(
        self,
        backend: Any,
        *,
        close_s: float = _CLOSE_S,
        clock: Clock | None = None,
        beside: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        """`beside` runs what takes long without its being waited for."""
        self._clock, self._beside = clock or MonotonicClock(), beside or _on_a_thread
        self._elsewhere: list[str] | None = None
        self._asking, self._ask_again_s = False, -math.inf
        self._close_s, self._stuck = close_s, False
        self._backend = backend
        self._streams: list[Any] = []
        self._lock = threading.RLock()
        self._started = True

    @property
    def error(self) -> type[Exception]:
        """What the backend raises when a device says no."""
        kind: type[Exception] = self._backend.PortAudioError
        return kind

    def devices(self) -> list[Device]:
        """As of the last start, each with name, hostapi, max_input_channels, max_output_channels,
        default_samplerate."""
        with self._lock:
            return list(self._asked(self._backend.query_devices))

    def default(self) -> tuple[int, int]:
        """Indices of the system's input and output, -1 for none."""
        with self._lock:
            return tuple(self._asked(lambda: self._backend.default.device))

    def systems(self) -> list[Device]:
        """The host's sound systems (ALSA, WASAPI ...), by the devices' `hostapi`."""
        return list(self._backend.query_hostapis())

    def open(self, kind: str, **options: Any) -> Any:
        """An InputStream or OutputStream, started. Raises `error`, and then leaves nothing open."""
        with self._lock:
            stream = getattr(self._backend, kind)(**options)
            try:
                stream.start()
            except BaseException:
                stream.close()
                raise
            self._streams.append(stream)
            return stream

    def close(self, stream: Any) -> None:
        """Close a stream. Harmless twice, and after `renew` has closed it."""
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
                self._finish(stream)

    def _finish(self, stream: Any) -> None:
        """A driver may never return from closing: it is left behind, and PortAudio is not ended any more, which would
        wait for it."""

        def finish() -> None:
            try:
                stream.close()
            except self.error as error:
                _log.debug("a sound device closes with: %s", one_line(error))

        closing = threading.Thread(target=finish, name="sound device that closes", daemon=True)
        closing.start()
        closing.join(self._close_s)
        if closing.is_alive() and not self._stuck:
            self._stuck = True
            atexit.unregister(getattr(self._backend, "_exit_handler", None))  # type: ignore[arg-type]
            _log.warning(
                "a sound device does not close within %g s and is left behind; devices that are lost stay so",
                self._close_s,
            )

    def exclusive(self, hostapi: int) -> Any:
        """Options for a stream that has its device to itself, which only Windows' WASAPI offers. DeviceError
        elsewhere."""
        name = self.systems()[hostapi]["name"]
        if "WASAPI" not in name:
            raise DeviceError(
                f"no device can be had exclusively through {name}; expected one of Windows WASAPI (see `devices`)"
            )
        return self._backend.WasapiSettings(exclusive=True)

    def renew(self) -> None:
        """Look for devices again. Where other streams run they are interrupted, so only if another process sees other
        devices."""
        if self._streams and not self._changed():
            return
        with self._lock:
            if self._stuck:
                return
            for stream in self._streams[:]:
                self.close(stream)
            try:
                if self._started:
                    self._started = False
                    self._backend._terminate()
                self._backend._initialize()
                self._started = True
            except self.error as error:
                _log.debug("PortAudio does not start: %s", one_line(error))

    def _asked(self, question: Callable[[], Any]) -> Any:
        if not self._started:
            raise DeviceError("the sound system does not answer; is the system's sound server running?")
        try:
            return question()
        except self.error as error:
            raise DeviceError(f"the sound system does not answer: {one_line(error)}; is its server running?") from error

    def _changed(self) -> bool:
        """Whether another process has seen other devices, by its newest answer. It is asked beside: nobody waits, no
        lock is held."""
        with self._lock:
            now_s = self._clock.now()
            asks = not self._asking and now_s >= self._ask_again_s
            if asks:
                self._asking, self._ask_again_s = True, now_s + _ASK_EVERY_S
        if asks:
            self._beside(self._ask)
        with self._lock:
            found, self._elsewhere = self._elsewhere, None
        return found is not None and found != [device["name"] for device in self.devices()]

    def _ask(self) -> None:
        found = names_elsewhere()
        with self._lock:
            self._elsewhere, self._asking = found, False


def _on_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="sound devices", daemon=True).start()


def names_elsewhere() -> list[str] | None:
    """The devices' names as a process that starts now sees them; None where it cannot tell."""
    python = own_python()
    if python is None:
        return None
    try:
        done = subprocess.run([python, "-c", _LIST], capture_output=True, timeout=_ASK_S, check=True)
        return [str(name) for name in json.loads(done.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
