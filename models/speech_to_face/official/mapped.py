"""A public checkpoint under our names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Mapped:
    """One public checkpoint, renamed; see `speech_to_face.official.convert`.

    Each system's `official.py` has `recognised(state: dict[str, Tensor]) -> bool`, which looks at names only, and
    `mapped(state: dict[str, Tensor]) -> Mapped`, which raises ModelError for a key that it needs and does not find or
    for a shape that cannot be; `state` is what the file held, already without an outer {"state_dict": ...}.
    """

    system: str
    """`system` of the config.yaml to be written, one of `speech_to_face.loading.SYSTEMS` or the name of a part, such as
    "wav2lip"."""
    config: dict[str, Any]
    """The rest of config.yaml: the sizes, as read from the tensors' shapes."""
    tensors: dict[str, Tensor]
    """Our name -> tensor, contiguous; what model.safetensors will hold."""
    unmapped: tuple[str, ...] = ()
    """Names in the file that were not used: an optimiser's, buffers that are computed, heads that are not used here."""
