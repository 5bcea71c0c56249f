"""Receives frames over the protocols other than Unreal's: OSC, VMC and iFacialMocap, with one decoder per sender."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.errors import WireError
from livelink_bridge.monitor.subject_stats import SubjectStats
from livelink_bridge.monitor.subjects import OnPose, ReceivedFrame, Subjects
from livelink_bridge.monitor.warnings import WarningCounter
from livelink_bridge.wire.packet_lint import Oddity, value_oddities
from livelink_bridge.wire.sniff import WIRE_NAMES, Wire, wire_of

LARGEST = 1472
"""Bytes of the largest datagram that fits an Ethernet frame; a larger one is fragmented, and one lost fragment loses
all of it."""

Poses = list[NDArray[np.float32]]
"""Frames, float32 (61,) in wire order each."""


class Reader(Protocol):
    """Decoder for one protocol and one sender."""

    others: dict[str, float]
    """Latest values of names that are not ARKit channels."""

    def read(self, datagram: bytes) -> tuple[Poses, list[Oddity]]:
        """The frames that a datagram completed, and findings about it. Raises WireError for another protocol."""
        ...


class PoseWires:
    """Counts the frames of these protocols, as subjects named after their senders: the protocols have no names."""

    def __init__(
        self, subjects: Subjects, ignored: WarningCounter, warnings: WarningCounter, on_pose: OnPose | None
    ) -> None:
        """
        Parameters
        ----------
        subjects, ignored, warnings : statistics to update
        on_pose : receives every frame
        """
        self._subjects, self._ignored, self._warnings, self._on_pose = subjects, ignored, warnings, on_pose
        self._readers: dict[tuple[Wire, str], Reader] = {}

    def feed(self, wire: Wire, datagram: bytes, arrival_s: float, sender: str | None) -> bool:
        """Process one datagram.

        Parameters
        ----------
        wire : its protocol
        datagram : any bytes
        arrival_s : seconds
        sender : HOST:PORT, if known

        Returns
        -------
        Whether a receiver of this protocol would accept it
        """
        name = sender or "?"
        stats = self._subjects.of(wire, name, wire)
        if stats is None:
            return False
        if (wire, name) not in self._readers:
            self._readers[wire, name] = reader_of(wire)
        reader = self._readers[wire, name]
        try:
            poses, found = reader.read(datagram)
        except WireError as error:
            self._refused(wire, error, datagram, sender)
            return False
        if len(datagram) > LARGEST:
            text = f"{len(datagram)} bytes in one datagram, more than the {LARGEST} that fit without fragmentation"
            found = [*found, Oddity("fragments", text, "make the sender split its bundles below 1400 bytes")]
        self._warn(found, sender)
        stats.others = reader.others
        self._add(stats, poses, arrival_s, sender)
        return True

    def _add(self, stats: SubjectStats, poses: Poses, arrival_s: float, sender: str | None) -> None:
        for pose in poses:
            stats.add_pose(pose, arrival_s, sender)
            self._warn(value_oddities(pose, "the receiver"), sender)
            if self._on_pose is not None:
                self._on_pose(ReceivedFrame(stats.subject, sender, pose, arrival_s, None))

    def _refused(self, wire: Wire, error: WireError, datagram: bytes, sender: str | None) -> None:
        resembles = wire_of(datagram)
        if resembles in (None, wire):
            remedy = "find the sender by its address; the packet was truncated or uses another protocol"
            self._ignored.count("not-understood", f"no {WIRE_NAMES[wire]}: {error}", remedy, sender)
            return
        text = f"{WIRE_NAMES[resembles]}, not {WIRE_NAMES[wire]}"
        self._ignored.count(
            "other-wire", text, f"look at it with --wire {resembles}, or make the sender use {WIRE_NAMES[wire]}", sender
        )

    def _warn(self, found: Iterable[Oddity], sender: str | None) -> None:
        for oddity in found:
            self._warnings.count(*oddity, sender)


def reader_of(wire: Wire) -> Reader:
    """A decoder for one sender, imported on demand: a monitor of Live Link starts without the others."""
    return _READERS[wire]()


class _OscReader:
    def __init__(self) -> None:
        from livelink_bridge.wire.osc.decode import decode
        from livelink_bridge.wire.osc.face import OscPose

        self._decode, self._pose = decode, OscPose()
        self.others = self._pose.others

    def read(self, datagram: bytes) -> tuple[Poses, list[Oddity]]:
        return self._pose.feed(self._decode(datagram)), []


class _VmcReader:
    def __init__(self) -> None:
        from livelink_bridge.wire.osc.decode import decode
        from livelink_bridge.wire.vmc_face import VmcPose

        self._decode, self._pose = decode, VmcPose()
        self.others = self._pose.others

    def read(self, datagram: bytes) -> tuple[Poses, list[Oddity]]:
        return self._pose.feed(self._decode(datagram))


class _IFacialMocapReader:
    def __init__(self) -> None:
        from livelink_bridge.wire.ifacialmocap import decode

        self._decode = decode
        self.others: dict[str, float] = {}

    def read(self, datagram: bytes) -> tuple[Poses, list[Oddity]]:
        return [self._decode(datagram).values], []


_READERS: dict[Wire, Callable[[], Reader]] = {"osc": _OscReader, "vmc": _VmcReader, "ifacialmocap": _IFacialMocapReader}
