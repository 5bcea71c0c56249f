"""The command line: its commands, and how an error becomes one line and an exit code."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Annotated, Any

import typer

from livelink_bridge.commands.checks import doctor, inspection, monitor
from livelink_bridge.commands.files import character, convert, takes
from livelink_bridge.commands.live import demo, listen, play, preview, replay, sync_test
from livelink_bridge.commands.live import mic as mic_module
from livelink_bridge.commands.models import adapt, evaluate, models, train
from livelink_bridge.commands.options import INTERRUPTED, with_settings
from livelink_bridge.console.help import GroupedCommand, GroupedGroup
from livelink_bridge.errors import BridgeError
from livelink_bridge.version import __version__

HEADINGS: dict[str, tuple[str, ...]] = {
    "Live": ("play", "listen", "preview", "replay", "demo"),
    "Files and takes": ("convert", "takes", "character"),
    "Models": ("models", "evaluate", "train", "adapt"),
    "Checks": ("doctor", "monitor", "devices", "sync-test", "config"),
}
"""The commands as --help lists them."""
_COMMANDS: dict[str, Callable[..., None]] = {
    "play": play.play,
    "listen": listen.listen,
    "sync-test": sync_test.sync_test,
    "preview": preview.preview,
    "replay": replay.replay,
    "convert": convert.convert,
    "demo": demo.demo,
    "doctor": doctor.doctor,
    "evaluate": evaluate.evaluate,
    "train": train.train,
    "adapt": adapt.adapt,
    "config": inspection.config,
}
"""Commands that take settings."""
VERBS: dict[str, Callable[..., None]] = {
    **{name: with_settings(name, command) for name, command in _COMMANDS.items()},
    "monitor": monitor.monitor,
    "devices": inspection.devices,
    "character": character.character,
}
GROUPS: dict[str, Callable[..., typer.Typer]] = {"models": models.build, "takes": takes.build}
"""Commands that have commands of their own."""
_BadCommandLine: Any = typer.BadParameter.__base__
"""Base of the parser's own errors; typer exports only the most special of them."""

END_S = 5.0
"""Longest that the program takes to end once its work is done, whatever thread of a driver or a pool hangs."""
_SETTINGS = {"help_option_names": ["-h", "--help"]}


def main() -> None:
    """The console script."""
    debug, arguments = take_debug(sys.argv[1:])
    if not debug:
        sys.excepthook = _one_line_hook
    level = logging.INFO if debug else logging.WARNING
    logging.basicConfig(format="livelink-bridge: %(message)s", level=level)
    for handler in logging.getLogger().handlers:
        handler.setLevel(level)  # a log file takes more than the screen shows
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a subject's name may hold characters that a Windows console cannot show
    code = run(arguments, debug=debug)
    threading.Thread(target=_end_anyway, args=(code,), name="end", daemon=True).start()
    sys.exit(code)


def _end_anyway(code: int) -> None:
    """End the process after END_S, although a thread hangs.

    Python waits at its end for every thread that is not a daemon, such as those of a pool.
    """
    threading.Event().wait(END_S)
    stuck = [
        thread.name for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()
    ]
    if not stuck:
        return
    typer.echo(f"livelink-bridge: thread {', '.join(stuck)} did not end within {END_S:g} s and was left", err=True)
    sys.stdout.flush()
    os._exit(code)


def run(arguments: Sequence[str], *, debug: bool = False) -> int:
    """Run a command line and return its exit code: 0 done, 1 runtime error, 2 usage error, 130 interrupted."""
    try:
        result = build().main(
            args=rewrite_mic(arguments) or ["--help"], prog_name="livelink-bridge", standalone_mode=False
        )
    except BridgeError as error:
        return _failed(str(error), error, error.exit_code, debug)
    except _BadCommandLine as error:
        return _failed(_parser_text(error, rewrite_mic(arguments)), error, error.exit_code, debug)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone; print nothing more, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _foreign_errors() as error:  # evaluated only when something was raised: importing them takes a while
        return _failed(str(error), error, 1, debug)
    return result if isinstance(result, int) else 0


def build() -> Any:
    """The command tree. rich draws the help on a terminal; elsewhere it is plain text."""
    style: Any = "rich" if sys.stdout.isatty() else None
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=style,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        cls=GroupedGroup,
    )
    app.callback()(_root)
    app.command("mic", hidden=True, cls=GroupedCommand)(with_settings("mic", mic_module.mic))
    for heading, names in HEADINGS.items():
        for name in names:
            if name in GROUPS:
                app.add_typer(GROUPS[name](style), name=name, rich_help_panel=heading)
            else:
                app.command(name, cls=GroupedCommand, rich_help_panel=heading)(VERBS[name])
    tree: Any = typer.main.get_command(app)  # which lists commands before those that have commands of their own
    tree.commands = {name: tree.commands[name] for name in ("mic", *chain(*HEADINGS.values()))}
    return tree


def _show_version(asked: bool) -> None:
    """Print the version and end, where --version was given."""
    if asked:
        typer.echo(f"livelink-bridge {__version__}")
        raise typer.Exit


_MIC_HELP = (
    "Move the face with a microphone, live, until Ctrl-C. DEVICE is an index or part of a name; without it, the "
    "system's input. Its options: livelink-bridge --mic --help"
)


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
    mic: Annotated[str | None, typer.Option(metavar="[DEVICE]", help=_MIC_HELP)] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """Turn speech into the moving face of a MetaHuman.

    `livelink-bridge --mic` uses the microphone, live. `livelink-bridge demo` shows everything on a bundled sentence.
    """


def take_debug(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether --debug was given, anywhere before `--`, and the command line without it."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [argument for at, argument in enumerate(arguments) if argument != "--debug" or at > end]
    return len(rest) < len(arguments), rest


def rewrite_mic(arguments: Sequence[str]) -> list[str]:
    """Turn `--mic [DEVICE]` into the hidden command `mic [--input DEVICE]`: the parser has no options with an optional
    value."""
    if arguments and arguments[0] in (*VERBS, *GROUPS):
        return list(arguments)
    for at, argument in enumerate(arguments):
        option, equals, device = argument.partition("=")
        if option != "--mic":
            continue
        rest = list(arguments[at + 1 :])
        if not equals and rest and not rest[0].startswith("-"):
            device = rest.pop(0)
        return ["mic", *arguments[:at], *([f"--input={device}"] if device else []), *rest]
    return list(arguments)


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Errors with one line for the user, of packages that do not know this program."""
    from arkit_mapping.character.character import CharacterError
    from arkit_mapping.takes.csv import TakeError
    from speech_to_face.base import ModelError

    return ModelError, CharacterError, TakeError


def _failed(text: str, error: Any, code: int, debug: bool) -> int:
    """Print the one line of an error, after its traceback if asked for, and return its exit code."""
    if debug:
        sys.__excepthook__(type(error), error, error.__traceback__)
    typer.echo(f"livelink-bridge: {' '.join(text.split())}", err=True)
    return code


def _parser_text(error: Any, arguments: Sequence[str]) -> str:
    """The parser's message and the help to read. The parser itself names no command where the last option lacks its
    value."""
    verb = error.ctx.command_path if error.ctx else " ".join(["livelink-bridge", *_command_words(arguments)])
    return (
        f"{error.format_message().rstrip('.')}; see {verb.replace('livelink-bridge mic', 'livelink-bridge --mic')} "
        "--help"
    )


def _command_words(arguments: Sequence[str]) -> Sequence[str]:
    """The leading words that are commands: "convert", "takes export"."""
    first = arguments[0] if arguments else ""
    if first in GROUPS:
        return arguments[:2] if len(arguments) > 1 and not arguments[1].startswith("-") else arguments[:1]
    return [first] if first in VERBS or first == "mic" else []


def _one_line_hook(kind: type[BaseException], error: BaseException, _trace: object) -> None:
    """Report a bug of ours on one line. It ends the program with code 1, as any uncaught exception does."""
    typer.echo(
        f"livelink-bridge: this is a bug: {kind.__name__}: {error}; please report it with the output of --debug",
        err=True,
    )
