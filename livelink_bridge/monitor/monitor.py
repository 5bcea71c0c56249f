"""Receives as Unreal's ARKit source does, and reports what arrives and what Unreal would do with it; other protocols
for their own receivers.

`Monitor` processes datagrams with their arrival times and has no socket; `listen` opens a port and feeds one.
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
"""Silence after which Unreal marks a subject yellow (docs/protocol.md, section 1.4)."""
SLOW_FPS = 20.0
"""Below this rate the motion has visible steps, even with Unreal's interpolation."""
_MIN_PACKETS = 30
"""Packets before a rate is judged."""
_WAIT_S = 0.1
"""Longest delay of a stop request."""

Summary = dict[str, object]
"""JSON-serializable: str, int, float, bool, None, list and dict. `Monitor.summary` lists the keys."""


class Monitor:
    """Statistics of the datagrams received, in bounded memory."""

    def __init__(
        self,
        channels: Sequence[str] | None = SHOWN_CHANNELS,
        *,
        wire: Wire | None = "livelink",
        on_pose: OnPose | None = None,
    ) -> None:
        """
        Parameters
        ----------
        channels : names of the channels whose values a summary contains; None for those that move
        wire : protocol of the datagrams; None detects it per datagram
        on_pose : receives every complete frame
        """
        self._channels = None if channels is None else [index_of(name) for name in channels]
        self._wire = wire
        self._datagrams = self._shown = 0
        self._ignored, self._warnings = WarningCounter(), WarningCounter()
        self.subjects = Subjects(self._warnings)
        self._unreal = UnrealView(self.subjects, self._ignored, self._warnings, on_pose)
        self._others = PoseWires(self.subjects, self._ignored, self._warnings, on_pose)

    def feed(self, datagram: bytes, arrival_s: float, sender: str | None = None) -> None:
        """Process one datagram.

        Parameters
        ----------
        datagram : any bytes
        arrival_s : arrival time, seconds of one clock
        sender : HOST:PORT, if known
        """
        self._datagrams += 1
        wire = self._wire or wire_of(datagram) or "livelink"
        if wire == "livelink":
            self._shown += self._unreal.feed(datagram, arrival_s, sender)
        else:
            self._shown += self._others.feed(wire, datagram, arrival_s, sender)

    def warn(self, reason: str, text: str, remedy: str = "") -> None:
        """Count a warning about something that Unreal accepts.

        Parameters
        ----------
        reason : stable key, one of a few
        text : what was found
        remedy : how to fix it
        """
        self._warnings.count(reason, text, remedy)

    def summary(self, now_s: float | None = None) -> Summary:
        """The statistics so far.

        Parameters
        ----------
        now_s : current time on the clock of the arrivals; adds how long each subject has been silent, and the
            subjects that stopped

        Returns
        -------
        datagrams, shown (accepted by Unreal, or by a receiver of their protocol), header_only: counts. ignored,
        warnings: lists of {reason, count, text, remedy, sender}, the last three of the latest one; ignored includes
        header-only packets as no-face. subjects: a list of {subject, device_id, wire, sender, packets, fps (whole run),
        fps_recent (last second), interval_mean_ms, interval_sd_ms, interval_p99_ms, interval_p99_error_ms (from the
        mean; all four over the last minute), bursts, lost, backwards, repeated, restarts, frame, rate ("60/1"),
        silent_s, values {channel: latest}}. None stands for values not known yet, and for frame numbers of protocols
        without any; for those protocols device_id is the protocol and subject the sender
        """
        return {
            "datagrams": self._datagrams,
            "shown": self._shown,
            "header_only": self._unreal.header_only,
            "ignored": self._ignored.listed(),
            "warnings": [*self._warnings.listed(), *self._current_warnings(now_s)],
            "subjects": [stats.summary(self._channels, now_s) for stats in self.subjects if stats.packets],
        }

    def _current_warnings(self, now_s: float | None) -> list[Summary]:
        """Warnings about the current state, which are not counted."""
        now = WarningCounter()
        for stats in self.subjects:
            found = _state(stats, now_s)
            if found is not None:
                now.count(*found, stats.sender)
        return now.listed()


def _state(stats: SubjectStats, now_s: float | None) -> Oddity | None:
    """A warning about the current state of a subject, if any."""
    if not stats.packets:
        text = f"messages from {stats.subject} contain no channel name"
        return Oddity(
            "no-pose", text, "make the sender use ARKit's names, such as /arkit/JawOpen or Perfect Sync's JawOpen"
        )
    if now_s is not None and stats.silent_s(now_s) > UNRESPONSIVE_S:
        text = f"{stats.subject!r} sent nothing for {stats.silent_s(now_s):.1f} s: {_held(stats)}"
        return Oddity("stopped", text, "start the sender again; a sender should end with a neutral frame")
    fps = stats.recent_fps(now_s)
    if stats.packets >= _MIN_PACKETS and fps is not None and fps < SLOW_FPS:
        text = f"{stats.subject!r} arrives {fps:.1f} times a second: the face moves in steps"
        return Oddity(
            "slow", text, "make the sender send 60 a second; a sender inside an editor slows down in the background"
        )
    return None


def _held(stats: SubjectStats) -> str:
    """What a receiver shows after the last frame (docs/protocol.md, section 1.4)."""
    widest = stats.widest_open()
    frame = "its neutral face" if widest is None else f"its last frame indefinitely, {widest[0]} at {widest[1]:.2f}"
    return f"Unreal marks it yellow and holds {frame}" if stats.wire == "livelink" else f"receivers hold {frame}"


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
    """Listen on a UDP port.

    Parameters
    ----------
    port : 1 to 65535
    seconds : duration; None: until `stop` is set
    on_second : receives a summary every `every_s`
    host : IPv4 address to bind to
    stop : ends it
    wire : one of WIRES; None is the usual protocol of the port, and detects it per datagram on other ports
    channels : see `Monitor`
    record : folder or .csv for takes of the frames received
    every_s : interval of the summaries

    Returns
    -------
    The last `Monitor.summary`, with `port` and `listened_s`. A port that another program has open too is the warning
    `port-shared`

    Raises
    ------
    UsageError : invalid port, unknown protocol, or a take that exists already
    BridgeError : the port cannot be opened, or the take cannot be written
    """
    if not 1 <= port <= 65535:
        raise UsageError(f"got port {port}, expected 1 to 65535")
    chosen = wire_for(wire, port)
    with ExitStack() as stack:
        arrivals = stack.enter_context(Arrivals(port, host))
        monitor = Monitor(channels, wire=chosen, on_pose=_recorder(record, arrivals, stack))
        return watch(arrivals, seconds, on_second, stop=stop or threading.Event(), monitor=monitor, every_s=every_s)


def _recorder(record: Path | None, arrivals: Arrivals, stack: ExitStack) -> OnPose | None:
    """Function that records frames until the stack is closed."""
    if record is None:
        return None
    from livelink_bridge.monitor.take_recorder import TakesRecorder

    return stack.enter_context(closing(TakesRecorder(record, arrivals.of_day))).add


def wire_for(wire: str | None, port: int) -> Wire | None:
    """The protocol to expect.

    Parameters
    ----------
    wire : selected by the user, or None
    port : UDP port

    Returns
    -------
    `wire`, or the usual protocol of the port; None to detect it per datagram

    Raises
    ------
    UsageError : unknown protocol
    """
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
    """`listen` on an open port.

    Parameters
    ----------
    arrivals : the port
    seconds, on_second, stop, every_s : see `listen`
    now : clock for `seconds`
    monitor : default: a new one
    """
    monitor = monitor or Monitor()
    if arrivals.shared:
        text = f"another program has UDP port {arrivals.port} open: each datagram reaches only one of the two"
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
            # A stall causes one late summary, not a burst of them.
            next_s += every_s * (math.floor((last_s - next_s) / every_s) + 1)
            if on_second is not None:
                on_second(summary())
    return summary()
