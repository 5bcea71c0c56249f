"""Maps the names of morph targets in a glTF document to ARKit shapes. Pure functions on parsed JSON.

Rules for one name (`shape_of`):

* The number of a copy at the end (`jawOpen.001`) is ignored.
* The remainder is split into words, at every character other than a letter or digit, between letters and digits, and
  before a capital: `head_lod0_mesh__jawOpen` is head, lod, 0, mesh, jaw, open. Letter case does not matter otherwise:
  `JAWOPEN` is one word, jawopen.
* A last word `l` or `r` means left or right.
* The name matches the shape whose own name is all of its words or the last of them: `jawOpen`, `Jaw_Open`,
  `A25_Jaw_Open`, `blendShape1.jawOpen`, `eyeBlink_L`. The words before are a prefix.
* A prefix that contains another shape's name makes a combination, which is not a shape: `mouthSmile_jawOpen`.

Among the targets of one mesh (`shapes_of`) a shape is found once: a name without a copy's number wins, then the shorter
prefix. If two match equally well (`lod0_jawOpen`, `lod1_jawOpen`), neither is used (`unclear`).

Names are read from where exporters write them (`target_names`): `mesh.extras.targetNames`,
`primitives[].extras.targetNames`, or the `name` of the targets' accessors; of the three, the one that names most
shapes. A target that two primitives name differently has no name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from arkit_mapping.channels import ARKIT_52, SHAPE_COUNT

Document = Mapping[str, Any]
"""A glTF document, as parsed from JSON; nothing in it is trusted."""

_COPY = re.compile(r"\.\d{3,}$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SIDES = {"l": "left", "r": "right"}
_SHAPES = {name.lower(): name for name in ARKIT_52[:SHAPE_COUNT]}
_LONGEST_NAME = 256
"""Characters; longer names match no shape."""


def _combined() -> frozenset[str]:
    """Shape names as they appear in combinations: complete, or without the side if at least two words remain."""
    sideless = (re.sub("(Left|Right)$", "", name) for name in _SHAPES.values())
    return frozenset(_SHAPES) | {name.lower() for name in sideless if not name.islower()}


_COMBINED = _combined()


def shape_of(name: str) -> str | None:
    """The ARKit shape that a morph target's name matches, such as `jawOpen`; None if it matches none."""
    found = _matched(name)
    return found[0] if found else None


def shapes_of(names: Sequence[str]) -> tuple[str | None, ...]:
    """The ARKit shape of each target of one mesh, each shape at most once; None for the others."""
    best = {shape: places[0] for shape, places in _best(names).items() if len(places) == 1}
    at = {place: shape for shape, place in best.items()}
    return tuple(at.get(place) for place in range(len(names)))


def unclear(names: Sequence[str]) -> dict[str, list[str]]:
    """Shapes that several targets of one mesh match equally well, with the names of those targets."""
    return {shape: [names[place] for place in places] for shape, places in _best(names).items() if len(places) > 1}


def find_shapes(document: Document) -> dict[str, list[tuple[int, int]]]:
    """ARKit shape -> (mesh, index of the morph target) for every mesh that has it, in document order."""
    found: dict[str, list[tuple[int, int]]] = {}
    for mesh in range(len(_list(document, "meshes"))):
        for target, shape in enumerate(shapes_of(target_names(document, mesh))):
            if shape is not None:
                found.setdefault(shape, []).append((mesh, target))
    return found


def target_names(document: Document, mesh: int) -> list[str]:
    """The names of all morph targets of a mesh; "" for a target without a name. Empty for a mesh without targets."""
    entry = _dict(_at(_list(document, "meshes"), mesh))
    primitives = [_dict(primitive) for primitive in _list(entry, "primitives")]
    count = max((len(_list(primitive, "targets")) for primitive in primitives), default=0)
    of_mesh = _sized(_list(_dict(entry.get("extras")), "targetNames"), count)
    of_primitives = _agreed([_list(_dict(primitive.get("extras")), "targetNames") for primitive in primitives], count)
    of_accessors = _agreed([_accessor_names(document, primitive) for primitive in primitives], count)
    return max((of_mesh, of_primitives, of_accessors), key=lambda names: (_shape_count(names), any(names)))


def names_seen(document: Document) -> list[str]:
    """All names of morph targets in the document, each once, in order; for messages about unknown names."""
    meshes = range(len(_list(document, "meshes")))
    return list(dict.fromkeys(name for mesh in meshes for name in target_names(document, mesh) if name))


def _matched(name: str) -> tuple[str, tuple[bool, int]] | None:
    """The shape and the distance of the name from it: whether it is a copy, and the number of words before it."""
    if len(name) > _LONGEST_NAME:
        return None
    plain = _COPY.sub("", name)
    words = [word.lower() for word in _WORD.findall(plain)]
    if words and words[-1] in _SIDES:
        words[-1] = _SIDES[words[-1]]
    for start in range(len(words)):
        shape = _SHAPES.get("".join(words[start:]))
        if shape is not None:
            return None if _holds_shape(words[:start]) else (shape, (plain != name, start))
    return None


def _holds_shape(words: Sequence[str]) -> bool:
    spans = ((start, end) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return any("".join(words[start:end]) in _COMBINED for start, end in spans)


def _best(names: Sequence[str]) -> dict[str, list[int]]:
    """For each shape the indices of the targets with the nearest names."""
    found: dict[str, tuple[tuple[bool, int], list[int]]] = {}
    for place, name in enumerate(names):
        match = _matched(name)
        if match is None:
            continue
        shape, distance = match
        known, places = found.get(shape, (distance, []))
        if distance < known:
            known, places = distance, []
        found[shape] = (known, [*places, place] if distance == known else places)
    return {shape: places for shape, (_, places) in found.items()}


def _shape_count(names: Sequence[str]) -> int:
    return sum(shape is not None for shape in shapes_of(names))


def _accessor_names(document: Document, primitive: Document) -> list[Any]:
    """The first name among each target's accessors, POSITION's before others."""
    accessors = _list(document, "accessors")

    def named(target: Any) -> Iterator[str]:
        numbers = _dict(target)
        for attribute in sorted(numbers, key=lambda attribute: attribute != "POSITION"):
            name = _dict(_at(accessors, numbers[attribute])).get("name")
            if isinstance(name, str):
                yield name

    return [next(named(target), "") for target in _list(primitive, "targets")]


def _agreed(lists: Sequence[Sequence[Any]], count: int) -> list[str]:
    """Merge the names of several primitives: "" where two of them differ."""
    sized = [_sized(names, count) for names in lists]
    at_each = ({names[place] for names in sized} - {""} for place in range(count))
    return [names.pop() if len(names) == 1 else "" for names in at_each]


def _sized(names: Sequence[Any], count: int) -> list[str]:
    return [name if isinstance(name, str) else "" for name in (*names, *[""] * count)][:count]


def _list(of: Document, key: str) -> list[Any]:
    value = of.get(key)
    return value if isinstance(value, list) else []


def _dict(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def _at(values: Sequence[Any], number: Any) -> Any:
    return values[number] if isinstance(number, int) and 0 <= number < len(values) else None
