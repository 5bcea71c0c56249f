"""Receive as Unreal's ARKit source does, and say what arrives and what Unreal would make of it; other wires, and who
reads those.

`Monitor` is fed datagrams with their arrival times and knows no socket; `listen` opens a port and feeds one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from arkit_mapping.channels import index_of
from livelink_bridge.errors import UsageError
from livelink_bridge.monitor.other_wires import PoseWires
from livelink_bridge.monitor.subject_stats import SubjectStats
from livelink_bridge.monitor.subjects import OnPose, Subjects
from livelink_bridge.monitor.unreal_view import UnrealView
from livelink_bridge.monitor.warnings import WarningCounter
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.wire.packet_lint import Oddity
from livelink_bridge.wire.sniff import WIRE_OF_PORT, WIRES, Wire, wire_of

DEFAULT_PORT = 11111
SHOWN_CHANNELS = ("JawOpen", "MouthClose", "MouthFunnel", "MouthPucker", "MouthSmileLeft", "HeadYaw")
UNRESPONSIVE_S = 0.5
"""Silence after which Unreal marks a subject yellow (protocol.md 1.4)."""
SLOW_FPS = 20.0
"""Fewer poses a second are seen as steps, whatever Unreal interpolates."""
_ENOUGH = 30
"""Packets before a rate is judged."""
_WAIT_S = 0.1
"""How long a stop request may go unseen."""

Summary = dict[str, object]
"""Made of str, int, float, bool, None, list and dict alone, so `json` writes it. The keys stand in
`Monitor.summary`."""


class Monitor:
    """Counts what arrived. Memory is bounded however long and whatever arrives."""

    def __init__(
        self,
        channels: Sequence[str] | None = SHOWN_CHANNELS,
        *,
        wire: Wire | None = "livelink",
        on_pose: OnPose | None = None,
    ) -> None:
        """`channels` are those whose values a summary holds, None for those that move. `wire` is what datagrams are
        read as; None tells by each. `on_pose` gets every pose that arrives whole."""
        self._channels = None if channels is None else [index_of(name) for name in channels]
        self._wire = wire
        self._datagrams = self._shown = 0
        self._ignored, self._warnings = WarningCounter(), WarningCounter()
        self.subjects = Subjects(self._warnings)
        self._unreal = UnrealView(self.subjects, self._ignored, self._warnings, on_pose)
        self._others = PoseWires(self.subjects, self._ignored, self._warnings, on_pose)

    def feed(self, datagram: bytes, arrival_s: float, sender: str | None = None) -> None:
        """Take the next datagram, when it arrived, seconds on any one clock, and from where. Any bytes are fine."""
        self._datagrams += 1
        wire = self._wire or wire_of(datagram) or "livelink"
        if wire == "livelink":
            self._shown += self._unreal.feed(datagram, arrival_s, sender)
        else:
            self._shown += self._others.feed(wire, datagram, arrival_s, sender)

    def warn(self, reason: str, text: str, remedy: str = "") -> None:
        """Count something that Unreal shows but the user should know. `reason` is one of a few fixed keys."""
        self._warnings.count(reason, text, remedy)

    def summary(self, now_s: float | None = None) -> Summary:
        """Everything so far; `now_s`, on the arrivals' clock, adds how long each subject has been silent, and who
        stopped.

        datagrams, shown (those that Unreal, or a receiver of their wire, would take), header_only: counts. ignored,
        warnings: lists of {reason, count, text, remedy, sender}, the last three those of the latest; ignored includes
        header-only packets as no-face. subjects: a list of {subject, device_id, wire, sender, packets, fps (whole run),
        fps_recent (last second), interval_mean_ms, interval_sd_ms, interval_p99_ms, interval_p99_error_ms (from the
        mean; all four over the last minute), bursts, lost, backwards, repeated, restarts, frame, rate ("60/1"),
        silent_s, values {channel: latest}}. None stands where nothing can be said yet, and for frame numbers on wires
        without. There, device_id is the wire and subject the sender.
        """
        return {
            "datagrams": self._datagrams,
            "shown": self._shown,
            "header_only": self._unreal.header_only,
            "ignored": self._ignored.listed(),
            "warnings": [*self._warnings.listed(), *self._standing(now_s)],
            "subjects": [stats.summary(self._channels, now_s) for stats in self.subjects if stats.packets],
        }

    def _standing(self, now_s: float | None) -> list[Summary]:
        """What is so at this moment, not counted."""
        now = WarningCounter()
        for stats in self.subjects:
            found = _state(stats, now_s)
            if found is not None:
                now.count(*found, stats.sender)
        return now.listed()


def _state(stats: SubjectStats, now_s: float | None) -> Oddity | None:
    """What there is to say about a subject as it stands."""
    if not stats.packets:
        text = f"messages from {stats.subject} hold no channel's name"
        return Oddity(
            "no-pose", text, "let the sender use ARKit's names, such as /arkit/JawOpen or Perfect Sync's JawOpen"
        )
    if now_s is not None and stats.silent_s(now_s) > UNRESPONSIVE_S:
        text = f"{stats.subject!r} sent nothing for {stats.silent_s(now_s):.1f} s: {_held(stats)}"
        return Oddity("stopped", text, "start the sender again; one that ends should end with a neutral pose")
    fps = stats.recent_fps(now_s)
    if stats.packets >= _ENOUGH and fps is not None and fps < SLOW_FPS:
        text = f"{stats.subject!r} comes {fps:.1f} times a second: the face moves in steps"
        return Oddity(
            "slow", text, "let the sender send 60 a second; a sender inside an editor slows down in the background"
        )
    return None


def _held(stats: SubjectStats) -> str:
    """What a receiver shows after the last pose (protocol.md 1.4)."""
    widest = stats.widest_open()
    pose = "its neutral face" if widest is None else f"its last pose for ever, {widest[0]} at {widest[1]:.2f}"
    return f"Unreal marks it yellow and holds {pose}" if stats.wire == "livelink" else f"receivers hold {pose}"


def listen(
    port: int = DEFAULT_PORT,
    seconds: float | None = None,
    on_second: Callable[[Summary], None] | None = None,
    *,
    host: str = "0.0.0.0",
    stop: threading.Event | None = None,
    wire: str | None = None,
    channels: Sequence[str] | None = SHOWN_CHANNELS,
    record: Path | None = None,
    every_s: float = 1.0,
) -> Summary:
    """Listen on a UDP port for `seconds` (None: until `stop` is set) and return the last summary.

    `on_second` gets a summary every `every_s`. To `Monitor.summary`, `port` and `listened_s` are added; a port that
    another program has open too is the warning `port-shared`. `wire` is one of WIRES; None takes the port's own, and on
    a port that belongs to none tells by each datagram. `record` is a folder or .csv for takes of what arrives. Raises
    UsageError for a port outside 1-65535, an unknown wire and a take that is there already, BridgeError for a port that
    cannot be opened or a take that cannot be written.
    """
    if not 1 <= port <= 65535:
        raise UsageError(f"got port {port}, expected 1 to 65535")
    chosen = wire_for(wire, port)
    with ExitStack() as stack:
        arrivals = stack.enter_context(Arrivals(port, host))
        monitor = Monitor(channels, wire=chosen, on_pose=_recorder(record, arrivals, stack))
        return watch(arrivals, seconds, on_second, stop=stop or threading.Event(), monitor=monitor, every_s=every_s)


def _recorder(record: Path | None, arrivals: Arrivals, stack: ExitStack) -> OnPose | None:
    """What writes takes until the stack is left."""
    if record is None:
        return None
    from livelink_bridge.monitor.take_recorder import HeardTakes

    return stack.enter_context(closing(HeardTakes(record, arrivals.of_day))).add


def wire_for(wire: str | None, port: int) -> Wire | None:
    """What a port's datagrams are read as; None where each has to tell. Raises UsageError for a wire that does not
    exist."""
    if wire is None:
        return WIRE_OF_PORT.get(port)
    for known in WIRES:
        if wire == known:
            return known
    raise UsageError(f"got wire {wire!r}, expected one of {', '.join(WIRES)}")


def watch(
    arrivals: Arrivals,
    seconds: float | None,
    on_second: Callable[[Summary], None] | None,
    *,
    stop: threading.Event,
    now: Callable[[], float] = time.monotonic,
    monitor: Monitor | None = None,
    every_s: float = 1.0,
) -> Summary:
    """`listen` on a port that is open already. `now` is the clock that `seconds` are measured on."""
    monitor = monitor or Monitor()
    if arrivals.shared:
        text = f"another program has UDP port {arrivals.port} open: each datagram reaches only one of you"
        monitor.warn("port-shared", text, "close one of the two; `livelink-bridge doctor` says which program it is")
    begin_s = last_s = now()
    next_s = begin_s + every_s

    def summary() -> Summary:
        return {"port": arrivals.port, "listened_s": round(last_s - begin_s, 3), **monitor.summary(arrivals.now())}

    while not stop.is_set() and (seconds is None or last_s - begin_s < seconds):
        received = arrivals.receive_from(min(_WAIT_S, every_s))
        if received is not None:
            monitor.feed(*received)
        last_s = now()
        if last_s >= next_s:
            next_s += every_s * (
                math.floor((last_s - next_s) / every_s) + 1
            )  # a stall is one late summary, not a burst of them
            if on_second is not None:
                on_second(summary())
    return summary()
