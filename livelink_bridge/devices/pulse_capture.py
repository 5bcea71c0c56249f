"""Records a source of the sound server with its audio channels unchanged, whatever their names.

PulseAudio and PipeWire map a source to a stream by the channel names of both. ALSA's stream, which PortAudio opens, has
the names of loudspeakers: of six channels with other names it gets a mix, of an interface's aux0 ... aux7 silence. The
server's own recorder, `parec`, can request the channels in order and without mixing; it writes them into a pipe.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from livelink_bridge.devices.capture import Capture
from livelink_bridge.devices.pulse import PulseInput, end_process, plain_environment
from livelink_bridge.errors import DeviceError

_PIECE_MS = 10
"""Fragment size of the server; on average the audio arrives half of it later."""
_READ_BYTES = 65536
_WHOLE = SimpleNamespace(input_overflow=False)


class PulseRecording:
    """A recording with the interface of a PortAudio stream; runs until `close`, or until the server or the source
    ends."""

    latency = _PIECE_MS / 1000
    """Seconds."""

    def __init__(
        self, source: PulseInput, capture: Capture, *, follow: bool = False, command: Sequence[str] = ("parec",)
    ) -> None:
        """
        Parameters
        ----------
        source : source of the sound server
        capture : receives the blocks
        follow : record from the server's default, which is `source` now
        command : the recorder; injected for tests

        Raises
        ------
        DeviceError : the recorder is missing
        """
        self._capture = capture
        self._columns = len(source.positions)
        device = [] if follow else [f"--device={source.name}"]
        options = [
            "--raw", "--format=float32le", f"--rate={source.rate_hz}", f"--channels={self._columns}",
            f"--channel-map={','.join(source.positions)}", "--no-remix", "--no-remap", f"--latency-msec={_PIECE_MS}",
            "--client-name=livelink-bridge",
        ]  # fmt: skip
        try:
            # A session of its own: the terminal's Ctrl-C would end it first, as if the microphone had been removed.
            self._process = subprocess.Popen(
                [*command, *device, *options], stdout=subprocess.PIPE, env=plain_environment(), start_new_session=True
            )
        except OSError as error:
            raise DeviceError(
                f"microphone {source.description!r} has channels that only `parec` records unchanged, and it cannot be "
                f"started ({error.strerror}); install it (Debian and Ubuntu: apt install pulseaudio-utils)"
            ) from error
        self._thread = threading.Thread(target=self._read, name="parec", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the recording. Harmless twice."""
        end_process(self._process, self._thread)

    def _read(self) -> None:
        assert self._process.stdout is not None
        descriptor, frame, rest = self._process.stdout.fileno(), 4 * self._columns, b""
        while data := os.read(descriptor, _READ_BYTES):
            data = rest + data
            whole = len(data) // frame
            rest = data[whole * frame :]
            if whole:
                samples = np.frombuffer(data[: whole * frame], "<f4").reshape(whole, self._columns)
                self._capture.take(samples, whole, None, _WHOLE)
        self._capture.end()
