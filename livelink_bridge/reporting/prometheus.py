"""Prometheus exporter: serves the metrics of a running session over HTTP, by the official prometheus-client."""

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
"""Values of the labels after the subject, and the value in the unit of the metric's name."""


class MetricsServer:
    """Serves `http://HOST:PORT/metrics` on a thread of its own until it is closed."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        """
        Parameters
        ----------
        port : TCP port; 0 is any free one
        host : address of this machine

        Raises
        ------
        SinkError : the port is in use, or the host is not this machine
        """
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
        """The TCP port in use."""
        return self._server.server_port

    def show(self, named: Mapping[str, Status]) -> None:
        """Replace the statuses shown, by subject."""
        self._latest.put(named)

    def close(self) -> None:
        """Stop serving; takes up to half a second. Harmless twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(_CLOSE_S)  # a daemon: an endless scrape does not keep the program running


@dataclass(frozen=True, slots=True)
class _Figure:
    """One metric: its name, and how to read its samples from a status."""

    name: str
    help: str
    samples: Callable[[Status], Iterable[Sample]]
    labels: tuple[str, ...] = ()
    counted: bool = False
    """Whether it is a counter; its name then ends in _total."""

    def family(self, latest: dict[str, Status]) -> Metric:
        kind = CounterMetricFamily if self.counted else GaugeMetricFamily
        family = kind(f"livelink_bridge_{self.name}", self.help, labels=("subject", *self.labels))
        for subject, status in latest.items():
            for labels, value in self.samples(status):
                family.add_metric((subject, *labels), value)
        return family


class _Latest(Collector):
    """The latest statuses. One thread writes, the server's threads read."""

    def __init__(self) -> None:
        self._latest: dict[str, Status] = {}

    def put(self, named: Mapping[str, Status]) -> None:
        self._latest = dict(named)

    def collect(self) -> Iterator[Metric]:
        latest = self._latest
        for figure in _FIGURES:
            yield figure.family(latest)


def _one(value: Callable[[Status], float | None], unit: float = 1.0) -> Callable[[Status], list[Sample]]:
    """Reader for a metric with a single sample and no labels; no sample when the value is None. `unit` converts the
    status's unit to the metric's."""

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
    """One sample per name: Prometheus refuses a whole page with a duplicate series."""
    counts: dict[str, int] = {}
    for target in status.targets:
        counts[target.name] = counts.get(target.name, 0) + count(target)
    return [((name,), value) for name, value in counts.items()]


_FIGURES = (
    _Figure("trouble", "1 while no audio is processed, else 0.", _one(lambda status: status.trouble is not None)),
    _Figure("poses_per_second", "Frames sent per second, over the last two seconds.", _one(lambda status: status.fps)),
    _Figure("poses", "Ticks on which a frame was sent.", _one(lambda status: status.sent), counted=True),
    _Figure(
        "delay_seconds", "Delay from the arrival of a frame's audio to its packet, last minute.", _delays, ("quantile",)
    ),
    _Figure(
        "delay_part_seconds",
        "Components of the median delay, last minute; capture precedes it.",
        _delay_parts,
        ("part",),
    ),
    _Figure("level_dbfs", "RMS of the last 0.1 s of input.", _one(lambda status: status.level.rms_dbfs)),
    _Figure("peak_dbfs", "Peak of the last 0.1 s of input.", _one(lambda status: status.level.peak_dbfs)),
    _Figure("clipped_samples", "Clipped samples in the last second.", _one(lambda status: status.level.clips)),
    _Figure("gain_db", "Gain of the AGC.", _one(lambda status: status.level.gain_db)),
    _Figure(
        "gate_open_ratio",
        "Gain of the noise gate, 0 to 1, by which frames are multiplied.",
        _one(lambda status: status.gate),
    ),
    _Figure(
        "losses",
        "Losses by kind; see the line at the end of a session.",
        lambda status: [((kind,), count) for kind, count in asdict(status.losses).items()],
        ("kind",),
        counted=True,
    ),
    _Figure(
        "input_reopened",
        "Times the audio device was lost and opened again.",
        _one(lambda status: status.device.reopened if status.device else None),
        counted=True,
    ),
    _Figure(
        "sample_rate_hertz",
        "Sample rate of the audio device or file.",
        lambda status: [((status.device.name,), status.device.rate_hz)] if status.device else [],
        ("device",),
    ),
    _Figure(
        "packets",
        "Frames that left this machine for a target, or were written.",
        lambda status: _by_target(status, lambda target: target.sent),
        ("target",),
        counted=True,
    ),
    _Figure(
        "packet_errors",
        "Frames that could not be sent (ICMP port unreachable or OS error) or written.",
        lambda status: _by_target(status, lambda target: target.errors),
        ("target",),
        counted=True,
    ),
    _Figure(
        "target_unheard",
        "1 while a target's machine reports that nothing listens on the port, else 0.",
        lambda status: _by_target(status, lambda target: target.trouble is not None),
        ("target",),
    ),
    _Figure(
        "voice_out_offset_seconds",
        "Delay of the voice after its frame.",
        _one(lambda status: status.voice_out.offset_ms if status.voice_out else None, 1e-3),
    ),
    _Figure(
        "voice_out_drift_ratio",
        "Correction of the voice's playback speed.",
        _one(lambda status: status.voice_out.drift_ppm if status.voice_out else None, 1e-6),
    ),
)
