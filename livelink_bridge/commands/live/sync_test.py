"""`sync-test`: simultaneous tones and jaw pulses, to measure the offset between face and audio."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.commands.options import interruptible
from livelink_bridge.devices.portaudio import SoundSystem, load_backend
from livelink_bridge.devices.selection import find_output

if TYPE_CHECKING:
    from livelink_bridge.core.clock import Clock
    from livelink_bridge.reporting.metrics import Summary
    from livelink_bridge.session.outputs import Outputs
    from livelink_bridge.settings.table import Settings
    from livelink_bridge.sync_test.pulses import SyncMeter

MAX_SECONDS = 86400
_FACE_BLOCK_S = 1 / FRAME_RATE
_SOUND_BLOCK_S = 0.1


def sync_test(
    settings: Settings,
    seconds: Annotated[
        float | None,
        typer.Option(metavar="S", min=1.5, max=MAX_SECONDS, help="End after so many seconds. Default at Ctrl-C."),
    ] = None,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Move the face without playing the audio.")] = False,
) -> None:
    """Play tones and open the jaw with each, to check lip sync.

    Prints what to look for and what to set; more in docs/sync.md. The tones go to --audio-out, or the system's output.
    """
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.core.workers import steady_interpreter
    from livelink_bridge.session import build

    outputs = build.outputs_of(settings)
    with interruptible() as stop:
        system = None if no_audio else ChosenOutput(load_backend(), settings.audio_out)
        for line in instructions(settings, system.name if system else "no loudspeakers"):
            typer.echo(line)
        with steady_interpreter():
            check, summary = clap(
                outputs,
                system,
                audio_delay_s=settings.audio_delay / 1000,
                seconds=seconds,
                clock=MonotonicClock(),
                stop=stop,
                on_clap=counting(seconds),
            )
        typer.echo(f"\r{'':<24}\r" if sys.stdout.isatty() else "", nl=False)
        typer.echo(own_measure(check, settings.face_delay - settings.audio_delay))
        typer.echo(build.summary_line(summary))


class ChosenOutput(SoundSystem):
    """A sound system whose streams open on one output: an index, part of a name, or "default" or None.

    Raises DeviceError where there is no such output.
    """

    def __init__(self, backend: Any, wanted: str | None) -> None:
        super().__init__(backend)
        device = self.devices()[find_output(None if wanted == "default" else wanted, self.devices(), self.default()[1])]
        self.name = str(device["name"])
        self.rate_hz = round(device["default_samplerate"])
        self._index = device["index"]

    def open(self, kind: str, **options: Any) -> Any:
        """A stream of the backend on the chosen output; `kind` and `options` are those of `SoundSystem.open`."""
        return super().open(kind, device=self._index, **options)


def clap(
    outputs: Outputs,
    system: ChosenOutput | None,
    *,
    audio_delay_s: float,
    seconds: float | None,
    clock: Clock,
    stop: threading.Event,
    on_clap: Callable[[SyncMeter], None],
) -> tuple[SyncMeter, Summary]:
    """Send jaw pulses to the outputs and, where there is one, play tones on `system`, for `seconds` or until `stop` is
    set.

    The face goes the way of a file that is played: `outputs.delay_s` delays it, `audio_delay_s` delays the tones.
    `on_clap` is called on this thread after each pulse. Raises DeviceError for an output that cannot be opened.
    """
    from livelink_bridge.face.face import Face
    from livelink_bridge.session.modes.play import play
    from livelink_bridge.session.outputs import open_sinks
    from livelink_bridge.session.playback.speaker import Speaker
    from livelink_bridge.sync_test.pulses import ClapSource, PulseModel, SyncMeter

    with ExitStack() as stack:
        sinks = stack.enter_context(open_sinks(outputs))
        speaker = None
        if system:
            tones = ClapSource(
                clock=clock, block_s=_SOUND_BLOCK_S, seconds=seconds, rate=system.rate_hz, late_s=audio_delay_s
            )
            speaker = Speaker(tones, block_s=_SOUND_BLOCK_S, clock=clock, system=system)
            stack.callback(speaker.close)
        check = SyncMeter(lambda: speaker.zero_s if speaker else None, clock=clock, late_s=audio_delay_s)
        tell = _when_counted(check, on_clap)
        face = ClapSource(clock=clock, block_s=_FACE_BLOCK_S, seconds=seconds)
        summary = play(
            face,
            PulseModel(),
            Face(),
            outputs,
            [*sinks, check],
            speaker=speaker,
            clock=clock,
            stop=stop,
            on_status=lambda _status: tell(),
        )
        tell()
    return check, summary


def instructions(settings: Settings, output: str) -> Iterator[str]:
    """Lines for the user: what happens, what to look for, what to set."""
    yield f"claps -> {', '.join(settings.targets)} and {output}; Ctrl-C ends"
    yield (
        "Every 2 s a tone of 40 ms, and with its beginning the jaw opens. Every 4th tone is higher, and the brows "
        "go up too."
    )
    yield "1. Record face and audio together, the way your audience gets them: in OBS, or with a phone at 240 fps."
    yield (
        "2. In the recording find where the tone begins and the frame in which the jaw opens. Take the mean of ten "
        "claps."
    )
    yield f"3. Face early: so much more --face-delay MS (now {settings.face_delay:g}), or less --audio-delay."
    yield f"   Face late:  so much more --audio-delay MS (now {settings.audio_delay:g}), or less --face-delay."
    yield (
        "4. Brows up at a low tone: face and audio are whole periods of 2 s apart; something else delays one of them."
    )


def own_measure(check: SyncMeter, asked_ms: float) -> str:
    """The offset as the program itself measures it, on one line; `asked_ms` is the offset that the delays ask for."""
    from livelink_bridge.sync_test.pulses import furthest

    after_ms = check.after_ms
    if not len(after_ms):
        return f"{check.claps} claps; no tone was played, so there is nothing to measure them by"
    mean_ms, furthest_ms = after_ms.mean(), furthest(after_ms, asked_ms)
    measured = f"mean {mean_ms:+.1f} ms, furthest off {furthest_ms:+.1f} ms, asked for {asked_ms:+g} ms"
    return f"{check.claps} claps; packet after tone, by the program's own clocks: {measured}"


def counting(seconds: float | None) -> Callable[[SyncMeter], None]:
    """A function that counts the claps on one line of the terminal, so that the instructions stay visible; in a file it
    prints a line for each."""
    from livelink_bridge.sync_test.pulses import claps_in

    of = f" of {claps_in(seconds)}" if seconds is not None else ""
    renewing = sys.stdout.isatty()

    def say(check: SyncMeter) -> None:
        text = f"clap {check.claps}{of}{', high' if check.high else ''}"
        typer.echo(f"\r{text:<24}" if renewing else text, nl=not renewing)

    return say


def _when_counted(check: SyncMeter, on_clap: Callable[[SyncMeter], None]) -> Callable[[], None]:
    """A function that calls `on_clap` if there was a clap since its last call."""
    told = 0

    def tell() -> None:
        nonlocal told
        if check.claps > told:
            told = check.claps
            on_clap(check)

    return tell
