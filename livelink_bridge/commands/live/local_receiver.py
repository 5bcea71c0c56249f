"""A receiver inside the program, so that the demo can report what was really sent."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from arkit_mapping.channels import index_of
from livelink_bridge.errors import WireError
from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.wire.livelink import decode

CHANNELS = ("JawOpen", "MouthClose", "MouthFunnel", "MouthPucker")
"""The channels stored of each frame."""
MAX_FRAMES = 36000
"""Ten minutes at 60 Hz; of a longer demo the last ten minutes are shown."""
_WAIT_S = 0.1


class LocalReceiver:
    """What arrived on one port of this machine."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.uri = f"livelink://127.0.0.1:{arrivals.port}"
        self._arrivals = arrivals
        self._monitor = Monitor()
        self._columns = [index_of(name) for name in CHANNELS]
        self._poses: deque[list[float]] = deque(maxlen=MAX_FRAMES)

    def receive(self, stop: threading.Event) -> None:
        """Take what arrives until `stop` is set. Body of a thread."""
        while not stop.is_set():
            received = self._arrivals.receive(_WAIT_S)
            if received is not None:
                self._monitor.feed(*received)
                self._store(received[0])

    def _store(self, datagram: bytes) -> None:
        try:
            values = decode(datagram).values
        except WireError:  # from another sender; the monitor has counted it
            return
        if values is not None:
            self._poses.append(values[self._columns].tolist())

    def subject(self) -> dict[str, Any] | None:
        """The monitor's figures for the subject with the most packets, None if nothing arrived."""
        subjects: Any = self._monitor.summary()["subjects"]
        return max(subjects, key=lambda subject: subject["packets"], default=None)

    def curve(self, channel: str) -> list[float]:
        """The weights of one of CHANNELS, one per packet."""
        at = CHANNELS.index(channel)
        return [pose[at] for pose in self._poses]


@contextmanager
def receive_locally() -> Iterator[LocalReceiver]:
    """Receive on a free port until the block is left."""
    stop = threading.Event()
    with Arrivals(0, "127.0.0.1") as arrivals:
        receiver = LocalReceiver(arrivals)
        thread = threading.Thread(target=receiver.receive, args=(stop,), name="receiver", daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            stop.set()
            thread.join()
