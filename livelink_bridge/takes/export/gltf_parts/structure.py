"""Checks the structure of a glTF document before an animation is added: arrays of objects, valid indices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from livelink_bridge.errors import BridgeError

_ARRAYS = ("accessors", "animations", "bufferViews", "buffers", "images", "meshes", "nodes")


def check_structure(document: dict[str, Any], path: Path) -> None:
    """Check the parts of the document that this program uses.

    Parameters
    ----------
    document : parsed JSON
    path : for the message

    Raises
    ------
    BridgeError : names the first invalid entry
    """
    for key in _ARRAYS:
        entries = document.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BridgeError(f"{path} is damaged: its {key} are not a list of objects")
    for place, value, good in chain(_of_nodes(document), _of_meshes(document), _of_buffers(document)):
        if not good:
            raise BridgeError(f"{path} is damaged: got {place} {str(value)[:40]!r}")


def _of_nodes(document: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Yield (path of an entry, value, whether it is valid)."""
    for number, node in enumerate(document.get("nodes", [])):
        here = f"nodes[{number}]"
        yield f"{here}.mesh", node.get("mesh"), "mesh" not in node or _whole(node["mesh"])
        yield f"{here}.children", node.get("children"), _all(node.get("children", []), _whole)
        yield f"{here}.weights", node.get("weights"), _all(node.get("weights", []), _number)
        yield f"{here}.rotation", node.get("rotation"), "rotation" not in node or _quaternion(node["rotation"])


def _of_meshes(document: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    for number, mesh in enumerate(document.get("meshes", [])):
        here, primitives = f"meshes[{number}]", mesh.get("primitives", [])
        yield f"{here}.weights", mesh.get("weights"), _all(mesh.get("weights", []), _number)
        yield f"{here}.primitives", primitives, _all(primitives, lambda value: isinstance(value, dict))
        for at, primitive in enumerate(primitives):
            targets = primitive.get("targets", [])
            yield f"{here}.primitives[{at}].targets", targets, _all(targets, lambda value: isinstance(value, dict))


def _of_buffers(document: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    for number, buffer in enumerate(document.get("buffers", [])):
        yield f"buffers[{number}].byteLength", buffer.get("byteLength"), _whole(buffer.get("byteLength"))
        yield f"buffers[{number}].uri", buffer.get("uri"), isinstance(buffer.get("uri", ""), str)
    for number, view in enumerate(document.get("bufferViews", [])):
        yield f"bufferViews[{number}].buffer", view.get("buffer"), _whole(view.get("buffer"))
        yield f"bufferViews[{number}].byteOffset", view.get("byteOffset"), _whole(view.get("byteOffset", 0))
    for number, image in enumerate(document.get("images", [])):
        yield f"images[{number}].uri", image.get("uri"), isinstance(image.get("uri", ""), str)


def _all(values: Any, good: Any) -> bool:
    return isinstance(values, list) and all(good(value) for value in values)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _quaternion(value: Any) -> bool:
    return _all(value, _number) and len(value) == 4 and any(value)
