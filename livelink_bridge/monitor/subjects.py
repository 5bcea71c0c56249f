"""The subjects that were heard, each with its figures; of too many, the first ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.monitor.subject_stats import Alternation, SubjectStats
from livelink_bridge.monitor.warnings import WarningCounter
from livelink_bridge.wire.sniff import Wire

MAX_SUBJECTS = 64
"""Subjects told apart; packets of further ones are counted under the warning `too-many-subjects`."""


class HeardPose(NamedTuple):
    """One pose that came in, for who wants them all."""

    subject: str
    sender: str | None
    values: NDArray[np.float32]
    """float32 (61,) in wire order, as it came: nothing is clamped, nothing need be finite."""
    at_s: float
    """Arrival, on the arrivals' clock."""
    timecode_s: float | None
    """What its own timecode shows, seconds since midnight of the day it began to count; None where it has no usable
    one."""


OnPose = Callable[[HeardPose], None]


class Subjects:
    """By device id and name, the name in any case."""

    def __init__(self, tally: WarningCounter) -> None:
        self._tally = tally
        self._stats: dict[tuple[str, str], SubjectStats] = {}
        self._senders: dict[tuple[str, str], Alternation] = {}

    def __iter__(self) -> Iterator[SubjectStats]:
        return iter(self._stats.values())

    def of(self, device_id: str, subject: str, wire: Wire) -> SubjectStats | None:
        """The subject's figures, new ones for a new subject; None, with a warning, when there are too many."""
        key = device_id, subject.lower()  # Unreal's names ignore case
        if key not in self._stats:
            if len(self._stats) == MAX_SUBJECTS:
                text = f"more than {MAX_SUBJECTS} subjects; {subject!r} is counted here only"
                self._tally.count(
                    "too-many-subjects", text, "find the sender that takes a new device id every time it starts"
                )
                return None
            self._stats[key] = SubjectStats(device_id, subject, wire)
            self._senders[key] = Alternation()
        return self._stats[key]

    def heard_from(self, stats: SubjectStats, sender: str | None) -> None:
        """Notice two programs that send the same subject: counted each time it goes back from one to the other."""
        if sender is None:
            return
        senders = self._senders[stats.device_id, stats.subject.lower()]
        if senders.add(sender) == "back":
            text = f"{stats.subject!r} comes from {senders.before} and {sender} in turn: the face jumps between them"
            self._tally.count("two-senders", text, "stop one of them, or give each a --subject of its own", sender)
