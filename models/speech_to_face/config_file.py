"""A network's config.yaml: read into a frozen dataclass and written from one. Errors are one line for the user."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from speech_to_face.base import ModelError

T = TypeVar("T")
UNREADABLE = (OSError, ValueError, RecursionError, yaml.YAMLError)
"""What reading YAML may raise: ValueError for text that is not UTF-8, for a date that does not exist, or for a number
of thousands of digits."""


def load_config(path: Path, kind: type[T]) -> T:
    """The file's keys and values as `kind`, a dataclass of numbers, strings, truth values and tuples of these.

    Keys that are not in the file keep their default. Raises ModelError for a file that cannot be read, an unknown or
    missing key, a wrong kind of value, or a value that `kind` itself refuses with ValueError.
    """
    values, hints = read_values(path), get_type_hints(kind)
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in known:
            raise ModelError(f"{path}: unknown key {key!r}, expected one of {', '.join(known)}")
        if not fits(value, hints[key]):
            raise ModelError(f"{path}: {key} has the wrong kind of value: {_short(value)}")
    missing = [name for name, field in known.items() if name not in values and _is_required(field)]
    if missing:
        raise ModelError(f"{path}: no {missing[0]}, which has no default; install the model again")
    try:
        return kind(**{key: _frozen(value) for key, value in values.items()})
    except (ValueError, ZeroDivisionError) as error:
        raise ModelError(f"{path}: {error}") from error


def save_config(config: Any, path: Path) -> None:
    """Write a dataclass so that `load_config` gives an equal one."""
    text = yaml.safe_dump(_plain(asdict(config)), sort_keys=False, allow_unicode=True, width=140)
    path.write_text(text, encoding="utf-8")


def read_values(path: Path) -> dict[str, Any]:
    """The file's keys and values as YAML has them. Raises ModelError where there are none."""
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise ModelError(
            f"{path}: not a readable config.yaml ({type(error).__name__}); install the model again"
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: expected keys and values, got {type(values).__name__}")
    return {str(key): value for key, value in values.items()}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value as YAML gives it (a list for a tuple, a whole number where a float is wanted) is of an annotated
    kind."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, list) and _items_fit(value, inner)
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(fits(k, inner[0]) and fits(v, inner[1]) for k, v in value.items())
    if hint in (None, NoneType):
        return value is None
    if hint in (int, float):  # YAML's true is an int in Python, and never meant as a number
        return not isinstance(value, bool) and isinstance(value, (int, hint))
    return isinstance(value, hint)


def _items_fit(items: list[Any], hints: tuple[Any, ...]) -> bool:
    """Against tuple[kind, ...] or tuple[kind, other kind]."""
    if len(hints) == 2 and hints[1] is Ellipsis:
        return all(fits(item, hints[0]) for item in items)
    return len(items) == len(hints) and all(fits(item, hint) for item, hint in zip(items, hints, strict=True))


def _short(value: Any) -> str:
    """A few letters of it: YAML's aliases make a list of millions from a few lines."""
    shown = reprlib.Repr()
    shown.maxlevel = 2
    return shown.repr(value)


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down: YAML's safe dump knows no tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
