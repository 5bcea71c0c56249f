"""Settings: defaults < YAML file < environment (LIVELINK_BRIDGE_*) < flags.

One table of fields serves all four. No settings object travels into a stage: commands take single values out of it.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml

from livelink_bridge.core.whole_numbers import as_whole
from livelink_bridge.errors import BridgeError, ConfigError
from livelink_bridge.timing.timecode import ORIGINS, RATES, Origin

if TYPE_CHECKING:
    from arkit_mapping.liveliness.moods import Mood

PREFIX = "LIVELINK_BRIDGE_"
NOT_SETTINGS = frozenset({"CONFIG", "DATA", "HOME", "PICTURES", "SCORER", "TORCH_INDEX"})
"""Names after PREFIX that mean something else: the settings file, development data, where identities are remembered,
whether the pictures of the docs are taken anew, another scorer for tests to agree with, the set-up scripts' choice of
torch."""

DEVICES = ("auto", "cpu", "cuda", "mps")
LOOKAHEADS_MS = (33, 67)
MAX_FPS = 60
GATES = ("auto", "voice", "level", "off")
MOST_CHANNELS = 256
LONGEST_SUBJECT = 100
"""Bytes of UTF-8. Unreal takes 512, but a name has to fit a list in a window."""
_MOST_DIGITS = 10
"""Of a whole number that is given as text; no setting has more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user can choose for every session, checked. Field names are the YAML keys and, with dashes, the
    flags."""

    to: tuple[str, ...] = ("livelink://127.0.0.1:11111",)
    """Where poses go, as URIs. Unreal's own port on this machine unless told otherwise."""
    record: Path | None = None
    """Folder that gets a take of the session, next to `to`; None records nothing."""
    slate: str | None = None
    """The name that takes are filed under; None is the subject's."""
    subject: str = "LiveLinkBridge"
    """What the face is called in Unreal's Live Link window."""
    fps: Fraction = Fraction(MAX_FPS)
    """Packets per second. The model gives 60 poses a second, so more would only repeat."""
    timecode: Origin = "time-of-day"
    """What packets' frame numbers and takes' timecode count from: midnight, midnight as NTP disciplines the system's
    clock, or 0."""
    timecode_rate: str | None = None
    """How they count: 24, 25, 29.97, 29.97df ...; None is `fps`."""
    model: str = "pmmtalk-live"
    """A shipped model's name, one's in the models' folder, or a folder with config.yaml and *.safetensors."""
    models_dir: Path | None = None
    """The models' folder: those that did not come with the program; None is the system's place for a user's data."""
    device: str = "auto"
    """Where the model runs: CUDA, then MPS, then CPU, unless named."""
    lookahead: int | None = None
    """Milliseconds of sound after a pose's own time that it may wait for; None is the model's own, 67 for the
    default."""
    character: Path | None = None
    """Character file: gain, offset and limits per channel."""
    liveliness: bool = True
    """Whether the face blinks, looks about, raises its brows and breathes besides speaking."""
    seed: int = 0
    """Of liveliness: the same seed, the same face."""
    head_motion: bool = False
    """Whether the head nods and turns a little with the voice."""
    tongue: bool = False
    """Whether the tongue shows on th and l, as the model hears them."""
    mood: str = "neutral"
    """A mood and how much of it, 0 to 1, or several: happy:0.4,surprised:0.2."""
    gate: str = "auto"
    """When a microphone moves the face: where a voice is found, above a level, or always."""
    gain: float = 0.0
    """Decibels added to a microphone, before everything."""
    level_control: bool = True
    """Whether a microphone's speech is slowly brought to one level."""
    channels: tuple[int, ...] = ()
    """Channels of the microphone that are mixed, counted from 1; none: the first two."""
    allow_cut: bool = False
    """Whether what there is of a recording that ends before its header says is taken; else it is an error."""
    exclusive: bool = False
    """On Windows (WASAPI): have the microphone alone."""
    audio_out: str | None = None
    """Output on which a microphone's voice is played in step with its face: an index, a part of a name, or
    "default"."""
    audio_delay: float = 0.0
    """Milliseconds by which that voice is later still, for a face that takes time to be drawn."""
    face_delay: float = 0.0
    """Milliseconds by which poses are sent later, for sound that takes longer to its audience than the face."""
    log_file: Path | None = None
    """Also what happens in a session, and a line a minute, into this file; at most three of 5 MB."""
    control: int | None = None
    """Port at which Switchboard and dashboards direct a session, as they do the Live Link Face app."""
    control_allow: tuple[str, ...] = ()
    """IPv4 addresses or networks that are heard there; none: this machine alone."""
    metrics_port: int | None = None
    """Port on this machine at which a session's figures are served to Prometheus."""
    performers: tuple[Mapping[str, object], ...] = ()
    """Several voices, each with a face of its own: by key what differs from the rest of the settings, and `mic`. Files
    only."""
    reference_face: Path | None = None
    """Picture of a face from the front, for the model's image branch; None is the model's own."""
    style: str | None = None
    """Speaking style, one of the model's; None is its default."""

    @property
    def targets(self) -> tuple[str, ...]:
        """`to`, and the take that `record` asks for."""
        if self.record is None:
            return self.to
        return (*self.to, f"take:{self.record}" + (f"?slate={quote(self.slate, safe='')}" if self.slate else ""))


def load_settings(
    flags: Mapping[str, object], *, file: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force.

    Parameters
    ----------
    flags : by field name; None or an empty list means that the flag was not given
    file : the YAML file; None takes LIVELINK_BRIDGE_CONFIG, or no file at all
    environ : LIVELINK_BRIDGE_SUBJECT=Ada sets subject; several targets are separated by spaces

    Raises ConfigError for a key that does not exist or a value that cannot be, BridgeError for a file that cannot be
    read.
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


def performers_of(settings: Settings) -> list[tuple[str | None, Settings]]:
    """For each performer its microphone (None is the default) and its settings. Raises ConfigError where two are the
    same subject."""
    found = []
    for number, given in enumerate(settings.performers):
        own = {"seed": settings.seed + number} | {key: value for key, value in given.items() if key != "mic"}
        found.append((None if given.get("mic") is None else str(given["mic"]), replace(settings, performers=(), **own)))  # type: ignore[arg-type]
    subjects = [one.subject.casefold() for _, one in found]
    for number, (_, one) in enumerate(found):
        if subjects.index(one.subject.casefold()) != number:
            raise ConfigError(f"performers: two are called {one.subject!r}, expected a subject of its own for each")
    return found


def as_yaml(settings: Settings) -> str:
    """The settings as a file that `load_settings` reads back to the same."""
    plain = {key: _plain(value) for key, value in asdict(settings).items()}
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _plain(value: object) -> object:
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


def checked(key: str, value: object) -> object:
    """A value of one setting that a program gives, as every command checks it. Raises ConfigError."""
    try:
        return CHECKS[key](value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{key}: got {value!r}, expected {error}") from None


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
        whole = as_whole(value)
        written = str(value if whole is None else whole)
        if isinstance(value, bool) or written not in known:
            raise ValueError(text or " or ".join(known))
        return known[written]

    return check


def _switch(value: object) -> bool:
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if str(value).lower() not in known:
        raise ValueError("true or false")
    return known[str(value).lower()]


def _between(lowest: float, highest: float, what: str) -> Callable[[object], float]:
    """A check that takes a number in a range, also when it arrives as text; `what` names the unit."""

    def check(value: object) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if isinstance(value, bool) or not lowest <= number <= highest:
            raise ValueError(f"a number from {lowest:g} to {highest:g} {what}")
        return number

    return check


def _whole(value: object) -> int:
    """A whole number, also as text or as a float such as 7.0; -1 for anything else."""
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) <= _MOST_DIGITS else -1
    found = as_whole(value)
    return -1 if found is None else found


def _seed(value: object) -> int:
    seed = _whole(value)
    if not 0 <= seed < 2**32:
        raise ValueError("a whole number from 0 to 4294967295")
    return seed


def _port(value: object) -> int:
    port = _whole(value)
    if not 1 <= port <= 65535:
        raise ValueError("a port from 1 to 65535")
    return port


def _peers(value: object) -> tuple[str, ...]:
    from livelink_bridge.network.peers import read_peers

    texts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):
        raise ValueError("IPv4 addresses or networks, such as 192.168.1.20 or 192.168.1.0/24")
    read_peers(texts)
    return tuple(texts)


def read_mood(value: object) -> Mood:
    """The mood that a text stands for. Raises ValueError that says what was expected, as every check does."""
    from arkit_mapping.liveliness.moods import Mood, MoodError

    try:
        return Mood.parse(str(value))
    except MoodError as error:
        raise ValueError(error.expected) from None


def _mood(value: object) -> str:
    read_mood(value)
    return str(value)


def _channels(value: object) -> tuple[int, ...]:
    parts = (
        value.replace(",", " ").split()
        if isinstance(value, str)
        else value
        if isinstance(value, list | tuple)
        else [value]
    )
    numbers = tuple(_whole(part) for part in parts)
    if not all(1 <= number <= MOST_CHANNELS for number in numbers):
        raise ValueError(f"channel numbers from 1 to {MOST_CHANNELS}, such as 3 or 1,2")
    return numbers


def _performers(value: object) -> tuple[Mapping[str, object], ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
        raise ValueError("a list of performers, each with keys such as mic and subject")
    return tuple(_performer(number, one) for number, one in enumerate(value, 1))


def _performer(number: int, given: Mapping[object, object]) -> Mapping[str, object]:
    """One performer's own settings, checked."""
    checked: dict[str, object] = {}
    for key, value in given.items():
        if key not in PERFORMERS_OWN:
            near = difflib.get_close_matches(str(key), PERFORMERS_OWN, n=1)
            raise ValueError(
                f"of performer {number} {', '.join(PERFORMERS_OWN)}, not "
                f"{key}{f' (did you mean {near[0]}?)' if near else ''}"
            )
        try:
            checked[str(key)] = (
                value
                if key == "mic" and value is None
                else (_text(str(value)) if key == "mic" else CHECKS[str(key)](value))
            )
        except (ValueError, TypeError) as error:
            raise ValueError(f"{key} of performer {number} to be {error}, not {value!r}") from None
    return checked


CHECKS: dict[str, Callable[[object], Any]] = {
    "to": _targets,
    "record": _path,
    "slate": _text,
    "subject": _subject,
    "fps": _fps,
    "timecode": _one_of(*ORIGINS),
    "timecode_rate": _one_of(*RATES),
    "model": _text,
    "models_dir": _path,
    "device": _one_of(*DEVICES),
    "lookahead": _one_of(*LOOKAHEADS_MS),
    "character": _path,
    "liveliness": _switch,
    "seed": _seed,
    "head_motion": _switch,
    "tongue": _switch,
    "mood": _mood,
    "gate": _one_of(*GATES),
    "gain": _between(-40, 40, "dB"),
    "level_control": _switch,
    "channels": _channels,
    "allow_cut": _switch,
    "exclusive": _switch,
    "audio_out": _text,
    "audio_delay": _between(0, 1000, "ms"),
    "face_delay": _between(0, 500, "ms"),
    "log_file": _path,
    "control": _port,
    "control_allow": _peers,
    "metrics_port": _port,
    "performers": _performers,
    "reference_face": _path,
    "style": _text,
}
"""By key: raw value in, checked value out; a ValueError's text ends the sentence "expected ..."."""

PERFORMERS_OWN = (
    "mic",
    "subject",
    "to",
    "record",
    "slate",
    "fps",
    "timecode",
    "timecode_rate",
    "face_delay",
    "character",
    "liveliness",
    "seed",
    "head_motion",
    "mood",
    "gate",
    "gain",
    "level_control",
    "channels",
    "exclusive",
    "audio_out",
    "audio_delay",
)
"""What each performer may have of its own; the model is everybody's."""

KEYS = tuple(field.name for field in fields(Settings))
