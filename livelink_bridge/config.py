"""Settings: defaults < YAML file < environment (LIVELINK_BRIDGE_*) < flags.

One table of fields serves all four. No settings object travels into a stage: commands take single values out of it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from livelink_bridge.errors import BridgeError, ConfigError
from livelink_bridge.timecode import ORIGINS, RATES

PREFIX = "LIVELINK_BRIDGE_"
NOT_SETTINGS = frozenset({"CONFIG", "DATA", "HOME", "SCORER", "TORCH_INDEX"})
"""Names after PREFIX that mean something else: the settings file, development data, where identities are remembered, another scorer
for tests to agree with, the set-up scripts' choice of torch."""

DEVICES = ("auto", "cpu", "cuda", "mps")
LOOKAHEADS_MS = (33, 67)
MAX_FPS = 60
LONGEST_SUBJECT = 100
"""Bytes of UTF-8. Unreal takes 512, but a name has to fit a list in a window."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user can choose for every session, checked. Field names are the YAML keys and, with dashes, the flags."""

    to: tuple[str, ...] = ("livelink://127.0.0.1:11111",)
    """Where poses go, as URIs. Unreal's own port on this machine unless told otherwise."""
    record: Path | None = None
    """Folder that gets a take of the session, next to `to`."""
    subject: str = "LiveLinkBridge"
    """What the face is called in Unreal's Live Link window."""
    fps: Fraction = Fraction(MAX_FPS)
    """Packets per second. The model gives 60 poses a second, so more would only repeat."""
    timecode: str = "time-of-day"
    """What packets' frame numbers and takes' timecode count from: midnight, midnight as NTP disciplines the system's clock, or 0."""
    timecode_rate: str | None = None
    """How they count: 24, 25, 29.97, 29.97df ...; None is `fps`."""
    model: str = "pmmtalk-live"
    """A shipped model's name, or a folder with config.yaml and *.safetensors."""
    device: str = "auto"
    """Where the model runs: CUDA, then MPS, then CPU, unless named."""
    lookahead: int | None = None
    """Milliseconds of sound after a pose's own time that it may wait for; None is the model's own, 67 for the default."""
    character: Path | None = None
    """Character file: gain, offset and limits per channel."""
    reference_face: Path | None = None
    """Picture of a face from the front, for the model's image branch; None is the model's own."""
    style: str | None = None
    """Speaking style, one of the model's; None is its default."""

    @property
    def targets(self) -> tuple[str, ...]:
        """`to`, and the take that `record` asks for."""
        return self.to if self.record is None else (*self.to, f"take:{self.record}")


def load_settings(flags: Mapping[str, object], *, file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force.

    Parameters
    ----------
    flags : by field name; None or an empty list means that the flag was not given
    file : the YAML file; None takes LIVELINK_BRIDGE_CONFIG, or no file at all
    environ : LIVELINK_BRIDGE_SUBJECT=Ada sets subject; several targets are separated by spaces

    Raises ConfigError for a key that does not exist or a value that cannot be, BridgeError for a file that cannot be read.
    """
    file = file or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    values: dict[str, Any] = {}
    for source, layer in (
        (str(file), _from_file(file) if file else {}),
        ("the environment", _from_environment(environ)),
        ("the flags", {key: value for key, value in flags.items() if value is not None and value != []}),
    ):
        for key, value in layer.items():
            values[key] = _checked(key, value, source)
    return Settings(**values)


def as_yaml(settings: Settings) -> str:
    """The settings as a file that `load_settings` reads back to the same."""
    plain = {key: _plain(value) for key, value in asdict(settings).items()}
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"settings file {path} is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"settings file {path} holds {type(content).__name__}, expected lines of `key: value`")
    for key in content:
        _refuse_unknown(str(key), str(path), KEYS)
    return {str(key): value for key, value in content.items() if value is not None}


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    given = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    layer: dict[str, object] = {}
    for name, value in given.items():
        if name in NOT_SETTINGS or not value:
            continue
        _refuse_unknown(name, "the environment", [key.upper() for key in KEYS], PREFIX)
        layer[name.lower()] = value.split() if name == "TO" else value
    return layer


def _refuse_unknown(key: str, source: str, known: Iterable[str], prefix: str = "") -> None:
    known = list(known)
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f" (did you mean {prefix}{near[0]}?)" if near else ""
        raise ConfigError(f"unknown setting {prefix}{key} in {source}{hint}; expected one of {', '.join(known)}")


def _checked(key: str, value: object, source: str) -> object:
    try:
        return CHECKS[key](value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{key} in {source}: got {value!r}, expected {error}") from None


def _targets(value: object) -> tuple[str, ...]:
    uris = [value] if isinstance(value, str) else value
    if not isinstance(uris, list | tuple) or not uris or not all(isinstance(uri, str) and uri for uri in uris):
        raise ValueError("one URI or a list of them, such as livelink://127.0.0.1:11111")
    return tuple(uris)


def _path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("a path")
    return Path(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a name")
    return value


def _subject(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a name of printable characters")
    if len(value.encode()) > LONGEST_SUBJECT:
        raise ValueError(f"a name of at most {LONGEST_SUBJECT} bytes of UTF-8")
    if value.casefold() == "none":
        raise ValueError("another name: Unreal takes this one for no name at all")
    return value


def _fps(value: object) -> Fraction:
    """A rate of packets; 23.976, 29.97 and 59.94 are the film and television rates of that name."""
    text = str(value)
    if text in RATES:
        return RATES[text].exact
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if isinstance(value, bool) or not 1 <= fps <= MAX_FPS:
        raise ValueError(f"a number from 1 to {MAX_FPS}, such as 24, 29.97 or 60")
    return fps


def _one_of(*allowed: object, text: str = "") -> Callable[[object], Any]:
    """A check that takes a member of `allowed`, also when it arrives as text; `text` says what those are."""
    known = {str(one): one for one in allowed}

    def check(value: object) -> object:
        if isinstance(value, bool) or str(value) not in known:
            raise ValueError(text or " or ".join(known))
        return known[str(value)]

    return check


CHECKS: dict[str, Callable[[object], Any]] = {
    "to": _targets,
    "record": _path,
    "subject": _subject,
    "fps": _fps,
    "timecode": _one_of(*ORIGINS),
    "timecode_rate": _one_of(*RATES),
    "model": _text,
    "device": _one_of(*DEVICES),
    "lookahead": _one_of(*LOOKAHEADS_MS),
    "character": _path,
    "reference_face": _path,
    "style": _text,
}
"""By key: raw value in, checked value out; a ValueError's text ends the sentence "expected ..."."""

KEYS = tuple(field.name for field in fields(Settings))
