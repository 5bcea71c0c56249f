"""What stands in the documentation as code is code: commands that the program takes, output that it prints, files that
can be read."""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import json
import re
import shutil
from pathlib import Path

import pytest
import soundfile
import yaml
from cases import case
from doc_commands import PROGRAM, bash_trouble, commands, options_of, parser_trouble, trouble
from doc_pages import DOCS, PAGES, ROOT, UNREAL, Block, blocks, inline_code, name

from livelink_bridge.cli import run
from livelink_bridge.demo import SENTENCE
from speech_to_face.official.hub import source_of

MADE = {ROOT / "docs" / "commands.md"}
"""Made by the program, and held against it by a test of its own."""
RUN_ELSEWHERE = {ROOT / "docs" / "api.md"}
"""tests/api/test_docs.py runs it as a whole."""
HASH = "0123456789abcdef0123456789abcdef01234567"
"""What the page calls so, a commit that the reader chooses."""
LANGUAGES = {"sh", "console", "python", "yaml", "json", "text", "ini", "cpp"}
STRICT = [block for page in DOCS if page not in MADE for block in blocks(page)]
ALL = [block for page in PAGES if page not in MADE for block in blocks(page)]


def told(block: Block) -> str:
    """The commands of a block: all of `sh`; of `console` what follows the prompt."""
    if block.language == "console":
        return "\n".join(line[2:] for line in block.text.splitlines() if line.startswith("$ "))
    return block.text


def of(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages]


def test_every_block_says_what_it_is() -> None:
    for block in STRICT:
        with case(block):
            assert block.language in LANGUAGES, "see docs/pages.md"
            assert block.mark in (None, "run"), "see docs/pages.md"
            assert block.mark is None or block.language == "console"


def test_every_command_is_one_that_can_be_given() -> None:
    for block in of("sh", "console"):
        with case(block):
            text = told(block)
            assert bash_trouble(text) is None
            given = commands(text)
            assert given, "a block of commands without any"
            assert [said for words in given if (said := trouble(words))] == []


@pytest.mark.parametrize("block", [block for block in of("sh", "console") if "models download" in block.text], ids=str)
def test_every_download_names_a_commit_or_has_one_pinned(block: Block) -> None:
    for words in commands(told(block)):
        if words[1:3] == ["models", "download"]:
            revision = HASH if words[4:] == ["--revision", "HASH"] else None
            assert source_of(words[3], revision).revision is not None


@pytest.mark.parametrize("block", of(""), ids=str)
def test_commands_in_a_block_without_a_language_are_the_programs(block: Block) -> None:
    lines = [line.strip().removeprefix("$ ") for line in block.text.splitlines()]
    given = [words for line in lines if re.match(rf"(\S+/)?{PROGRAM} ", line) for words in commands(line)]
    assert [said for words in given if (said := trouble(words))] == []


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_yaml_can_be_read(block: Block) -> None:
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_can_be_read_line_by_line(block: Block) -> None:
    assert all(json.loads(line) for line in block.text.splitlines())


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_can_be_compiled_and_examples_give_what_stands_there(block: Block) -> None:
    if ">>>" not in block.text:
        ast.parse(block.text)
    elif block.page not in RUN_ELSEWHERE:
        example = doctest.DocTestParser().get_doctest(block.text, {}, str(block), None, 0)
        said: list[str] = []
        assert not doctest.DocTestRunner().run(example, out=said.append).failed, "".join(said)


def options_in(code: str) -> list[str]:
    return re.findall(r"(?<=\s)--[a-z][\w-]*", code)


def test_options_named_in_a_sentence_belong_to_their_command() -> None:
    for page in [page for page in (*DOCS, *UNREAL, ROOT / "README.md") if page not in MADE]:
        with case(page):
            named = [code.split() for code in inline_code(page) if code.startswith(f"{PROGRAM} ")]
            strange = [
                words for words in named if not set(options_in(" ".join(words))) <= (options_of(words[1:]) or set())
            ]
            assert strange == []


SHOWN = [page for page in DOCS if any(block.mark == "run" for block in blocks(page))]


@pytest.mark.parametrize("page", SHOWN, ids=name)
def test_what_is_shown_is_what_is_printed(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    shutil.copy(SENTENCE, tmp_path / "line.flac")
    samples, rate_hz = soundfile.read(SENTENCE)
    soundfile.write(tmp_path / "line.wav", samples, rate_hz)
    for block in blocks(page):
        if block.mark == "run":
            for command, shown in steps(block):
                assert re.fullmatch(pattern(shown), printed(command)), f"{block}: {command}"


def steps(block: Block) -> list[tuple[str, list[str]]]:
    """Each command of a console with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def pattern(shown: list[str]) -> str:
    """What is shown as a pattern: a line `...` stands for any lines, or none."""
    return "".join(r"(?:.*\n)*" if line == "..." else re.escape(line.rstrip()) + " *\n" for line in shown)


def printed(command: str) -> str:
    """What a command of the program prints."""
    [words] = commands(command)
    assert words[0] == PROGRAM
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert run(words[1:]) == 0, command
    return said.getvalue()


def test_what_is_wrong_is_found() -> None:
    assert parser_trouble(["--mic", "Yeti", "--calibrate"]) is None
    assert "No such option" in str(parser_trouble(["--mic", "--calibrated"]))
    assert "No such command" in str(parser_trouble(["pay", "line.wav"]))
    assert "gate" in str(parser_trouble(["play", "line.wav", "--port", "x", "--gate"]))
    assert "Missing argument" in str(parser_trouble(["play"]))
    assert parser_trouble(["takes", "trim", "a.csv"]) is not None
    assert (
        trouble(["python", "benchmarks/nothing.py"])
        and trouble(["python", "-m", "models.nothing"])
        and trouble(["frobnicate"])
    )
    assert bash_trouble("echo 'unfinished")


def test_shell_is_taken_apart_as_a_shell_does_it() -> None:
    line = 'A=1 livelink-bridge play - --to "osc://h:1?a=b&c=d" > out.txt  # why\nray start && python x.py 8 | cat'
    assert commands(line) == [
        ["livelink-bridge", "play", "-", "--to", "osc://h:1?a=b&c=d"],
        ["ray", "start"],
        ["python", "x.py", "8"],
        ["cat"],
    ]


def test_three_dots_stand_for_any_lines_and_nothing_else() -> None:
    assert re.fullmatch(pattern(["...", "b", "..."]), "a\nb\nc\nd\n") and re.fullmatch(pattern(["b", "..."]), "b\n")
    assert not re.fullmatch(pattern(["b"]), "b\nc\n") and not re.fullmatch(pattern(["..."]) + "z\n", "a\nb\n")
