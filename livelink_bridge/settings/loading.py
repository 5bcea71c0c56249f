"""Settings in layers: defaults < YAML file < environment (LIVELINK_BRIDGE_*) < flags.

No settings object travels into a stage: commands take single values out of it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from livelink_bridge.errors import BridgeError, ConfigError
from livelink_bridge.settings.checks import expectation
from livelink_bridge.settings.table import NOT_SETTINGS, PREFIX, TABLE, Settings


def load_settings(
    flags: Mapping[str, object], *, file: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force.

    Parameters
    ----------
    flags : by field name; None or an empty list means that the flag was not given
    file : the YAML file; None takes LIVELINK_BRIDGE_CONFIG, or no file at all
    environ : LIVELINK_BRIDGE_SUBJECT=Ada sets subject; several targets are separated by spaces

    Raises
    ------
    ConfigError
        for a key that does not exist or a value that is not allowed
    BridgeError
        for a file that cannot be read
    """
    file = file or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    values: dict[str, Any] = {}
    for source, layer in (
        (str(file), _from_file(file) if file else {}),
        ("the environment", _from_environment(environ)),
        ("the flags", {key: value for key, value in flags.items() if value is not None and value != []}),
    ):
        for key, value in layer.items():
            values[key] = _checked(key, value, f"{key} in {source}")
    return Settings(**values)


def checked(key: str, value: object) -> object:
    """The value of one setting that a program gives, checked as every command checks it. Raises ConfigError."""
    return _checked(key, value, key)


def as_yaml(settings: Settings) -> str:
    """The settings as a file that `load_settings` reads back to the same."""
    plain = {key: _plain(value) for key, value in asdict(settings).items()}
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _plain(value: object) -> object:
    """A value in YAML's own types."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    return str(value) if isinstance(value, Path) else value


def _from_file(path: Path) -> dict[str, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BridgeError(f"settings file {path}: no such file") from None
    except OSError as error:
        raise BridgeError(f"settings file {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"settings file {path} is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"settings file {path} holds {type(content).__name__}, expected lines of `key: value`")
    for key in content:
        _refuse_unknown(str(key), str(path), TABLE)
    return {str(key): value for key, value in content.items() if value is not None}


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    given = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    layer: dict[str, object] = {}
    for name, value in given.items():
        if name in NOT_SETTINGS or not value:
            continue
        _refuse_unknown(name, "the environment", [key.upper() for key in TABLE], PREFIX)
        layer[name.lower()] = value.split() if name == "TO" else value
    return layer


def _refuse_unknown(key: str, source: str, known: Iterable[str], prefix: str = "") -> None:
    """Raises ConfigError with the nearest name for a key that is not known."""
    known = list(known)
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f" (did you mean {prefix}{near[0]}?)" if near else ""
        raise ConfigError(f"unknown setting {prefix}{key} in {source}{hint}; expected one of {', '.join(known)}")


def _checked(key: str, value: object, place: str) -> object:
    try:
        return TABLE[key].check(value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{place}: got {value!r}, expected {expectation(error)}") from None
