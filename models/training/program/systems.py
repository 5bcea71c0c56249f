"""The networks that can be trained, by the names the tables and `--model` know them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, Literal, get_type_hints

import yaml
from torch import nn

from arkit_mapping.channels import MOUTH_32
from models.base import ModelError
from models.config_file import fits
from models.corpus.phones import CLASSES


@dataclass(frozen=True, slots=True)
class System:
    """How one network is built and what it learns from."""

    network: str
    """module:name of what makes the network of a config."""
    config: str
    """module:name of what makes the config of `styles` and `preset`."""
    preset: Mapping[str, Any] = field(default_factory=dict)
    shares: tuple[float, ...] = (1.0,)
    """Of a run, for each of the network's stages."""
    data: Literal["windows", "clips"] = "windows"
    """"windows": log-mel steps and frames at 60 Hz; "clips": sound and frames at 30 Hz."""
    rate: float = 1.5e-3
    """Highest learning rate."""
    batch: int = 8
    seconds: float = 2.0
    """Of a window."""
    drop: tuple[str, ...] = ()
    """Terms of the objective that an ablation goes without."""


def _live(drop: tuple[str, ...] = (), **preset: Any) -> System:
    whole = {"phones": CLASSES, "channels": MOUTH_32, **preset}
    return System("models.pmmtalk.small:SmallPMMTalk", "models.pmmtalk.config:Config", whole, shares=(0.25, 0.75), drop=drop)


def _baseline(kind: str) -> System:
    return System("models.baselines.loading:build", "models.baselines.config:preset", {"kind": kind})


def _codetalker(space: str) -> System:
    """Its audio encoder is as wide as it must be for as many parameters as the others have."""
    preset = {"space": space, "width": 256}
    return System("models.codetalker.network:CodeTalker", "models.codetalker.config:Config", preset, shares=(0.35, 0.65))


SYSTEMS: dict[str, System] = {
    "voca": _baseline("voca"),
    "faceformer": _baseline("faceformer"),
    "emotalk": _baseline("emotalk"),
    "codetalker": _codetalker("motion"),
    "codetalker-shape": _codetalker("shape"),
    "dualtalker": System("models.dualtalker.network:DualTalker", "models.dualtalker.config:Config"),
    "pmmtalk-live": _live(),
    "pmmtalk-live-without-text": _live(views=("audio", "image")),
    "pmmtalk-live-without-audio": _live(views=("text", "image")),
    "pmmtalk-live-without-image": _live(views=("audio", "text")),
    "pmmtalk-live-without-temporal": _live(("temporal",)),
    "pmmtalk-live-without-semantic": _live(("semantic",)),
    "pmmtalk-live-without-motion": _live(("motion",)),
    "pmmtalk": System(
        "models.pmmtalk.paper.network:PaperPMMTalk", "models.pmmtalk.paper.config:Config", data="clips", rate=1e-4, batch=1, seconds=4.0
    ),
}
"""The paper's optimiser of "pmmtalk": Adam, 1e-4, one clip a step (section IV-E). The small ones are ours."""
ABLATIONS = tuple(name for name in SYSTEMS if name.startswith("pmmtalk-live-without-"))


def system(name: str) -> System:
    """ModelError for a name that is not in the table."""
    if name not in SYSTEMS:
        raise ModelError(f"no network {name!r} to train, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def config_of(chosen: System, styles: Sequence[str], changes: Sequence[str] = ()) -> Any:
    """The config of a network that knows `styles` by name. changes: "key=value", value as YAML has it. Raises ModelError."""
    return _changed(_named(chosen.config)(styles=tuple(styles), **chosen.preset), changes)


def network_of(chosen: System, config: Any) -> nn.Module:
    """The network with new weights."""
    made: nn.Module = _named(chosen.network)(config)
    return made


def _changed(config: Any, changes: Sequence[str]) -> Any:
    known, hints = [one.name for one in fields(config)], get_type_hints(type(config))
    values = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if key not in known or not equals:
            raise ModelError(f"--set {change}: expected KEY=VALUE with one of {', '.join(known)}")
        value = yaml.safe_load(text)
        if not fits(value, hints[key]):
            raise ModelError(f"--set {change}: the wrong kind of value, expected one like {key}={_shown(getattr(config, key))}")
        values[key] = tuple(value) if isinstance(value, list) else value
    try:
        return replace(config, **values)
    except ValueError as error:
        raise ModelError(f"--set {' '.join(changes)}: {error}") from error


def _shown(value: Any) -> str:
    """As one would type it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
