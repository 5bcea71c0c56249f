"""A running session's figures over HTTP, as Prometheus reads them; by its official client, prometheus-client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from livelink_bridge.errors import SinkError
from livelink_bridge.reporting.metrics import Delay, Status, Target

_CLOSE_S = 1.0

Sample = tuple[tuple[str, ...], float]
"""What its labels after the subject hold, and its value in the unit of the metric's name."""


class MetricsServer:
    """Serves `http://HOST:PORT/metrics` from a thread of its own until it is closed. Port 0 takes any that is free.

    Raises SinkError for a port that is taken or a host that is not this machine.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        registry = CollectorRegistry()
        self._latest = _Latest()
        registry.register(self._latest)
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise SinkError(
                f"metrics cannot be served on {host}:{port}: {error.strerror}; choose another port"
            ) from error

    @property
    def port(self) -> int:
        return self._server.server_port

    def show(self, named: Mapping[str, Status]) -> None:
        """Show these from now on, by subject, and no others."""
        self._latest.put(named)

    def close(self) -> None:
        """Stop serving; takes up to half a second. Harmless twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(_CLOSE_S)  # a daemon: a scrape that never ends keeps nothing from ending


@dataclass(frozen=True, slots=True)
class _Figure:
    """One metric: what it is called, and where in a status its samples are."""

    name: str
    help: str
    samples: Callable[[Status], Iterable[Sample]]
    labels: tuple[str, ...] = ()
    counted: bool = False
    """Whether it only rises; its name then ends in _total."""

    def family(self, latest: dict[str, Status]) -> Metric:
        kind = CounterMetricFamily if self.counted else GaugeMetricFamily
        family = kind(f"livelink_bridge_{self.name}", self.help, labels=("subject", *self.labels))
        for subject, status in latest.items():
            for labels, value in self.samples(status):
                family.add_metric((subject, *labels), value)
        return family


class _Latest(Collector):
    """The newest round of statuses. One thread puts, the server's threads collect."""

    def __init__(self) -> None:
        self._latest: dict[str, Status] = {}

    def put(self, named: Mapping[str, Status]) -> None:
        self._latest = dict(named)

    def collect(self) -> Iterator[Metric]:
        latest = self._latest
        for figure in _FIGURES:
            yield figure.family(latest)


def _one(value: Callable[[Status], float | None], unit: float = 1.0) -> Callable[[Status], list[Sample]]:
    """The single sample of a metric without labels of its own, none where it is not known. `unit` is what 1 of the
    status' unit is."""

    def samples(status: Status) -> list[Sample]:
        known = value(status)
        return [] if known is None else [((), known * unit)]

    return samples


def _delays(status: Status) -> list[Sample]:
    delay = status.delay
    return [] if delay is None else [(("0.5",), delay.median_ms / 1000), (("0.99",), delay.p99_ms / 1000)]


def _delay_parts(status: Status) -> list[Sample]:
    known_ms = _parts_ms(status.delay) if status.delay else {}
    return [((part,), part_ms / 1000) for part, part_ms in known_ms.items()]


def _parts_ms(delay: Delay) -> dict[str, float]:
    parts = {name.removesuffix("_ms"): part_ms for name, part_ms in asdict(delay.parts).items()} if delay.parts else {}
    return parts if delay.capture_ms is None else {"capture": delay.capture_ms, **parts}


def _by_target(status: Status, count: Callable[[Target], int]) -> list[Sample]:
    """One sample a name: a page that has a series twice is refused as a whole."""
    counts: dict[str, int] = {}
    for target in status.targets:
        counts[target.name] = counts.get(target.name, 0) + count(target)
    return [((name,), value) for name, value in counts.items()]


_FIGURES = (
    _Figure("trouble", "1 where no sound is followed, else 0.", _one(lambda status: status.trouble is not None)),
    _Figure("poses_per_second", "Poses sent per second, over the last two seconds.", _one(lambda status: status.fps)),
    _Figure("poses", "Ticks on which a pose was sent.", _one(lambda status: status.sent), counted=True),
    _Figure(
        "delay_seconds", "From a pose's own sound being handed over to its packet, last minute.", _delays, ("quantile",)
    ),
    _Figure(
        "delay_part_seconds",
        "What the median delay is made of, last minute; capture comes before it.",
        _delay_parts,
        ("part",),
    ),
    _Figure("level_dbfs", "RMS of the last 0.1 s of sound as it comes in.", _one(lambda status: status.level.rms_dbfs)),
    _Figure(
        "peak_dbfs", "Peak of the last 0.1 s of sound as it comes in.", _one(lambda status: status.level.peak_dbfs)
    ),
    _Figure("clipped_samples", "Samples cut off in the last second.", _one(lambda status: status.level.clips)),
    _Figure("gain_db", "What the level control adds.", _one(lambda status: status.level.gain_db)),
    _Figure(
        "gate_open_ratio", "The gate's gain: what poses are multiplied with, 0 to 1.", _one(lambda status: status.gate)
    ),
    _Figure(
        "losses",
        "What went wrong, by kind; see the line at the end of a session.",
        lambda status: [((kind,), count) for kind, count in asdict(status.losses).items()],
        ("kind",),
        counted=True,
    ),
    _Figure(
        "input_reopened",
        "Times the sound device was lost and found again.",
        _one(lambda status: status.device.reopened if status.device else None),
        counted=True,
    ),
    _Figure(
        "sample_rate_hertz",
        "Of the sound device or file.",
        lambda status: [((status.device.name,), status.device.rate_hz)] if status.device else [],
        ("device",),
    ),
    _Figure(
        "packets",
        "Poses that left this machine for a target, or were written.",
        lambda status: _by_target(status, lambda target: target.sent),
        ("target",),
        counted=True,
    ),
    _Figure(
        "packet_errors",
        "Poses that were refused, since nobody listens there, or that the system could not send or write.",
        lambda status: _by_target(status, lambda target: target.errors),
        ("target",),
        counted=True,
    ),
    _Figure(
        "target_unheard",
        "1 where nobody listens at a target, as its machine says, else 0.",
        lambda status: _by_target(status, lambda target: target.trouble is not None),
        ("target",),
    ),
    _Figure(
        "voice_out_offset_seconds",
        "How much later than its pose the voice is heard.",
        _one(lambda status: status.voice_out.offset_ms if status.voice_out else None, 1e-3),
    ),
    _Figure(
        "voice_out_drift_ratio",
        "How much faster than nominal the voice is played.",
        _one(lambda status: status.voice_out.drift_ppm if status.voice_out else None, 1e-6),
    ),
)
