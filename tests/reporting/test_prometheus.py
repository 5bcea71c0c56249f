"""What a scraper gets, over loopback."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from livelink_bridge.errors import SinkError
from livelink_bridge.reporting.metrics import Delay, DelayParts, Device, Level, Losses, Status, Target, VoiceStatus
from livelink_bridge.reporting.prometheus import MetricsServer

FULL = Status(
    state="live",
    fps=60.0,
    sent=5400,
    delay=Delay(71.0, 75.0, DelayParts(67.0, 1.5, 0.0, 0.0, 2.5), 12.0),
    level=Level(-23.0, -9.0, -8.0, 12, 3.5),
    gate=1.0,
    device=Device('Yeti "2"\\', 48000, 1),
    targets=(Target("livelink://a:1", 5400, 0), Target("osc://b:2", 5300, 100)),
    losses=Losses(dropped=1, held=2, overflows=3, gaps=4),
    voice_out=VoiceStatus("Speakers", 0.5, 12.0),
)

Scraped = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(server: MetricsServer) -> Scraped:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def figure(scraped: Scraped, name: str, *, subject: str = "Ada", **labels: str) -> float:
    return scraped[f"livelink_bridge_{name}", frozenset({"subject": subject, **labels}.items())]


def test_a_scrape_gives_a_sessions_figures_in_base_units() -> None:
    with closing(MetricsServer(0)) as server:
        server.show({"Ada": FULL})
        got = scrape(server)
    assert figure(got, "poses_total") == 5400
    assert figure(got, "poses_per_second") == 60
    assert figure(got, "delay_seconds", quantile="0.5") == pytest.approx(0.071)
    assert figure(got, "delay_seconds", quantile="0.99") == pytest.approx(0.075)
    parts = {
        part: figure(got, "delay_part_seconds", part=part) for part in ("capture", "lookahead", "compute", "pacing")
    }
    assert parts == pytest.approx({"capture": 0.012, "lookahead": 0.067, "compute": 0.0015, "pacing": 0.0025})
    assert figure(got, "packets_total", target="osc://b:2") == 5300
    assert figure(got, "packet_errors_total", target="osc://b:2") == 100
    assert [
        figure(got, "losses_total", kind=kind) for kind in ("dropped", "held", "overflows", "gaps", "bad_poses")
    ] == [1, 2, 3, 4, 0]
    assert (figure(got, "level_dbfs"), figure(got, "peak_dbfs"), figure(got, "clipped_samples")) == (-23, -9, 12)
    assert (figure(got, "gate_open_ratio"), figure(got, "gain_db"), figure(got, "trouble")) == (1, 3.5, 0)
    assert figure(got, "voice_out_offset_seconds") == pytest.approx(0.0005)
    assert figure(got, "voice_out_drift_ratio") == pytest.approx(12e-6)
    assert figure(got, "input_reopened_total") == 1
    assert figure(got, "sample_rate_hertz", device='Yeti "2"\\') == 48000


def test_what_is_not_known_is_left_out_and_nothing_of_the_process_is_added() -> None:
    with closing(MetricsServer(0)) as server:
        server.show({"Ada": Status(state="no sound arrives", trouble="no sound arrives")})
        names = {name.removeprefix("livelink_bridge_") for name, _ in scrape(server)}
    assert names == {"trouble", "poses_per_second", "poses_total", "clipped_samples", "losses_total"}


def test_the_newest_status_of_each_subject_counts() -> None:
    with closing(MetricsServer(0)) as server:
        for sent in (1, 2, 3):
            server.show({"Ada": Status(state="live", sent=sent), "Bo": Status(state="live", sent=9)})
        got = scrape(server)
        server.show({"Bo": Status(state="live", sent=10)})
        left = scrape(server)
    assert figure(got, "poses_total") == 3
    assert figure(got, "poses_total", subject="Bo") == 9
    assert {dict(labels)["subject"] for _, labels in left} == {"Bo"}, "who has left is not served"


def test_two_targets_of_one_name_are_one_series_since_two_would_spoil_the_page() -> None:
    with closing(MetricsServer(0)) as server:
        server.show(
            {
                "Ada": Status(
                    state="live",
                    targets=(Target("take:t", 5, 1), Target("take:t", 3, 0, "gone"), Target("osc://a:1", 2, 0)),
                )
            }
        )
        got = scrape(server)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
            lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    names = [line.rpartition(" ")[0] for line in lines]
    assert len(names) == len(set(names))
    assert (figure(got, "packets_total", target="take:t"), figure(got, "packet_errors_total", target="take:t")) == (
        8,
        1,
    )
    assert [figure(got, "target_unheard", target=target) for target in ("take:t", "osc://a:1")] == [1, 0]


def test_a_port_that_is_taken_is_one_line() -> None:
    with (
        closing(MetricsServer(0)) as first,
        pytest.raises(SinkError, match=rf"metrics .* 127\.0\.0\.1:{first.port}: .*; choose another") as raised,
    ):
        MetricsServer(first.port)
    assert "\n" not in str(raised.value)


def test_after_closing_nothing_answers_and_the_port_is_free() -> None:
    with closing(MetricsServer(0)) as server:
        port = server.port
    server.close()
    with pytest.raises(urllib.error.URLError):
        scrape(server)
    MetricsServer(port).close()
