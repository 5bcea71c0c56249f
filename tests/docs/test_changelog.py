"""The change log tells of the version that this is, and of every command."""

from __future__ import annotations

import re
import tomllib

from doc_pages import ROOT

from livelink_bridge import __version__
from livelink_bridge.cli import VERBS

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_version_of_the_log_is_the_programs() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", TEXT, re.MULTILINE)
    assert versions[0][0] == __version__
    dates = [date for _, date in versions]
    assert dates == sorted(dates, reverse=True)


def test_the_version_is_written_down_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "livelink_bridge.version.__version__"}


def test_every_command_is_told_of() -> None:
    assert [verb for verb in [*VERBS, "takes"] if not re.search(rf"`(?:livelink-bridge )?{verb}\b", TEXT)] == []
