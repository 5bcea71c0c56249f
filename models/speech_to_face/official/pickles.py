"""Pickles of research corpora (templates.pkl, raw_audio_fixed.pkl, FLAME masks), read without running their contents.

A pickle is a program. This reader allows numpy arrays of numbers or text, dictionaries, lists, tuples, sets, text,
bytes and numbers, and stops at the first name of anything else, before it is imported. Networks are never read from
pickles here.
"""

from __future__ import annotations

import codecs
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from speech_to_face.base import ModelError

LARGEST = 8 * 2**30
"""Largest file that is read, in bytes; VOCASET's audio takes less than 2 GiB."""
KINDS = "biufSU"
"""Kinds of arrays: numbers and text. An array of objects could hold anything."""
_SAFE = (bool, int, float, complex, str, bytes, type(None), np.number, np.bool_, np.str_, np.bytes_)
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ImportError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    MemoryError,
    OverflowError,
    RecursionError,
    OSError,
    AssertionError,
)
"""Errors of reading a damaged pickle."""


def read_pickle(path: Path) -> Any:
    """The contents of `path`; text of Python 2 is decoded as Latin-1, as these corpora need. Raises ModelError for a
    file that is missing, damaged or too large, and for one with anything but plain values."""
    try:
        if path.stat().st_size > LARGEST:
            raise ModelError(f"pickle {path}: got {path.stat().st_size} bytes, expected at most {LARGEST}")
        with open(path, "rb") as file:
            value = _Plain(file, encoding="latin1").load()
    except _BROKEN as error:
        raise ModelError(
            f"pickle {path} cannot be read, expected plain values: {' '.join(str(error).split())}"
        ) from None
    _check(path, value)
    return value


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which plain values do not need; ask its maker for an .npz"
            )
        return _ALLOWED[module, name]()

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside itself")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How a pickle of protocol 2 writes bytes. Other codecs may unpack a small text into a huge one."""
    if codecs.lookup(encoding).name != "iso8859-1":
        raise pickle.UnpicklingError(f"it asks for the codec {encoding}")
    return text.encode("latin1")


def _reconstruct() -> Any:
    """numpy's own maker of arrays, wherever this numpy keeps it."""
    return np.zeros(0).__reduce__()[0]


def _frombuffer() -> Any:
    """The same, of protocol 5; it makes no arrays of objects."""
    return np.zeros(1).__reduce_ex__(5)[0]


def _scalar() -> Any:
    return np.float32(0).__reduce__()[0]


_ALLOWED: dict[tuple[str, str], Callable[[], Any]] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},
    ("numpy", "ndarray"): lambda: np.ndarray,
    ("numpy", "dtype"): lambda: np.dtype,
    ("_codecs", "encode"): lambda: _encode,
    ("builtins", "set"): lambda: set,
    ("__builtin__", "set"): lambda: set,
}
"""(module, name) as a pickle writes it -> what it gets."""


def _check(path: Path, root: Any) -> None:
    """ModelError unless all that was built is plain. Walks without recursion: depth is the file's choice."""
    seen: set[int] = set()
    left = [root]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            left += value
        elif not _plain(value):
            kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"{type(value).__name__}"
            raise ModelError(
                f"pickle {path}: got {kind}, expected numbers, text, and lists, dictionaries and arrays of them"
            )


def _plain(value: Any) -> bool:
    return value.dtype.kind in KINDS if isinstance(value, np.ndarray) else isinstance(value, _SAFE)
