"""PortAudio, shared by all audio streams of this process.

PortAudio lists the devices once, at its start, and cannot be restarted while a stream is open. A source that lost its
device therefore asks this module for a new list: streams that are still running are closed first, which their owners
see as a device lost for a moment.
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
"""Time limit for another process to list the devices."""
_ASK_EVERY_S = 2.0
"""Shortest interval between such processes: each takes 0.1 s of a core."""
_CLOSE_S = 3.0
"""Time limit for a device to close; one that takes longer never closes."""
_LIST = "import json, sounddevice; print(json.dumps([device['name'] for device in sounddevice.query_devices()]))"

Device = dict[str, Any]
"""A device or a host API as sounddevice describes it."""

_log = logging.getLogger(__name__)


def load_backend() -> Any:
    """The sounddevice module. Raises DeviceError when PortAudio is missing or cannot start any host API."""
    try:
        return import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise DeviceError(
            f"no audio devices: {error}; install PortAudio (Debian and Ubuntu: apt install libportaudio2)"
        ) from error
    except Exception as error:
        # PortAudio starts on import, and its error class is in the module whose import failed.
        if type(error).__name__ != "PortAudioError":
            raise
        raise DeviceError(f"no audio devices: {one_line(error)}; is the system's sound server running?") from error


def one_line(error: Exception) -> str:
    """Text of a PortAudio error on one line, without its codes."""
    return " ".join(str(part) for part in error.args[:1]) or type(error).__name__


@cache
def sound_system() -> SoundSystem:
    """The shared instance of this process. Raises DeviceError when PortAudio is not available."""
    return SoundSystem(load_backend())


class SoundSystem:
    """Devices and streams of a backend: the sounddevice module, or a fake in tests. Thread-safe."""

    def __init__(
        self,
        backend: Any,
        *,
        close_s: float = _CLOSE_S,
        clock: Clock | None = None,
        start: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        """
        Parameters
        ----------
        backend : sounddevice, or a fake
        close_s : seconds that a stream may take to close
        clock : for the interval between two listings
        start : runs a slow function on another thread
        """
        self._clock, self._start = clock or MonotonicClock(), start or _on_a_thread
        self._new_names: list[str] | None = None
        self._asking, self._ask_again_s = False, -math.inf
        self._close_s, self._stuck = close_s, False
        self._backend = backend
        self._streams: list[Any] = []
        self._lock = threading.RLock()
        self._started = True

    @property
    def error(self) -> type[Exception]:
        """Exception class of the backend."""
        kind: type[Exception] = self._backend.PortAudioError
        return kind

    def devices(self) -> list[Device]:
        """Devices as of PortAudio's last start, each with name, hostapi, max_input_channels, max_output_channels,
        default_samplerate."""
        with self._lock:
            return list(self._query(self._backend.query_devices))

    def default(self) -> tuple[int, int]:
        """Indices of the system's default input and output, -1 for none."""
        with self._lock:
            return tuple(self._query(lambda: self._backend.default.device))

    def systems(self) -> list[Device]:
        """Host APIs (ALSA, WASAPI ...), indexed by the devices' `hostapi`."""
        return list(self._backend.query_hostapis())

    def open(self, kind: str, **options: Any) -> Any:
        """Open and start a stream; when it raises `error`, nothing stays open.

        Parameters
        ----------
        kind : "InputStream" or "OutputStream"
        options : its arguments
        """
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
        """Close a stream within the time limit. A driver may never return from closing: then it is abandoned, and
        PortAudio is never terminated, as that would wait for it."""

        def finish() -> None:
            try:
                stream.close()
            except self.error as error:
                _log.debug("closing an audio device failed: %s", one_line(error))

        closing = threading.Thread(target=finish, name="audio device closing", daemon=True)
        closing.start()
        closing.join(self._close_s)
        if closing.is_alive() and not self._stuck:
            self._stuck = True
            atexit.unregister(getattr(self._backend, "_exit_handler", None))  # type: ignore[arg-type]
            _log.warning(
                "an audio device did not close within %g s and was abandoned; lost devices cannot be reopened any more",
                self._close_s,
            )

    def exclusive(self, hostapi: int) -> Any:
        """Stream options for exclusive mode of the host API with this index. Raises DeviceError unless it is Windows
        WASAPI."""
        name = self.systems()[hostapi]["name"]
        if "WASAPI" not in name:
            raise DeviceError(f"{name} has no exclusive mode; expected a device of Windows WASAPI (see `devices`)")
        return self._backend.WasapiSettings(exclusive=True)

    def renew(self) -> None:
        """List the devices again. This interrupts other running streams, so with such streams it is done only if
        another process sees other devices."""
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

    def _query(self, query: Callable[[], Any]) -> Any:
        if not self._started:
            raise DeviceError("the sound system does not answer; is the system's sound server running?")
        try:
            return query()
        except self.error as error:
            raise DeviceError(f"the sound system does not answer: {one_line(error)}; is its server running?") from error

    def _changed(self) -> bool:
        """Whether another process sees other devices, by its latest answer. It runs in the background, without waiting
        and without the lock."""
        with self._lock:
            now_s = self._clock.now()
            ask = not self._asking and now_s >= self._ask_again_s
            if ask:
                self._asking, self._ask_again_s = True, now_s + _ASK_EVERY_S
        if ask:
            self._start(self._ask)
        with self._lock:
            names, self._new_names = self._new_names, None
        return names is not None and names != [device["name"] for device in self.devices()]

    def _ask(self) -> None:
        names = names_in_new_process()
        with self._lock:
            self._new_names, self._asking = names, False


def _on_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="sound devices", daemon=True).start()


def names_in_new_process() -> list[str] | None:
    """Device names as a new process sees them; None when it cannot be run."""
    python = own_python()
    if python is None:
        return None
    try:
        done = subprocess.run([python, "-c", _LIST], capture_output=True, timeout=_ASK_S, check=True)
        return [str(name) for name in json.loads(done.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
