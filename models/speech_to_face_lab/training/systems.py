"""The networks that can be trained, by the names that `--model` and the tables know them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.networks.parts import parts_of
from speech_to_face.phones import CLASSES
from speech_to_face_lab.training.changes import changed
from speech_to_face_lab.training.data.examples import ALL_STYLES
from speech_to_face_lab.training.loop.plan import Plan

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
    """How one network is built and trained."""

    network: str
    """module:name of what makes the network of a config."""
    config: str
    """module:name of what makes the config of `styles` and `preset`."""
    preset: Mapping[str, Any] = field(default_factory=dict)
    """Values of the config that are not its defaults."""
    plan: Plan = field(default_factory=Plan)
    """How it learns unless the user wants it otherwise."""
    data: Literal["windows", "clips", "tracks"] = "windows"
    """"windows": log-mel steps and frames at 60 Hz; "clips": audio and frames at 30 Hz, both of a corpus split by a
    protocol; "tracks": the tracks of `speech_to_face_lab.training.prepare`, which hold out their own."""
    begin: str = ""
    """module:name of what fills a new network, or parts of it, from folders of weights; "" where there is none."""


NETWORKS, TRAINING = "speech_to_face.networks", "speech_to_face_lab.training.objectives"
WINDOWS = Plan(shares=(1.0,))
"""How the small networks of the tables learn; a network of two stages shares the steps in its own way."""
SHIPPED = Plan(steps=11_000, shares=(3_200.0, 7_800.0), joined=True, batch=16, seconds=4.5)
"""The recipe of the model that ships: 3,200 steps for the text and image branches, then the rest."""
PAPER = Plan(
    shares=(1.0,), rate=1e-4, schedule="constant", betas=(0.9, 0.999), weight_decay=0.0, clip=0.0, batch=1, seconds=4.0
)
"""PMMTalk's section IV-E: Adam, 1e-4 throughout, one clip a step."""


def _pmmtalk(network: str, plan: Plan, **more: Any) -> System:
    """PMMTalk at its live size."""
    preset = {"phones": CLASSES, "channels": MOUTH_32, **more.pop("preset", {})}
    return System(f"{TRAINING}.{network}", f"{NETWORKS}.pmmtalk.config:Config", preset, plan, **more)


def _live(**preset: Any) -> System:
    """The shipped network, by the shipped recipe."""
    return _pmmtalk("live:build", SHIPPED, preset=preset, data="tracks", begin=f"{TRAINING}.live:begin")


def _small(drop: tuple[str, ...] = (), **preset: Any) -> System:
    """The same network by its paper's losses alone, for the tables."""
    return _pmmtalk("small:SmallPMMTalk", replace(WINDOWS, shares=(0.25, 0.75), drop=drop), preset=preset)


def _baseline(kind: str) -> System:
    return System(f"{NETWORKS}.baselines.loading:build", f"{NETWORKS}.baselines.config:preset", {"kind": kind}, WINDOWS)


def _codetalker(space: str) -> System:
    """Its audio encoder is as wide as it must be for as many parameters as the others have."""
    return System(
        f"{NETWORKS}.codetalker.objective:TrainableCodeTalker",
        f"{NETWORKS}.codetalker.config:Config",
        {"space": space, "width": 256},
        replace(WINDOWS, shares=(0.35, 0.65)),
    )


SYSTEMS: dict[str, System] = {
    "voca": _baseline("voca"),
    "faceformer": _baseline("faceformer"),
    "emotalk": _baseline("emotalk"),
    "codetalker": _codetalker("motion"),
    "codetalker-shape": _codetalker("shape"),
    "dualtalker": System(
        f"{NETWORKS}.dualtalker.network:DualTalker", f"{NETWORKS}.dualtalker.config:Config", plan=WINDOWS
    ),
    "pmmtalk-live": _live(),
    "pmmtalk-live-33": _live(delay=1),
    "pmmtalk-small": _small(),
    "pmmtalk-small-without-text": _small(views=("audio", "image")),
    "pmmtalk-small-without-audio": _small(views=("text", "image")),
    "pmmtalk-small-without-image": _small(views=("audio", "text")),
    "pmmtalk-small-without-temporal": _small(("temporal",)),
    "pmmtalk-small-without-semantic": _small(("semantic",)),
    "pmmtalk-small-without-motion": _small(("motion",)),
    "pmmtalk": System(
        f"{NETWORKS}.pmmtalk.paper.network:PaperPMMTalk",
        f"{NETWORKS}.pmmtalk.paper.config:Config",
        plan=PAPER,
        data="clips",
        begin=f"{NETWORKS}.pmmtalk.paper.loading:begin",
    ),
}
"""How the networks of `WINDOWS` learn is ours: AdamW with decay, a gradient that is clipped, a rate that rises and
falls."""
ABLATIONS = tuple(name for name in SYSTEMS if name.startswith("pmmtalk-small-without-"))
RENAMED = {name.replace("-small", "-live"): name for name in SYSTEMS if name.startswith("pmmtalk-small")}
"""Names until version 0.1 -> names now: "pmmtalk-live" was the network of the tables, now it is the one that ships."""
MESHES = {"codetalker-vocaset": "VOCASET", "codetalker-biwi": "BIWI"}
"""CodeTalker at the sizes of its paper, which move a mesh: built to be counted, not trained."""


def system(name: str) -> System:
    """ModelError for a name that is not in the table."""
    if name not in SYSTEMS:
        raise ModelError(f"no network {name!r} to train, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def config_of(chosen: System, styles: Sequence[str], changes: Sequence[str] = ()) -> Any:
    """The config of a network.

    styles: names of the training subjects; a network of tracks has the styles of the tracks. changes: "key=value", the
    value as YAML has it. Raises ModelError.
    """
    known = ALL_STYLES if chosen.data == "tracks" else tuple(styles)
    return changed(_named(chosen.config)(styles=known, **chosen.preset), changes)


def network_of(chosen: System, config: Any) -> nn.Module:
    """The network with new weights. ModelError for a config whose sizes make none."""
    try:
        made: nn.Module = _named(chosen.network)(config)
    except UNBUILDABLE as error:
        raise ModelError(f"the config makes no network: {_line(error)}; check the sizes given by --set") from error
    if empty := [name for name, parameter in made.named_parameters() if not prod(parameter.shape)]:
        raise ModelError(
            f"the config makes no network: {empty[0]} would hold no number; check the sizes given by --set"
        )
    return made


def begin(chosen: System, network: nn.Module, folders: Sequence[str]) -> str:
    """Fill a new network, or parts of it, from folders; what to tell the user about parts that stay random for good, ""
    where all is well."""
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


def random_parts(name: str) -> dict[str, int]:
    """Parameters in each part of a network of its default size, with new weights that take no memory. Raises
    ModelError."""
    if name not in (*SYSTEMS, *MESHES):
        raise ModelError(f"no network {name!r} to build, expected one of {', '.join([*SYSTEMS, *MESHES])}")
    with torch.device("meta"):
        made = network_of(SYSTEMS[name], config_of(SYSTEMS[name], ("one",))) if name in SYSTEMS else _mesh(name)
    return parts_of(made)


def _mesh(name: str) -> nn.Module:
    from speech_to_face.networks.codetalker.mesh import config
    from speech_to_face.networks.codetalker.mesh.network import MeshCodeTalker

    return MeshCodeTalker(getattr(config, MESHES[name]))


def _line(error: Exception) -> str:
    """The first line of torch's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
