"""A sound server's source with its channels as they are, whatever they are called.

PulseAudio and PipeWire fit a source to a stream by the names of both's channels. ALSA's stream, which PortAudio opens,
has the names of
loudspeakers: of six channels called otherwise it gets a mixture, of an interface's aux0 ... aux7 silence. The server's
own recorder, `parec`, may ask for the channels in their order and no mixing, and writes them into a pipe.
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
"""What the server hands over at once; half of it, on average, is how much later sound comes than at once."""
_READ_BYTES = 65536
_WHOLE = SimpleNamespace(input_overflow=False)


class PulseRecording:
    """A stream as PortAudio's: open from the moment it is made, until `close`, the end of the server or of the
    source."""

    latency = _PIECE_MS / 1000

    def __init__(
        self, source: PulseInput, capture: Capture, *, follow: bool = False, command: Sequence[str] = ("parec",)
    ) -> None:
        """`follow` records from whatever is the server's default, now `source`. Raises DeviceError where the recorder
        is missing."""
        self._capture = capture
        self._columns = len(source.positions)
        device = [] if follow else [f"--device={source.name}"]
        options = [
            "--raw", "--format=float32le", f"--rate={source.rate_hz}", f"--channels={self._columns}",
            f"--channel-map={','.join(source.positions)}", "--no-remix", "--no-remap", f"--latency-msec={_PIECE_MS}",
            "--client-name=livelink-bridge",
        ]  # fmt: skip
        try:
            # In a session of its own: the terminal's Ctrl-C would end it before us, as if the microphone were gone.
            self._process = subprocess.Popen(
                [*command, *device, *options], stdout=subprocess.PIPE, env=plain_environment(), start_new_session=True
            )
        except OSError as error:
            raise DeviceError(
                f"microphone {source.description!r} has channels that only `parec` records as they are, and it cannot "
                "be started "
                f"({error.strerror}); install it (Debian and Ubuntu: apt install pulseaudio-utils)"
            ) from error
        self._thread = threading.Thread(target=self._read, name="parec", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Harmless twice."""
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
