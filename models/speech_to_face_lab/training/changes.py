"""`--set KEY=VALUE`: other values in a network's config."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, get_type_hints

import yaml

from speech_to_face.base import ModelError
from speech_to_face.config_file import UNREADABLE, fits

SIZES = (
    "width",
    "widths",
    "kernel",
    "kernels",
    "strides",
    "dilations",
    "convs",
    "heads",
    "feed",
    "window",
    "period",
    "size",
)
"""How the names of values end that must be 1 or more."""


def changed(config: Any, changes: Sequence[str]) -> Any:
    """The config with other values. changes: "key=value", the value as YAML has it. Raises ModelError."""
    values = dict(_change(config, change) for change in changes)
    try:
        return replace(config, **values)
    except (ValueError, ZeroDivisionError) as error:
        raise ModelError(f"--set {' '.join(changes)}: {error}") from error


def _change(config: Any, change: str) -> tuple[str, Any]:
    """Key and value of one change, checked."""
    known, hints = [one.name for one in fields(config)], get_type_hints(type(config))
    key, equals, text = change.partition("=")
    if key not in known or not equals:
        raise ModelError(f"--set {change}: expected KEY=VALUE with one of {', '.join(known)}")
    value = _read(change, text, hints[key])
    if not fits(value, hints[key]):
        raise ModelError(
            f"--set {change}: the wrong kind of value, expected one like {key}={_shown(getattr(config, key))}"
        )
    if key.endswith(SIZES) and min(value if isinstance(value, list) else [value], default=1) < 1:
        raise ModelError(f"--set {change}: expected 1 or more")
    return key, tuple(value) if isinstance(value, list) else value


def _read(change: str, text: str, hint: Any) -> Any:
    """As YAML has it; and 1e-05, which YAML takes for a word."""
    try:
        value = yaml.safe_load(text)
    except UNREADABLE as error:
        raise ModelError(f"--set {change}: YAML cannot read the value ({type(error).__name__})") from error
    if hint is float and isinstance(value, str):
        with suppress(ValueError):
            return float(value)
    return value


def _shown(value: Any) -> str:
    """As one would type it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
