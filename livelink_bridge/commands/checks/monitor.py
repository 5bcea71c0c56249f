"""`monitor`: what arrives on a port, and what Unreal would make of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from livelink_bridge.commands.options import interruptible
from livelink_bridge.monitor.summary_text import lines

PANEL_EVERY_S = 0.1
PLAIN_EVERY_S = 1.0

_WIRE_HELP = "Protocol: livelink, osc, vmc or ifacialmocap. Default by the port, or on any other port by each datagram."
_CHANNELS_HELP = (
    "Channels to show: all, moving, or names such as JawOpen,HeadYaw. Default moving on a terminal, else a few."
)
_RECORD_HELP = (
    "Also record what arrives as Live Link Face takes: one per subject into this folder, or the first subject's as "
    "this .csv."
)


def monitor(
    port: Annotated[int, typer.Option(metavar="PORT", help="UDP port to listen on. Default 11111.")] = 11111,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", min=0, help="End after so many seconds. Default at Ctrl-C.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line: a summary every second and one at the end.")
    ] = False,
    wire: Annotated[str | None, typer.Option(metavar="WIRE", help=_WIRE_HELP)] = None,
    channels: Annotated[str | None, typer.Option(metavar="NAME,...", help=_CHANNELS_HELP)] = None,
    record: Annotated[Path | None, typer.Option(metavar="DIR|FILE.csv", help=_RECORD_HELP)] = None,
) -> None:
    """Receive like Unreal and report what arrives.

    Shows subject, rate, jitter and loss; which datagrams Unreal would drop silently, why, and what to do; on a
    terminal, live bars. Also receives OSC, VMC and iFacialMocap.
    """
    from livelink_bridge.monitor.monitor import SHOWN_CHANNELS, listen

    live = sys.stdout.isatty() and not as_json
    wanted = channels_of(channels, None if live else SHOWN_CHANNELS)
    said: list[str] = []
    with interruptible() as stop:
        with _screen(live, as_json, said) as (show, every_s):
            final = listen(port, seconds, show, stop=stop, wire=wire, channels=wanted, record=record, every_s=every_s)
        if as_json or said != [_text(final, as_json)]:  # an end on a whole second has been said by then
            typer.echo(_text(final, as_json))


def channels_of(text: str | None, default: Sequence[str] | None) -> Sequence[str] | None:
    """The channels that --channels names, None for those that move. Raises UsageError for an unknown name."""
    from arkit_mapping.channels import CHANNELS_61, index_of
    from livelink_bridge.errors import UsageError

    if text is None:
        return default
    if text in ("all", "moving"):
        return CHANNELS_61 if text == "all" else None
    try:
        return [CHANNELS_61[index_of(name.strip())] for name in text.split(",")]
    except KeyError as error:
        raise UsageError(f"--channels: {error.args[0]}; expected all, moving or names of channels") from None


@contextmanager
def _screen(live: bool, as_json: bool, said: list[str]) -> Iterator[tuple[Callable[[dict[str, Any]], None], float]]:
    """A function that shows a summary, and how often it wants one, in seconds. `said` gets the last one printed."""
    if not live:

        def say(summary: dict[str, Any]) -> None:
            said[:] = [_text(summary, as_json)]
            typer.echo(said[0])

        yield say, PLAIN_EVERY_S
        return
    from rich.console import Console
    from rich.live import Live

    from livelink_bridge.monitor.panel import panel

    console = Console()
    blocks = console.encoding.startswith("utf")
    with Live(console=console, auto_refresh=False, transient=True) as drawn:
        yield (
            lambda summary: drawn.update(panel(summary, console.width, console.height, blocks=blocks), refresh=True),
            PANEL_EVERY_S,
        )


def _text(summary: dict[str, Any], as_json: bool) -> str:
    return json.dumps(summary) if as_json else "\n".join(lines(summary))
