"""What several verbs share: the common options, and ending well when interrupted."""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

INTERRUPTED = 130


def _common(
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URI",
            help="Where poses go, repeatable: livelink://, osc://, vmc:// or ifacialmocap://HOST:PORT, take:DIR, "
            "preview: (a page). Default livelink://127.0.0.1:11111.",
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write a take of the session into this folder.")
    ] = None,
    slate: Annotated[
        str | None, typer.Option(metavar="NAME", help="Slate of recorded takes. Default the subject.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name in Unreal's Live Link window. Default LiveLinkBridge.")
    ] = None,
    fps: Annotated[
        str | None, typer.Option(metavar="N", help="Packets per second, 1 to 60: 24, 29.97, 60 ... Default 60.")
    ] = None,
    timecode: Annotated[
        str | None,
        typer.Option(
            metavar="time-of-day|ntp|zero", help="What frame numbers and takes count from. Default time-of-day."
        ),
    ] = None,
    timecode_rate: Annotated[
        str | None,
        typer.Option(
            metavar="RATE", help="How they count: 24, 25, 29.97, 29.97df, 30, 50, 59.94, 59.94df, 60. Default --fps."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of a model, or its folder. Default pmmtalk-live.")
    ] = None,
    models_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where models lie that did not come with the program; see `models`."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where the model runs. Default auto.")
    ] = None,
    lookahead: Annotated[
        int | None, typer.Option(metavar="33|67", help="Milliseconds of sound a pose may wait for. Default 67.")
    ] = None,
    character: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml", help="How this face wears the poses; read again when saved. See `character`."
        ),
    ] = None,
    liveliness: Annotated[
        bool | None,
        typer.Option(
            "--liveliness/--no-liveliness", help="Blinks, gaze, brows and breath besides the mouth. Default on."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Of liveliness: the same seed, the same face. Default 0.")
    ] = None,
    head_motion: Annotated[
        bool | None,
        typer.Option("--head-motion/--no-head-motion", help="Small nods and turns with the voice. Default off."),
    ] = None,
    tongue: Annotated[
        bool | None, typer.Option("--tongue/--no-tongue", help="The tongue shows on th and l. Default off.")
    ] = None,
    mood: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:X],...",
            help="neutral, happy, sad, angry, surprised, afraid, disgusted; X is 0 to 1, default 0.5.",
        ),
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option(
            metavar="auto|voice|level|off", help="When a microphone moves the face. Default auto: where a voice is."
        ),
    ] = None,
    gain: Annotated[
        float | None, typer.Option(metavar="DB", help="Added to a microphone, -40 to 40 dB. Default 0.")
    ] = None,
    level_control: Annotated[
        bool | None,
        typer.Option("--level-control/--no-level-control", help="Bring speech slowly to one level. Default on."),
    ] = None,
    channels: Annotated[
        str | None, typer.Option("--channel", metavar="N[,N]", help="Of the microphone, from 1. Default the first two.")
    ] = None,
    exclusive: Annotated[
        bool | None,
        typer.Option("--exclusive/--shared", help="Windows (WASAPI): have the microphone alone. Default shared."),
    ] = None,
    audio_out: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE", help="Play the voice there, in step with its face: index, part of a name or default."
        ),
    ] = None,
    audio_delay: Annotated[
        float | None,
        typer.Option(
            metavar="MS", help="Play it so much later still, 0 to 1000, for a face that is drawn late. Default 0."
        ),
    ] = None,
    face_delay: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Send poses so much later, 0 to 500, for sound that is heard late. Default 0."),
    ] = None,
    log_file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Also log the session there, with a line a minute: three files of 5 MB at most."
        ),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(metavar="N", help="Serve its figures to Prometheus at http://127.0.0.1:N/metrics.")
    ] = None,
    control: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", help="Be directed as the Live Link Face app is, over OSC; Switchboard expects 8000."
        ),
    ] = None,
    control_allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="Who may, repeatable: 192.168.1.20, 192.168.1.0/24. Default this machine."
        ),
    ] = None,
    reference_face: Annotated[
        Path | None, typer.Option(metavar="IMAGE", help="Picture of a face for the model's image branch.")
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="One of the model's speaking styles, or a mixture: 0.3:NAME,0.7:NAME."),
    ] = None,
    allow_cut: Annotated[
        bool | None,
        typer.Option(
            "--allow-cut/--whole", help="Take what there is of a recording that ends early. Default: an error."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Settings file; see `livelink-bridge config`.")
    ] = None,
) -> None:
    """Declares the common options; never called."""


MODEL = ("model", "models_dir", "device", "lookahead", "reference_face", "style")
FACE = ("character", "liveliness", "seed", "head_motion", "tongue", "mood")
OUTPUT = (
    "to",
    "record",
    "slate",
    "subject",
    "fps",
    "timecode",
    "timecode_rate",
    "face_delay",
    "log_file",
    "metrics_port",
)
RECORDING = ("allow_cut",)
VOICE = ("gate", "gain", "level_control")
MICROPHONE = ("channels", "exclusive", *VOICE, "audio_out", "audio_delay", "control", "control_allow")


def with_settings(
    command: Callable[..., None], options: Sequence[str] = (*OUTPUT, *MODEL, *FACE)
) -> Callable[..., None]:
    """Give a verb those of the common options that it heeds, and --config. It receives the Settings they amount to
    first."""
    declared = inspect.signature(_common, eval_str=True).parameters
    common = [declared[name] for name in (*options, "config")]
    own = list(inspect.signature(command, eval_str=True, globals=_globals_of(command)).parameters.values())[1:]

    def parsed(**given: Any) -> None:
        from livelink_bridge.settings.settings import load_settings

        flags = {name: given.pop(name) for name in options}
        command(load_settings(flags, file=given.pop("config")), **given)

    parameters = [*own, *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in common)]
    parsed.__doc__ = command.__doc__
    parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    parsed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return parsed


def _globals_of(command: Callable[..., None]) -> dict[str, Any]:
    """The verb's module, plus the type that it names without importing it."""
    return {**command.__globals__, "Settings": object}


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event, so that the face can ease to neutral; the second ends at once.

    Leaving the block after one of them exits with INTERRUPTED.
    """
    stop = threading.Event()
    signals = [signal.SIGINT, signal.SIGTERM]

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for number in signals:
            signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)


@contextmanager
def abortable() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that half-written files are cleaned up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
