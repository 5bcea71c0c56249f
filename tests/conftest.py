"""How the tests are shared out where several processes run them (`scripts/test` takes two)."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
REAL_TIME = (
    "api", "device", "doctor", "faults", "listen", "sinks", "sources", "test_cli", "test_end_to_end", "test_examples", "test_pipeline",
    "test_recorder", "test_replay", "test_take_playback", "test_voice_out", "wire/test_unreal",
)  # fmt: skip
"""What keeps to the clock or to a sound server: one after the other in one process, so that no two of them share a core's moments."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a file stay together, in their order, since they share what they are made with; what runs in real time forms one group."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        place = item.path.relative_to(HERE).as_posix()
        together = "real time" if place.startswith(REAL_TIME) else place
        item.add_marker(pytest.mark.xdist_group(together))
