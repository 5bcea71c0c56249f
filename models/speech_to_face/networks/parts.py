"""How many parameters each part of a network has."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from speech_to_face import checkpoint
from speech_to_face.base import ModelError

if TYPE_CHECKING:
    from torch import nn


def stored_parts(folder: Path) -> dict[str, int]:
    """Numbers in each part of a checkpoint, read from the header of its weights file alone. Raises ModelError for a
    damaged one."""
    from safetensors import SafetensorError, safe_open

    path = folder / checkpoint.WEIGHTS
    try:
        with safe_open(path, "numpy") as stored:
            return _by_part((name, prod(stored.get_slice(name).get_shape())) for name in stored.keys())  # noqa: SIM118  (no mapping)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error}); install the model again") from error


def parts_of(network: nn.Module) -> dict[str, int]:
    """Parameters in each part of a network; buffers are not counted."""
    return _by_part((key, parameter.numel()) for key, parameter in network.named_parameters())


def _by_part(sizes: Iterable[tuple[str, int]]) -> dict[str, int]:
    """A part is the text before the first dot of a name; parts keep their order."""
    found: dict[str, int] = {}
    for name, size in sizes:
        part = name.partition(".")[0]
        found[part] = found.get(part, 0) + size
    return found
