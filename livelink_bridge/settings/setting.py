"""What a row of the settings table says, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from livelink_bridge.core.limits import Range
from livelink_bridge.settings.checks import Check

PREFIX = "LIVELINK_BRIDGE_"
"""Of the environment's names."""

Group = Literal["Targets", "Audio", "Face", "Session", "Model", "Advanced"]
GROUPS: tuple[Group, ...] = get_args(Group)
"""Headings of --help and of docs/settings.md, in their order."""

Parsed = type[bool] | type[int] | type[float] | type[str] | type[Path] | type[list[str]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: everything about it but its explanation in docs/settings.md, which is its docstring in the table."""

    name: str
    """Its key in YAML; with dashes usually its flag, in capitals behind `PREFIX` its name in the environment."""
    default: object
    check: Check
    """Raw value in, checked value out. Raises ValueError whose text ends the sentence "expected ..."."""
    parsed: Parsed
    """What the command line's parser makes of the flag, before `check`."""
    group: Group
    verbs: frozenset[str]
    """Commands that take its flag."""
    help: str
    """For --help, without the default: one or two short sentences."""
    metavar: str
    """Of the flag's value: its unit, its choices, or what kind of thing it is. Empty for a switch."""
    unset: str
    """What a default of None or () means, for people; empty where it means "none"."""
    flag: str
    """`--gain`, `--liveliness/--no-liveliness`; empty for a setting of files only."""
    limits: Range | None
    per_performer: bool
    """Whether each of several performers may have a value of its own."""

    @property
    def environment(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def default_text(self) -> str:
        """The default for people, with its unit; empty where there is none."""
        if self.default is None or self.default == ():
            return self.unset
        if isinstance(self.default, bool):
            on, off = self.flag.split("/")
            return ("on" if self.default else "off") if off.startswith("--no-") else on if self.default else off
        if isinstance(self.default, tuple):
            return ", ".join(map(str, self.default))
        number = f"{self.default:g}" if isinstance(self.default, float) else str(self.default)
        return f"{number} {self.limits.unit}".rstrip() if self.limits else number

    @property
    def help_text(self) -> str:
        """One line for --help: what it does, then the default."""
        return f"{self.help} Default {self.default_text}." if self.default_text else self.help


def row(
    default: T,
    check: Check,
    metavar: str,
    group: Group,
    verbs: Collection[str],
    help: str,
    *,
    unset: str = "",
    flag: str | None = None,
    limits: Range | None = None,
    own: bool = False,
) -> T:
    """A field of the settings dataclass with the rest of its row; see `Setting`.

    Parameters
    ----------
    help : `{limits}` in it stands for the range
    flag : None for the setting's name with dashes, and --no-NAME beside it for a switch
    own : whether each performer may have its own
    """
    said = help.replace("{limits}", str(limits))
    rest = {
        "check": check,
        "metavar": metavar,
        "group": group,
        "verbs": frozenset(verbs),
        "help": said,
        "unset": unset,
        "flag": flag,
        "limits": limits,
        "per_performer": own,
    }
    return dataclasses.field(default=default, metadata=rest)


def table_of(settings: type[Any], hints: Mapping[str, object]) -> dict[str, Setting]:
    """The rows of a settings dataclass by key, in its order; `hints` are the types of its fields."""
    return {field.name: _setting(field, hints[field.name]) for field in dataclasses.fields(settings)}


def _setting(field: dataclasses.Field[Any], hint: object) -> Setting:
    parsed = _parsed(hint)
    rest = dict(field.metadata)
    flag = rest.pop("flag")
    if flag is None:
        dashed = field.name.replace("_", "-")
        flag = f"--{dashed}/--no-{dashed}" if parsed is bool else f"--{dashed}"
    return Setting(name=field.name, default=field.default, parsed=parsed, flag=flag, **rest)


def _parsed(hint: object) -> Parsed:
    """What the parser makes of a flag for a field of this type; text where only the check can tell."""
    for kind in (bool, int, float, Path):
        if hint in (kind, kind | None):
            return kind
    return list[str] if hint == tuple[str, ...] else str
