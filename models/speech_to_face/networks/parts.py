"""How many parameters each part of a network has, of a checkpoint or of a network with new weights."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from speech_to_face import checkpoint
from speech_to_face.base import ModelError

if TYPE_CHECKING:
    from torch import nn

MESHES = {"codetalker-vocaset": "VOCASET", "codetalker-biwi": "BIWI"}
"""CodeTalker at the sizes of its paper, which move a mesh."""
STYLES = ("one",)
"""A network with new weights knows one way of speaking besides the unknown speaker's."""


def stored_parts(folder: Path) -> dict[str, int]:
    """Numbers in each part of a checkpoint, read from the head of its weights file alone. Raises ModelError for one
    that is damaged."""
    from safetensors import SafetensorError, safe_open

    path = folder / checkpoint.WEIGHTS
    try:
        with safe_open(path, "numpy") as stored:
            return _by_part((name, prod(stored.get_slice(name).get_shape())) for name in stored.keys())  # noqa: SIM118  (no mapping)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error}); install the model again") from error


def random_names() -> list[str]:
    """Names of the networks that `random_parts` builds."""
    from speech_to_face_lab.training.program.systems import SYSTEMS

    return [*SYSTEMS, *MESHES]


def random_parts(name: str) -> dict[str, int]:
    """Parameters in each part of a network of its default size, with new weights that take no memory. Raises
    ModelError."""
    import torch

    from speech_to_face_lab.training.program.systems import SYSTEMS, config_of, network_of

    if name not in random_names():
        raise ModelError(f"no network {name!r} to build, expected one of {', '.join(random_names())}")
    with torch.device("meta"):
        network = network_of(SYSTEMS[name], config_of(SYSTEMS[name], STYLES)) if name in SYSTEMS else _mesh(name)
    return parts_of(network)


def parts_of(network: nn.Module) -> dict[str, int]:
    """Parameters in each part of a network; buffers are not counted."""
    return _by_part((key, parameter.numel()) for key, parameter in network.named_parameters())


def _mesh(name: str) -> nn.Module:
    from speech_to_face.networks.codetalker.mesh import config
    from speech_to_face.networks.codetalker.mesh.network import MeshCodeTalker

    return MeshCodeTalker(getattr(config, MESHES[name]))


def _by_part(sizes: Iterable[tuple[str, int]]) -> dict[str, int]:
    """A part is what stands before the first dot of a name; parts in the order in which they come."""
    found: dict[str, int] = {}
    for name, size in sizes:
        part = name.partition(".")[0]
        found[part] = found.get(part, 0) + size
    return found
