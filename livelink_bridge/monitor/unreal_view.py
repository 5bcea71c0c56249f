"""Models what Unreal's ARKit source does with Live Link packets: which it drops, which subjects it has, and which
senders interfere with each other."""

from __future__ import annotations

from collections.abc import Iterable

from livelink_bridge.errors import WireError
from livelink_bridge.monitor.subject_stats import Alternation
from livelink_bridge.monitor.subjects import MAX_SUBJECTS, OnPose, ReceivedFrame, Subjects
from livelink_bridge.monitor.warnings import WarningCounter
from livelink_bridge.timing.timecode import counting
from livelink_bridge.wire.livelink import Packet, decode
from livelink_bridge.wire.packet_lint import Oddity, oddities
from livelink_bridge.wire.sniff import WIRE_NAMES, wire_of
from livelink_bridge.wire.unreal import why_ignored


class UnrealView:
    """Counts the datagrams that Unreal ignores and those that it shows."""

    def __init__(
        self, subjects: Subjects, ignored: WarningCounter, warnings: WarningCounter, on_pose: OnPose | None
    ) -> None:
        """
        Parameters
        ----------
        subjects, ignored, warnings : statistics to update
        on_pose : receives every frame that Unreal would publish
        """
        self.header_only = 0
        """Packets without values: the sender sees no face."""
        self._subjects, self._ignored, self._warnings, self._on_pose = subjects, ignored, warnings, on_pose
        self._names_of_id: dict[str, Alternation] = {}
        self._ids_of_name: dict[str, Alternation] = {}

    def feed(self, datagram: bytes, arrival_s: float, sender: str | None) -> bool:
        """Process one datagram.

        Parameters
        ----------
        datagram : any bytes
        arrival_s : seconds
        sender : HOST:PORT, if known

        Returns
        -------
        Whether Unreal would publish it
        """
        ignored = why_ignored(datagram)
        if ignored is not None:
            self.header_only += ignored.reason == "no-face"
            self._ignored.count(ignored.reason, ignored.text, ignored.remedy, sender)
            self._hint(datagram, sender)
            return False
        try:
            packet = decode(datagram)
        except WireError as error:  # can only be text that is not UTF-8; Unreal shows a garbled subject name
            text = f"{error}: Unreal shows another name than the sender's"
            self._warnings.count("not-utf8", text, "give the sender a name of plain ASCII letters", sender)
            return True
        self._warn(oddities(packet, len(datagram)), sender)
        self._track(packet, arrival_s, sender)
        return True

    def _hint(self, datagram: bytes, sender: str | None) -> None:
        """Warn when the datagram uses a protocol of another kind of receiver."""
        wire = wire_of(datagram)
        if wire in (None, "livelink"):
            return
        text = f"these are {WIRE_NAMES[wire]} messages: Unreal's ARKit source reads Live Link packets only"
        remedy = f"make the sender send Live Link (here: --to livelink://HOST:PORT), or look at them with --wire {wire}"
        self._warnings.count("other-wire", text, remedy, sender)

    def _track(self, packet: Packet, arrival_s: float, sender: str | None) -> None:
        stats = self._subjects.of(packet.device_id, packet.subject, "livelink")
        if stats is None:
            return
        bursts = stats.bursts
        stats.add(packet, arrival_s, sender)
        if stats.bursts > bursts:
            text = f"three packets of {packet.subject!r} within 8 ms: Unreal shows only the last before it draws"
            self._warnings.count(
                "bursts", text, "make the sender send at an even 60 a second; over Wi-Fi, use a cable", sender
            )
        self._subjects.check_sender(stats, sender)
        self._compare(packet, sender)
        if self._on_pose is not None and packet.values is not None:
            self._on_pose(ReceivedFrame(packet.subject, sender, packet.values, arrival_s, timecode_s(packet)))

    def _compare(self, packet: Packet, sender: str | None) -> None:
        """Warn of senders that interfere: Unreal identifies subjects by id and shows them by name (docs/protocol.md,
        section 1.4)."""
        device_id, name = packet.device_id, packet.subject.lower()
        names = _alternation_of(self._names_of_id, device_id)
        change = names.add(name)
        if change == "back":
            text = (
                f"device id {device_id} sends as {names.before!r} and {name!r}: Unreal removes one subject for the "
                "other"
            )
            self._warnings.count(
                "shared-id", text, "give each face a device id of its own (the bridge keeps one per --subject)", sender
            )
        elif change == "new":
            text = (
                f"device id {device_id} was {names.before!r} and is now {packet.subject!r}: Unreal removed the old "
                "subject"
            )
            self._warnings.count(
                "renamed", text, f"choose {packet.subject!r} as the MetaHuman's ARKit Face Subj", sender
            )
        ids = _alternation_of(self._ids_of_name, name)
        if ids.add(device_id) == "back":
            text = f"{packet.subject!r} arrives from device ids {ids.before} and {device_id}: both move one face"
            self._warnings.count("shared-name", text, "stop one sender, or give it another subject name", sender)

    def _warn(self, found: Iterable[Oddity], sender: str | None) -> None:
        for oddity in found:
            self._warnings.count(*oddity, sender)


def timecode_s(packet: Packet) -> float | None:
    """Timecode of a packet, seconds since midnight; None when its rate or frame is invalid (docs/protocol.md, section
    1.8)."""
    if not packet.rate or packet.frame < 0 or not 0 <= packet.subframe < 1:
        return None
    return counting(packet.rate).seconds_at(packet.frame + packet.subframe)


def _alternation_of(known: dict[str, Alternation], key: str) -> Alternation:
    """Get or create; bounded by the number of subjects, as it is called for those only."""
    assert len(known) <= MAX_SUBJECTS
    return known.setdefault(key, Alternation())
