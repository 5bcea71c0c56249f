"""Where a face's poses go: what cannot be meant is said before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from livelink_bridge.cli import run
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.errors import UsageError
from livelink_bridge.session import build
from livelink_bridge.session.live import recorders
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.settings.performers import performers_of
from livelink_bridge.settings.table import Settings


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("livelink://127.0.0.1:11111", "livelink://127.0.0.1:11111"),
        ("livelink://127.0.0.1:11111", "livelink://localhost:11111"),
        ("livelink://127.0.0.1:11111?rate=30", "livelink://127.0.0.1:11111/?ttl=3"),
        ("osc://Stage.local:9000", "osc://stage.LOCAL.:9000"),
        ("osc://stage:9000?rate=30&channels=JawOpen", "osc://stage:9000?channels=JawOpen"),
        ("vmc://[::1]:39539", "vmc://[0:0::1]:39539"),
        ("livelink://239.1.2.3:11111?interface=10.0.0.1", "livelink://239.1.2.3:11111?interface=10.0.0.1"),
        ("take:takes", "take:takes?slate=Act2"),
        ("take:takes", "take:./takes/"),
        ("preview:", "preview:"),
    ],
)
def test_the_same_target_twice_is_refused_in_one_line(one: str, same: str) -> None:
    with pytest.raises(UsageError, match="got target .* twice.*; leave one out") as error:
        Outputs((one, "osc://elsewhere:1", same), "Ada")
    assert "\n" not in str(error.value) and error.value.exit_code == 2
    assert same in str(error.value) and one in str(error.value)


@pytest.mark.parametrize(
    "targets",
    [
        ("livelink://127.0.0.1:11111", "osc://127.0.0.1:11111"),
        ("livelink://127.0.0.1:11111", "livelink://127.0.0.1:11112"),
        ("livelink://127.0.0.1:11111", "livelink://127.0.0.2:11111"),
        ("osc://stage:9000?channels=JawOpen", "osc://stage:9000?channels=MouthClose"),
        ("livelink://239.1.2.3:11111?interface=10.0.0.1", "livelink://239.1.2.3:11111?interface=192.168.1.1"),
        ("livelink://[fe80::1]:11111?interface=eth0", "livelink://[fe80::1]:11111?interface=eth1"),
        ("take:one", "take:two"),
        ("livelink://[broken:1", "livelink://[broken:2"),
    ],
)
def test_targets_that_differ_are_taken(targets: tuple[str, str]) -> None:
    assert Outputs(targets, "Ada").targets == targets


def test_the_command_line_says_so_and_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    twice = ["--to", f"take:{tmp_path / 'takes'}", "--record", str(tmp_path / "takes")]
    assert run(["demo", *twice]) == 2
    said = capsys.readouterr().err
    assert "twice" in said and len(said.strip().splitlines()) == 1
    assert not (tmp_path / "takes").exists()


@pytest.mark.parametrize(
    ("performers", "remote_controlled", "records"), [(0, False, True), (0, True, False), (2, True, True)]
)
def test_takes_wait_only_where_remote_control_can_begin_them(
    performers: int, remote_controlled: bool, records: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port opens for a microphone alone, and begins the takes of one performer: everything else is recorded from
    the start."""
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    settings = Settings(
        to=(),
        record=tmp_path,
        control=8000,
        performers=tuple({"subject": f"Ada{number}"} for number in range(performers)),
    )
    if performers:
        _, settings = performers_of(settings)[0]
        outputs = build.performer_of(settings, None, 0.0, MonotonicClock()).outputs
    else:
        outputs = build.controlled_outputs_of(settings) if remote_controlled else build.outputs_of(settings)
    assert outputs.remote_controlled is remote_controlled
    with open_sinks(outputs) as sinks:
        assert [recorder.recording for recorder in recorders(sinks)] == [records]


@pytest.mark.parametrize("fps", [0, 61, -5])
def test_an_impossible_rate_is_a_usage_error(fps):
    with pytest.raises(UsageError, match="fps, expected"):
        Outputs((), "Talker", fps)


def test_sinks_are_closed_whatever_happens(tmp_path):
    outputs = Outputs((f"take:{tmp_path / 'takes'}", "livelink://127.0.0.1:0"), "Talker")
    with pytest.raises(UsageError), open_sinks(outputs):
        pass
    assert list((tmp_path / "takes").iterdir()) == []
