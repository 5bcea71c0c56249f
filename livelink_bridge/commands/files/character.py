"""`character`: write a character file to start from, or explain one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from arkit_mapping.character.character import Character, Smoothing

CLOSURES = {
    "auto": "auto: as each receiver expects",
    "arkit": "arkit: MouthClose as predicted",
    "metahuman": "metahuman: MouthClose as a share of JawOpen",
}


def character(
    action: Annotated[
        Literal["init", "check"], typer.Argument(help="init writes a file to start from; check explains a file.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The character file.")],
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="metahuman|arkit|vrm", help="init: the preset that the file builds on. Default metahuman."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="init: overwrite the file if it exists.")] = False,
) -> None:
    """Write or check a character file.

    A character file adapts frames to one face: gain, offset, curve, limits, smoothing, symmetry, lips and head. Use it
    with --character.
    """
    from livelink_bridge.errors import UsageError

    if action == "init":
        write_starter(file, preset or "metahuman", force=force)
        typer.echo(f"{file} written; edit it, then livelink-bridge character check {file}")
        return
    if preset or force:
        raise UsageError("character check takes a file and nothing else; --preset and --force are for character init")
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.session import build

    for line in described(build.character_file(file, MonotonicClock()).current()):
        typer.echo(line)


def write_starter(file: Path, preset: str, *, force: bool) -> None:
    """Write a file to start from.

    Raises UsageError for an unknown preset, BridgeError where the file exists, unless `force`, or cannot be written.
    """
    from arkit_mapping.character.character import CharacterError
    from arkit_mapping.character.file import starter
    from arkit_mapping.whole_file import whole_file
    from livelink_bridge.errors import BridgeError, UsageError

    try:
        text = starter(preset)
    except CharacterError as error:
        raise UsageError(str(error)) from None
    try:
        with whole_file(
            file, new=not force
        ) as partial:  # a session that uses the file reads it again as soon as it changes
            partial.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        raise BridgeError(
            f"{file} exists and was not changed; choose another name, or --force to overwrite it"
        ) from None
    except OSError as error:
        raise BridgeError(f"{file} cannot be written: {error.strerror}") from error


def described(character: Character) -> Iterator[str]:
    """Lines that explain what a character does."""
    yield f"name       {character.name or '(none)'}"
    yield f"lips       {CLOSURES[character.closure]}"
    yield from _table("channels", _changes(character))
    yield from _table("smoothing", _smoothings(character))
    yield from _table("symmetry", _symmetries(character.symmetry))
    turns = ", ".join(f"{axis} {getattr(character.head, axis):+d}" for axis in ("yaw", "pitch", "roll"))
    yield f"head       {turns}, gain {character.head.gain:g}"


def _table(title: str, lines: list[str]) -> Iterator[str]:
    """Lines, with the title before the first one."""
    for line in lines or ["as predicted" if title != "smoothing" else "none, 0 ms"]:
        yield f"{title:10} {line}"
        title = ""


def _changes(character: Character) -> list[str]:
    """What is done to each channel, in the order in which it is applied."""
    told: dict[str, list[str]] = {}
    for what, entries in (
        ("gain", character.gain),
        ("offset", character.offset),
        ("curve", character.curve),
        ("limits", character.limits),
    ):
        for channel, value in entries.items():
            told.setdefault(channel, []).append(f"{what} {_plain(value)}")
    told_jaw = [
        what
        for what in ("gain", "curve")
        if "JawOpen" in getattr(character, what) and "MouthClose" not in getattr(character, what)
    ]
    if told_jaw:
        told.setdefault("MouthClose", []).append(f"{' and '.join(told_jaw)} as JawOpen")
    return [f"{channel}: {', '.join(parts)}" for channel, parts in told.items()]


def _plain(value: Any) -> str:
    """A number, or numbers in brackets, as a file has them."""
    return f"[{', '.join(map(_plain, value))}]" if isinstance(value, list | tuple) else f"{value:g}"


def _smoothings(character: Character) -> list[str]:
    """Channels that share smoothing, its parameters, and by how much it delays speech."""
    from arkit_mapping.character.delay import added_delay
    from arkit_mapping.character.groups import GROUPS

    alike: dict[Smoothing, list[str]] = {}
    for channel, smoothing in character.smoothing.items():
        if smoothing is not None:
            alike.setdefault(smoothing, []).append(channel)
    lines = []
    for smoothing, channels in alike.items():
        delay = added_delay(smoothing)
        numbers = f"min_cutoff_hz {smoothing.min_cutoff_hz:g}, beta {smoothing.beta:g}"
        late = f"adds {delay.syllable_ms:.1f} ms to speech, {delay.closure_ms:.1f} ms to a quick closure"
        lines.append(f"{_names(channels, GROUPS)}: {numbers}; {late}")
    return lines


def _symmetries(symmetry: Mapping[str, float]) -> list[str]:
    """Pairs of channels that are pulled together equally far."""
    from arkit_mapping.character.symmetry import PAIRS

    alike: dict[float, list[str]] = {}
    for pair, pull in symmetry.items():
        if pull:
            alike.setdefault(pull, []).append(pair)
    return [f"{_names(pairs, {'all pairs': tuple(PAIRS)})}: {pull:g}" for pull, pairs in alike.items()]


def _names(names: list[str], wholes: Mapping[str, tuple[str, ...]]) -> str:
    """Names on one line: a group by its own name where at most a quarter of its members is missing, then the rest."""
    told, left = [], dict.fromkeys(names)
    for whole, members in wholes.items():
        missing = [name for name in members if name not in left]
        if len(missing) <= len(members) // 4:
            told.append(f"{whole} without {', '.join(missing)}" if missing else whole)
            left = dict.fromkeys(name for name in left if name not in members)
    return ", ".join([*told, *left])
