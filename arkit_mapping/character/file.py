"""Reads character files: a preset, overridden by the file's own entries; and the starter file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.entries import CharacterError, channel_index, entries, known
from arkit_mapping.character.groups import by_channel, read_smoothings
from arkit_mapping.character.head import Head, read_head
from arkit_mapping.character.symmetry import by_pair

PRESETS = ("metahuman", "arkit", "vrm")
"""Presets that a file can extend, each a file in `presets/`."""

_HERE = Path(__file__).parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader if PyYAML was built with it: files are read during a session, and it takes a fraction of the
time."""


def read_yaml(path: str | Path) -> object:
    """Parse a YAML file; {} when it is empty. Raises CharacterError: one line with the file."""
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_LOADER) or {}
    except OSError as error:
        raise CharacterError(f"character file {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # an invalid date is not a YAMLError
        raise CharacterError(f"character file {path} is not YAML: {' '.join(str(error).split())}") from None


def fields_of(content: object) -> dict[str, Any]:
    """Fields of a Character from its parsed file: those of the preset, overridden name by name by the file's own.

    Raises CharacterError for an unknown key, preset or name, with the nearest known one.
    """
    if not isinstance(content, dict):
        raise CharacterError(f"got {type(content).__name__}, expected keys: {', '.join(_KEYS)}")
    for key in content:
        known("unknown key", key, _KEYS)
    preset = content.get("preset")
    base = {} if preset is None else _preset(known("preset: unknown name", preset, PRESETS))
    own = {key: read(content[key]) for key, read in _READ.items() if content.get(key) is not None}
    fields = {key: _over(base.get(key), value) for key, value in {**base, **own}.items()}
    return {**fields, "head": Head(**fields.get("head", {}))}


def starter(preset: str) -> str:
    """Text of a starter file that extends `preset`, with every key in a comment. Raises CharacterError for an unknown
    preset."""
    known("preset: unknown name", preset, PRESETS)
    return (_HERE / "starter.yaml").read_text(encoding="utf-8").replace("preset: metahuman", f"preset: {preset}")


@lru_cache(maxsize=len(PRESETS))
def _preset(name: str) -> dict[str, Any]:
    """Cached: callers must not change it."""
    content = entries("preset", read_yaml(_HERE / "presets" / f"{name}.yaml"), "keys")
    return {key: _READ[key](value) for key, value in content.items()}


def _over(below: Any, above: Any) -> Any:
    """Merge two mappings, `above` wins; other values are replaced."""
    return {**below, **above} if isinstance(above, dict) and below is not None else above


def _channels(key: str) -> Callable[[object], dict[str, Any]]:
    """Reader for a key with channels: names in wire spelling, values unchecked."""

    def read(entry: object) -> dict[str, Any]:
        given = entries(key, entry, "channels and their values, such as {JawOpen: ...}")
        return {CHANNELS_61[channel_index(key, channel)]: value for channel, value in given.items()}

    return read


_READ: Mapping[str, Callable[[object], Any]] = {
    "name": str,
    **{key: _channels(key) for key in ("gain", "offset", "limits", "curve")},
    "smoothing": lambda entry: by_channel(read_smoothings(entry)),
    "symmetry": by_pair,
    "closure": str,
    "head": read_head,
}
_KEYS = (*_READ, "preset")
