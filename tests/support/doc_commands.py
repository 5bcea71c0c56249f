"""Commands of the documentation, held against the program's own parser, the repository and Bash."""

from __future__ import annotations

import functools
import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import typer
from doc_pages import ROOT

from livelink_bridge.cli import build, rewrite_mic, take_debug

PROGRAM = "livelink-bridge"
FOREIGN = frozenset(
    {".", "accelerate", "apt", "apt-get", "brew", "cd", "ffmpeg", "git", "pip", "python", "ray", "set", "winget"}
)
"""Programs that are somebody else's."""
_ENDS = frozenset({"|", "||", "&&", ";", "&"})
_REDIRECTIONS = frozenset({">", ">>", "<"})
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_BadCommandLine: Any = typer.BadParameter.__base__
"""The parser's own errors."""
program_tree = functools.cache(build)
"""The program's commands; made once, as a hundred lines are held against it."""


def commands(text: str) -> list[list[str]]:
    """The words of each command of a block of shell: pipes and lists taken apart, comments, assignments and
    redirections left out.

    Raises ValueError for a quote that does not end.
    """
    found: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word in _ENDS:
                found += [_bare(words)] if words else []
                words = []
            else:
                words.append(word)
    return [words for words in found if words]


def _bare(words: list[str]) -> list[str]:
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    at = next((at for at, word in enumerate(words) if word in _REDIRECTIONS), len(words))
    return words[:at]


def trouble(words: list[str]) -> str | None:
    """Why a command of the documentation cannot be meant as it stands; None where it can."""
    program = words[0].replace("\\", "/")
    if Path(program).name == PROGRAM:
        return parser_trouble(words[1:])
    if "livelink_bridge" in words and words[words.index("livelink_bridge") - 1] == "-m":
        return parser_trouble(words[words.index("livelink_bridge") + 1 :])
    if program.startswith(("scripts/", ".ci/")):
        return (
            None
            if any((ROOT / f"{program}{ending}").is_file() for ending in ("", ".cmd"))
            else f"{program} is not there"
        )
    if Path(program).name == "python":
        return _python_trouble(words[1:])
    return None if program in FOREIGN else f"{program} is neither ours nor known; see FOREIGN"


def parser_trouble(arguments: list[str]) -> str | None:
    """What the program's parser says against a command line; None where it takes it. Nothing is run."""
    _, rest = take_debug(arguments)
    try:
        command, context = program_tree(), None
        rest, name = rewrite_mic(rest), PROGRAM
        while True:
            context = command.make_context(name, list(rest), parent=context)
            rest = [*getattr(context, "_protected_args", []), *context.args]
            if not hasattr(command, "resolve_command") or not rest:
                return None
            name, command, rest = command.resolve_command(context, rest)
    except typer.Exit:  # --help and --version answer while they are parsed
        return None
    except _BadCommandLine as error:
        return f"{PROGRAM} {' '.join(arguments)}: {error.format_message()}"


def options_of(words: list[str]) -> set[str] | None:
    """Every option of the verb that words name; None where they name none."""
    command: Any = program_tree()
    known = {"--help", "--debug", *_options(command)}
    words = rewrite_mic(words)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
        known |= _options(command)
    return known


def _options(command: Any) -> set[str]:
    return {option for one in command.params for option in (*one.opts, *one.secondary_opts) if option.startswith("-")}


def _python_trouble(arguments: list[str]) -> str | None:
    if arguments[:1] == ["-m"]:
        try:
            return None if importlib.util.find_spec(arguments[1]) else f"no module {arguments[1]}"
        except ModuleNotFoundError as error:
            return str(error)
    if arguments and arguments[0].endswith(".py") and not (ROOT / arguments[0]).is_file():
        return f"{arguments[0]} is not there"
    return None


def bash_trouble(text: str) -> str | None:
    """What Bash says against a block; None where it can read it."""
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, timeout=15, check=False)
    return None if done.returncode == 0 else done.stderr.strip()
