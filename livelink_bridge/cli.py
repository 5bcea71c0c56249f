"""The command line: which verbs there are, and how whatever goes wrong becomes one line and an exit code."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from livelink_bridge import __version__
from livelink_bridge.commands.checks import doctor, inspection, monitor
from livelink_bridge.commands.files import character, convert, takes
from livelink_bridge.commands.live import demo, listen, play, preview, replay, sync_test
from livelink_bridge.commands.live import mic as mic_module
from livelink_bridge.commands.models import adapt, evaluate, models, train
from livelink_bridge.commands.options import (
    FACE,
    INTERRUPTED,
    MICROPHONE,
    MODEL,
    OUTPUT,
    RECORDING,
    VOICE,
    with_settings,
)
from livelink_bridge.errors import BridgeError

VERBS: dict[str, Callable[..., None]] = {
    "play": with_settings(play.play, (*OUTPUT, *MODEL, *FACE, *VOICE, *RECORDING)),
    "listen": with_settings(listen.listen, (*OUTPUT, *MODEL, *FACE, *VOICE)),
    "sync-test": with_settings(sync_test.sync_test, sync_test.OPTIONS),
    "preview": with_settings(preview.preview, (*OUTPUT, *MODEL, *FACE, *RECORDING)),
    "replay": with_settings(replay.replay, OUTPUT),
    "convert": with_settings(convert.convert, (*MODEL, *FACE, *RECORDING)),
    "monitor": monitor.monitor,
    "demo": with_settings(demo.demo),
    "devices": inspection.devices,
    "doctor": with_settings(doctor.doctor, doctor.OPTIONS),
    "evaluate": with_settings(evaluate.evaluate, evaluate.OPTIONS),
    "train": with_settings(train.train, train.OPTIONS),
    "adapt": with_settings(adapt.adapt, adapt.OPTIONS),
    "config": with_settings(inspection.config, (*OUTPUT, *MODEL, *FACE, *MICROPHONE, *RECORDING)),
    "character": character.character,
}
GROUPS: dict[str, Callable[..., typer.Typer]] = {"models": models.build, "takes": takes.build}
"""Verbs that have verbs of their own."""
_BadCommandLine: Any = typer.BadParameter.__base__
"""The parser's own errors; typer exports none but the most special of them."""


END_S = 5.0
"""Longest that the program takes to end once its work is done: a driver or a pool's thread that hangs does not keep
it."""
_SETTINGS = {"help_option_names": ["-h", "--help"]}


def main() -> None:
    """The console script."""
    debug, arguments = take_debug(sys.argv[1:])
    if not debug:
        sys.excepthook = _one_line_hook
    level = logging.INFO if debug else logging.WARNING
    logging.basicConfig(format="livelink-bridge: %(message)s", level=level)
    for handler in logging.getLogger().handlers:
        handler.setLevel(level)  # a log file lets more pass than the screen shows
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a subject's name may hold what a Windows console cannot show
    code = run(arguments, debug=debug)
    threading.Thread(target=_end_anyway, args=(code,), name="end", daemon=True).start()
    sys.exit(code)


def _end_anyway(code: int) -> None:
    """Python waits at its end for all threads that are no daemons, such as those of a pool, and so for one that never
    returns."""
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
    """Do what a command line asks and return its exit code: 0 done, 1 runtime error, 2 usage error, 130 interrupted."""
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
    except BrokenPipeError:  # whoever read our output has gone; nothing more to say, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _foreign_errors() as error:  # evaluated only when something was raised: importing them takes a while
        return _failed(str(error), error, 1, debug)
    return result if isinstance(result, int) else 0


def build() -> Any:
    """The command tree. Help is drawn with rich where somebody looks, plain where a program reads."""
    style: Any = "rich" if sys.stdout.isatty() else None
    app = typer.Typer(
        add_completion=False, rich_markup_mode=style, pretty_exceptions_enable=False, context_settings=_SETTINGS
    )
    app.callback()(_root)
    app.command("mic", hidden=True)(with_settings(mic_module.mic, (*OUTPUT, *MODEL, *FACE, *MICROPHONE)))
    for name, verb in VERBS.items():
        app.command(name)(verb)
    for name, group in GROUPS.items():
        app.add_typer(group(style), name=name)
    return typer.main.get_command(app)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"livelink-bridge {__version__}")
        raise typer.Exit


_MIC_HELP = (
    "Live, until Ctrl-C: a microphone moves the face. DEVICE is an index or a part of a name; left out, the system's "
    "input. "
    "Its options: livelink-bridge --mic --help"
)


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Say which version this is.")
    ] = False,
    mic: Annotated[str | None, typer.Option(metavar="[DEVICE]", help=_MIC_HELP)] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """Speech goes in; a MetaHuman's face moves.

    `livelink-bridge --mic` is the microphone, live; `livelink-bridge demo` is everything at once on a bundled sentence.
    """


def take_debug(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether --debug was given, anywhere before `--`, and the command line without it."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [argument for at, argument in enumerate(arguments) if argument != "--debug" or at > end]
    return len(rest) < len(arguments), rest


def rewrite_mic(arguments: Sequence[str]) -> list[str]:
    """Turn `--mic [DEVICE]` into the hidden verb `mic [--input DEVICE]`: the parser knows no option with an optional
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
    """What packages that know nothing of this program raise with one line for the user."""
    from arkit_mapping.character.character import CharacterError
    from arkit_mapping.takes.csv import TakeError
    from speech_to_face.base import ModelError

    return ModelError, CharacterError, TakeError


def _failed(text: str, error: Any, code: int, debug: bool) -> int:
    if debug:
        sys.__excepthook__(type(error), error, error.__traceback__)
    typer.echo(f"livelink-bridge: {' '.join(text.split())}", err=True)
    return code


def _parser_text(error: Any, arguments: Sequence[str]) -> str:
    """What the parser says, and whose help to read. It names no command where an option stands last, without its
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
    """Our own mistakes. They end the program with code 1 as any uncaught exception does."""
    typer.echo(
        f"livelink-bridge: this is a bug: {kind.__name__}: {error}; please report it with the output of --debug",
        err=True,
    )
