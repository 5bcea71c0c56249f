"""The subjects received, each with its statistics, up to a maximum number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.monitor.subject_stats import Alternation, SubjectStats
from livelink_bridge.monitor.warnings import WarningCounter
from livelink_bridge.wire.sniff import Wire

MAX_SUBJECTS = 64
"""Largest number of subjects; packets of further ones are counted under the warning `too-many-subjects`."""


class ReceivedFrame(NamedTuple):
    """One received frame."""

    subject: str
    """Live Link subject, or the sender for protocols without names."""
    sender: str | None
    """HOST:PORT, if known."""
    values: NDArray[np.float32]
    """float32 (61,) in wire order as received: not clamped, possibly not finite."""
    at_s: float
    """Arrival time on the port's clock, seconds."""
    timecode_s: float | None
    """Its own timecode, seconds since midnight of the day the sender began to count; None when it has no usable one."""


OnPose = Callable[[ReceivedFrame], None]
"""Receives every complete frame."""


class Subjects:
    """The subjects by device id and name; names are case-insensitive."""

    def __init__(self, warnings: WarningCounter) -> None:
        self._warnings = warnings
        self._stats: dict[tuple[str, str], SubjectStats] = {}
        self._senders: dict[tuple[str, str], Alternation] = {}

    def __iter__(self) -> Iterator[SubjectStats]:
        return iter(self._stats.values())

    def of(self, device_id: str, subject: str, wire: Wire) -> SubjectStats | None:
        """Statistics of a subject, created on its first packet; None, with a warning, when there are too many.

        Parameters
        ----------
        device_id : as sent; the protocol's name for protocols without one
        subject : name as sent
        wire : its protocol
        """
        key = device_id, subject.lower()  # Unreal's names ignore case
        if key not in self._stats:
            if len(self._stats) == MAX_SUBJECTS:
                text = f"more than {MAX_SUBJECTS} subjects; {subject!r} is counted here only"
                self._warnings.count(
                    "too-many-subjects", text, "find the sender that takes a new device id every time it starts"
                )
                return None
            self._stats[key] = SubjectStats(device_id, subject, wire)
            self._senders[key] = Alternation()
        return self._stats[key]

    def check_sender(self, stats: SubjectStats, sender: str | None) -> None:
        """Detect two programs that send the same subject; counted each time the sender changes back.

        Parameters
        ----------
        stats : the subject
        sender : HOST:PORT of its latest packet
        """
        if sender is None:
            return
        senders = self._senders[stats.device_id, stats.subject.lower()]
        if senders.add(sender) == "back":
            text = f"{stats.subject!r} arrives from {senders.before} and {sender} in turn: the face jumps between them"
            self._warnings.count("two-senders", text, "stop one of them, or give each a --subject of its own", sender)
