"""Which tests wait for real time, and why: tests/conftest.py marks them `real_time`."""

from __future__ import annotations

PLACES = {
    "a sound server plays and records at the speed of sound": ("device/", "docs/test_commands_run"),
    "programs talk over sockets, and answer when the machine lets them": (
        "api/test_stream_to",
        "commands/test_cli",
        "commands/test_endings",
        "commands/live/test_mic",
        "doctor/",
        "faults/test_killed",
        "monitor/test_monitor_port",
        "network/test_udp_port",
        "network/test_udp_target",
        "program/test_end_to_end",
        "program/test_examples",
        "remote_control/test_server",
        "remote_control/test_transport",
        "sinks/test_oscdump",
        "sources/test_paced_pcm",
        "speech_server/",
        "takes/test_recorder_",
        "wire/test_unreal",
    ),
    "a browser draws in software": ("preview/page/", "tools/test_contact_sheet"),
}
"""Tests that wait for the wall clock, another program or a sound server, by the reason for that: beginnings of their
paths. They are marked `real_time`."""
SIDE_BY_SIDE = (
    "commands/test_endings",
    "device/test_clean_home",
    "device/test_remote_control",
    "device/test_performers",
    "device/test_preview_live",
    "docs/test_commands_run",
    "preview/",
    "program/test_examples",
    "tools/",
)
"""Of those, what waits with so much patience that it need not run alone."""


def why(place: str) -> str | None:
    """The reason why the tests of a file depend on the wall clock; None where they do not."""
    return next((reason for reason, places in PLACES.items() if place.startswith(places)), None)
