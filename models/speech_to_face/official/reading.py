"""Reads the file of a public checkpoint without running any code in it."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speech_to_face.base import ModelError
from speech_to_face.checkpoint import LARGEST_BYTES

if TYPE_CHECKING:
    from torch import Tensor

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Keys under which training programs keep a state dict beside their optimiser."""


def read_state(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a safetensors or PyTorch file by name, out of any wrapper; and its other contents, by name.

    Raises ModelError for a file that is absent, too large, of another format, or that holds more than tensors and plain
    values.
    """
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file; expected a checkpoint as its authors publish it, such as .safetensors, .pth or .bin"
        )
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelError(f"{path}: {path.stat().st_size} bytes, more than a checkpoint may have ({LARGEST_BYTES})")
    held = _safetensors(path) if path.suffix == ".safetensors" else _torch_file(path)
    if not isinstance(held, dict):
        raise ModelError(f"{path}: holds {type(held).__name__}, expected tensors by name")
    return _tensors_of(held, path)


def _safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error})") from error


def _torch_file(path: Path) -> Any:
    """Never anything but `weights_only=True`: PyTorch's own unpickler, which knows tensors and plain values and calls
    nothing else."""
    import torch

    with torch.serialization.safe_globals(_numpy_numbers()), path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickle protocols: what cannot be read is an error anyway
        is_zip = file.read(4) == b"PK\x03\x04"  # older files cannot be mapped into memory
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
        except pickle.UnpicklingError as error:
            why = f"it holds more than numbers{_named(error)}"
            raise ModelError(f"{path}: not loaded, since {why}; ask its authors for safetensors") from error
        except (OSError, RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise ModelError(f"{path}: not a readable PyTorch file ({' '.join(str(error).split())[:120]})") from error


def _named(error: Exception) -> str:
    """The name that the file tried to call, if the unpickler gives it."""
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f" (it calls {found[1]})" if found else ""


def _numpy_numbers() -> list[Any]:
    """Constructors of NumPy scalars in training checkpoints, such as a best score: number types only."""
    import numpy as np

    kinds = [
        getattr(np.dtypes, name) for name in ("Float64DType", "Float32DType", "Int64DType", "Int32DType", "BoolDType")
    ]
    scalar: Any = np.float64(0).__reduce__()[0]
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds]


def _tensors_of(held: dict[Any, Any], path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    import torch

    inner = next((key for key in WRAPPERS if isinstance(held.get(key), dict)), None)
    state = held if inner is None else held[inner]
    rest = [str(key) for key in held if key != inner] if inner is not None else []
    tensors = {str(key): value for key, value in state.items() if isinstance(value, torch.Tensor)}
    rest += [str(key) for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if not tensors:
        raise ModelError(f"{path}: no tensors by name in it, only {', '.join(map(str, list(held)[:5])) or 'nothing'}")
    return tensors, tuple(rest)


def check_finite(tensors: dict[str, Tensor], path: Path) -> None:
    """Raises ModelError for the first tensor, by name, with numbers that are not finite."""
    import torch

    for name in sorted(tensors):
        if tensors[name].is_floating_point() and not bool(torch.isfinite(tensors[name]).all()):
            raise ModelError(f"{path}: {name} has numbers that are not finite; the file is damaged, fetch it again")


@contextmanager
def tried(path: Path) -> Iterator[None]:
    """Turn the errors of a mapping into one line about the file."""
    try:
        yield
    except (KeyError, ValueError, RuntimeError, IndexError) as error:
        raise ModelError(
            f"{path}: not laid out as expected ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        ) from error
