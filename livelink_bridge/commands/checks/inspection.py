"""`devices`, `config`: print what is there, without starting anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings


def devices() -> None:
    """List the audio devices.

    Give --mic and --audio-out an index or part of a name.
    """
    from livelink_bridge.devices.portaudio import sound_system
    from livelink_bridge.devices.pulse import pulse_inputs, shown_names

    system = sound_system()
    found = system.devices()
    if not found:
        typer.echo("no audio devices: plug one in, or start the sound server")
    for line in device_lines(found, system.systems(), system.default()):
        typer.echo(line)
    sources = pulse_inputs()
    for source, name in zip(sources, shown_names(sources), strict=True):
        count = _channels(len(source.positions))
        typer.echo(f"     {'input':12}  {count:>14}  {source.rate_hz:6.0f} Hz  {name}, of the sound server")


def device_lines(found: list[dict[str, Any]], systems: Any, default: tuple[int, int]) -> list[str]:
    """A line per device. `default` holds the indices of the system's input and output, -1 for none."""
    lines = []
    for index, device in enumerate(found):
        directions = [name for name in ("input", "output") if device[f"max_{name}_channels"]]
        marks = [f"default {name}" for name, at in zip(("input", "output"), default, strict=True) if at == index]
        system = systems[device["hostapi"]]["name"]
        marked = f" ({', '.join(marks)})" if marks else ""
        counts = "+".join(str(device[f"max_{name}_channels"]) for name in directions)
        rate = f"{device['default_samplerate']:6.0f} Hz"
        lines.append(
            f"{index:3}  {'+'.join(directions):12}  {_channels(counts):>14}  {rate}  {device['name']}, {system}{marked}"
        )
    return lines


def _channels(counts: int | str) -> str:
    return f"{counts} {'channel' if str(counts) == '1' else 'channels'}"


def config(settings: Settings) -> None:
    """Print the settings in force, as YAML.

    --config reads the output back. Later wins: defaults, settings file, environment (LIVELINK_BRIDGE_SUBJECT=...),
    flags.
    """
    from livelink_bridge.settings.loading import as_yaml

    typer.echo(as_yaml(settings), nl=False)
