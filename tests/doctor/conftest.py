from __future__ import annotations

from pathlib import Path

import pytest

from livelink_bridge.network.udp_port import Arrivals


@pytest.fixture(autouse=True)
def at_home_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))


@pytest.fixture
def free_port() -> int:
    """One that anybody may open: the lowest thousand are for administrators."""
    with Arrivals(0, "127.0.0.1") as arrivals:
        return arrivals.port
