"""The networks that can be trained, by the names the tables and `--model` know them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_type_hints

import torch
import yaml
from torch import nn

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.config_file import UNREADABLE, fits
from speech_to_face.phones import CLASSES

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
UNBUILDABLE = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    ZeroDivisionError,
    OverflowError,
    AssertionError,
    MemoryError,
)
"""What torch raises for sizes of which no layer can be made."""


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
    """Highest learning rate; this and the four below are those of `speech_to_face_lab.training.program.plan.Plan`."""
    schedule: str = "cosine"
    betas: tuple[float, ...] = (0.9, 0.98)
    weight_decay: float = 0.01
    clip: float = 1.0
    batch: int = 8
    seconds: float = 2.0
    """Of a window."""
    drop: tuple[str, ...] = ()
    """Terms of the objective that an ablation goes without."""
    begin: str = ""
    """module:name of what fills parts of a new network from folders of public weights; "" where no part is public."""


def _live(drop: tuple[str, ...] = (), **preset: Any) -> System:
    whole = {"phones": CLASSES, "channels": MOUTH_32, **preset}
    network, config = (
        "speech_to_face.networks.pmmtalk.small:SmallPMMTalk",
        "speech_to_face.networks.pmmtalk.config:Config",
    )
    return System(network, config, whole, shares=(0.25, 0.75), drop=drop)


def _baseline(kind: str) -> System:
    return System(
        "speech_to_face.networks.baselines.loading:build",
        "speech_to_face.networks.baselines.config:preset",
        {"kind": kind},
    )


def _codetalker(space: str) -> System:
    """Its audio encoder is as wide as it must be for as many parameters as the others have."""
    preset = {"space": space, "width": 256}
    return System(
        "speech_to_face.networks.codetalker.network:CodeTalker",
        "speech_to_face.networks.codetalker.config:Config",
        preset,
        shares=(0.35, 0.65),
    )


SYSTEMS: dict[str, System] = {
    "voca": _baseline("voca"),
    "faceformer": _baseline("faceformer"),
    "emotalk": _baseline("emotalk"),
    "codetalker": _codetalker("motion"),
    "codetalker-shape": _codetalker("shape"),
    "dualtalker": System(
        "speech_to_face.networks.dualtalker.network:DualTalker", "speech_to_face.networks.dualtalker.config:Config"
    ),
    "pmmtalk-live": _live(),
    "pmmtalk-live-without-text": _live(views=("audio", "image")),
    "pmmtalk-live-without-audio": _live(views=("text", "image")),
    "pmmtalk-live-without-image": _live(views=("audio", "text")),
    "pmmtalk-live-without-temporal": _live(("temporal",)),
    "pmmtalk-live-without-semantic": _live(("semantic",)),
    "pmmtalk-live-without-motion": _live(("motion",)),
    "pmmtalk": System(
        "speech_to_face.networks.pmmtalk.paper.network:PaperPMMTalk",
        "speech_to_face.networks.pmmtalk.paper.config:Config",
        data="clips",
        rate=1e-4,
        schedule="constant",
        betas=(0.9, 0.999),
        weight_decay=0.0,
        clip=0.0,
        batch=1,
        seconds=4.0,
        begin="speech_to_face.networks.pmmtalk.paper.loading:begin",
    ),
}
"""How "pmmtalk" learns is the paper's (section IV-E): Adam, 1e-4 throughout, one clip a step. How the small ones do is
ours: AdamW with decay, a gradient that is clipped, a rate that rises and falls."""
ABLATIONS = tuple(name for name in SYSTEMS if name.startswith("pmmtalk-live-without-"))


def system(name: str) -> System:
    """ModelError for a name that is not in the table."""
    if name not in SYSTEMS:
        raise ModelError(f"no network {name!r} to train, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def config_of(chosen: System, styles: Sequence[str], changes: Sequence[str] = ()) -> Any:
    """The config of a network that knows `styles` by name. changes: "key=value", value as YAML has it. Raises
    ModelError."""
    return _changed(_named(chosen.config)(styles=tuple(styles), **chosen.preset), changes)


def network_of(chosen: System, config: Any) -> nn.Module:
    """The network with new weights. ModelError for a config whose sizes make none."""
    try:
        made: nn.Module = _named(chosen.network)(config)
    except UNBUILDABLE as error:
        raise ModelError(f"the config makes no network: {_line(error)}; check the sizes given by --set") from error
    if empty := [name for name, parameter in made.named_parameters() if not parameter.numel()]:
        raise ModelError(
            f"the config makes no network: {empty[0]} would hold no number; check the sizes given by --set"
        )
    return made


def begin(chosen: System, network: nn.Module, folders: Sequence[str]) -> str:
    """Fill parts of a new network from folders; what to tell the user about parts that stay random for good, "" where
    all is well."""
    if not chosen.begin:
        return ""
    return str(_named(chosen.begin)(network, [Path(folder) for folder in folders]))


def check(name: str, changes: Sequence[str], folders: Sequence[str]) -> None:
    """Whether such a network can be built and begun: a network without memory is made. Raises ModelError."""
    chosen = system(name)
    if folders and not chosen.begin:
        raise ModelError(f"--begin: {name} has no part that public weights fill; leave the option out")
    if absent := [folder for folder in folders if not Path(folder).is_dir()]:
        raise ModelError(
            f"--begin {absent[0]}: no such folder, expected one that `models download` or `models convert` wrote"
        )
    with torch.device("meta"):
        network_of(chosen, config_of(chosen, ("one",), changes))


def _changed(config: Any, changes: Sequence[str]) -> Any:
    known, hints = [one.name for one in fields(config)], get_type_hints(type(config))
    values = {}
    for change in changes:
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
        values[key] = tuple(value) if isinstance(value, list) else value
    try:
        return replace(config, **values)
    except (ValueError, ZeroDivisionError) as error:
        raise ModelError(f"--set {' '.join(changes)}: {error}") from error


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


def _line(error: Exception) -> str:
    """The first line of what torch says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _shown(value: Any) -> str:
    """As one would type it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
