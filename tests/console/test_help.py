"""--help: grouped, complete and readable at 80 columns without a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from cases import case

from livelink_bridge.cli import GROUPS, HEADINGS, VERBS, build, run
from livelink_bridge.settings.setting import GROUPS as HEADINGS_OF_SETTINGS
from livelink_bridge.settings.table import settings_of_verb


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the program with the words that name it."""
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*words, name))


EVERY = dict(commands(build()))


def help_of(words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*words, "--help"]) == 0
    return capsys.readouterr().out


def test_the_program_lists_every_command_once_under_a_heading_with_a_whole_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = help_of((), capsys, monkeypatch)
    assert sorted(name for names in HEADINGS.values() for name in names) == sorted([*VERBS, *GROUPS])
    assert re.findall(r"^(\S[^:\n]*):$", said, re.MULTILINE) == ["Options", *HEADINGS]
    for heading, names in HEADINGS.items():
        section = said.partition(f"\n{heading}:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in section] == list(names)
        assert all(line.endswith(".") and not line.endswith("..") for line in section), section


def test_every_help_fits_80_columns_and_names_no_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in EVERY:
        with case(words):
            said = help_of(words, capsys, monkeypatch)
            assert max(map(len, said.splitlines())) <= 80
            assert not re.search(r"<list|\[default:|wear|nobody|somebody", said)


def test_every_default_is_told_once() -> None:
    for words in EVERY:
        with case(words):
            for param in EVERY[words].params:
                if (
                    param.default not in (None, False, (), [])
                    and param.param_type_name == "option"
                    and not param.hidden
                ):
                    assert param.help.count("Default") == 1, param.name


def test_options_stand_under_the_headings_of_their_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = help_of(("mic",), capsys, monkeypatch)
    assert re.findall(r"^(\S[^:\n]*):$", said, re.MULTILINE) == ["Options", *HEADINGS_OF_SETTINGS]
    for heading in HEADINGS_OF_SETTINGS:
        section = said.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        flags = [row.flag.partition("/")[0] for row in settings_of_verb("mic") if row.group == heading]
        shown = [flag for flag in re.findall(r"^  (--[\w-]+)", section, re.MULTILINE) if flag != "--config"]
        assert shown == flags


def test_on_a_terminal_the_same_headings_are_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    drawn = re.sub(r"\x1b\[[\d;]*m", "", help_of(("mic",), capsys, monkeypatch))
    assert re.findall(r"^╭─ (\w+) ─", drawn, re.MULTILINE) == ["Options", *HEADINGS_OF_SETTINGS]
    assert "Default LiveLinkBridge." in " ".join(drawn.replace("│", " ").split())


def test_each_setting_is_a_flag_of_the_commands_that_its_row_names() -> None:
    for words, command in EVERY.items():
        flags = {one.name for one in command.params if getattr(one, "rich_help_panel", None) in HEADINGS_OF_SETTINGS}
        if "config" in flags:
            assert flags - {"config"} == {row.name for row in settings_of_verb(words[0])}, words


def test_help_loads_nothing_that_takes_long() -> None:
    program = "import sys; from livelink_bridge.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert not {"numpy", "yaml", "rich", "torch", "onnxruntime", "soundfile", "asyncio"} & set(done.stderr.split())
