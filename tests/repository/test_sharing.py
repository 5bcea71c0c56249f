"""The lists of what waits for real time and of what is slow name tests that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
import real_time
import sharing
import slow

TESTS = Path(__file__).parents[1]
PLACES = [path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")]


def test_every_place_of_the_list_holds_tests() -> None:
    lists = (*real_time.PLACES.values(), *slow.PLACES.values(), real_time.SIDE_BY_SIDE, sharing.FIRST[1:])
    listed = [place for places in lists for place in places]
    assert [place for place in listed if not any(one.startswith(place) for one in PLACES)] == []


def test_what_waits_is_marked_with_its_reason(request: pytest.FixtureRequest) -> None:
    assert real_time.why("device/test_performers.py") == "a sound server plays and records at the speed of sound"
    assert real_time.why("repository/test_sharing.py") is None
    assert request.node.get_closest_marker("real_time") is None


def test_what_waits_shares_a_process_and_a_file_is_never_divided() -> None:
    assert sharing.group("speech_server/test_server.py") == sharing.group("device/test_microphone_lost.py")
    assert sharing.group("preview/page/test_editing.py") == sharing.group("preview/page/test_live_session.py")
    assert sharing.group("wire/test_livelink.py") == "wire/test_livelink.py"
    assert sharing.rank("api/test_stream_to.py") < sharing.rank("preview/page/test_editing.py")
