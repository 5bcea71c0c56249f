"""Outputs of one subject: receivers, subject name, packet rate, timecode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.limits import FACE_DELAY, PACKET_RATE
from livelink_bridge.errors import UsageError
from livelink_bridge.network.uri import receiver_key
from livelink_bridge.settings.identity import device_id
from livelink_bridge.sinks import Sink, open_sink
from livelink_bridge.sinks.live_targets import LiveTargets
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import Origin, TimecodeRate, counting


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything about the frames of one subject after they were made. Raises UsageError out of range."""

    targets: tuple[str, ...]
    """URIs; see `open_sink`."""
    subject: str
    """The Live Link subject's name."""
    fps: Fraction = Fraction(FRAME_RATE)
    """Packets per second, 1 to 60."""
    origin: Origin = "time-of-day"
    """What frame numbers and takes' timecode count from."""
    counting: TimecodeRate | None = None
    """How they count; None counts at `fps`."""
    remote_controlled: bool = False
    """Remote control may change Live Link targets and the subject name while it runs."""
    takes_wait: bool = False
    """Takes start on request, not with the session."""
    delay_s: float = 0.0
    """Extra delay of every frame, 0 to 0.5 s: for audio that reaches its audience later than the face would."""

    def __post_init__(self) -> None:
        if self.fps not in PACKET_RATE:
            raise UsageError(f"got {self.fps} fps, expected a number from {PACKET_RATE}")
        if 1000 * self.delay_s not in FACE_DELAY:
            raise UsageError(f"got a face {1000 * self.delay_s:g} ms late, expected {FACE_DELAY}")
        _refuse_same(self.targets)

    def timebase(self, clock: Clock) -> Timebase:
        """A new time base, as these outputs count."""
        return Timebase(clock, self.counting or counting(self.fps), self.origin, fps=self.fps)


def _refuse_same(targets: Iterable[str]) -> None:
    """Raises UsageError where two are one receiver: it would get every frame twice."""
    known: dict[tuple[object, ...], str] = {}
    for uri in targets:
        place = receiver_key(uri)
        if place in known:
            written = "" if known[place] == uri else f", also written {known[place]}"
            raise UsageError(f"got target {uri} twice{written}; leave one out")
        known[place] = uri


@contextmanager
def open_sinks(outputs: Outputs) -> Iterator[list[Sink]]:
    """Open all of a session's sinks; on leaving each is closed, whatever happens to the others.

    Raises UsageError for a malformed URI, SinkError for an unknown host or a folder that cannot be written to.
    """
    identity = device_id(outputs.subject)
    with ExitStack() as stack:

        def opened(uri: str, subject: str) -> Sink:
            return open_sink(uri, subject=subject, device_id=identity)

        kept = [uri for uri in outputs.targets if not (outputs.remote_controlled and uri.startswith("livelink:"))]
        sinks: list[Sink] = []
        if outputs.remote_controlled:
            sinks.append(LiveTargets([uri for uri in outputs.targets if uri not in kept], outputs.subject, opened))
            stack.callback(sinks[0].close)
        for uri in kept:
            sink = opened(uri, outputs.subject)
            stack.callback(sink.close)
            if outputs.takes_wait and isinstance(sink, Recorder):
                sink.cancel()  # it was armed when it was made
            sinks.append(sink)
        yield sinks
