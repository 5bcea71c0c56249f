"""Faces that cannot be animated: one line that names the file and the fault, and no file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gltf_faces import as_gltf, two_materials, unknown_names, written

from arkit_mapping.takes.csv import Take, write_take
from livelink_bridge import cli
from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export import export_take
from livelink_bridge.takes.export.gltf import animated_face

Change = Callable[[dict[str, Any]], object]


def far(document: dict[str, Any]) -> None:
    document["buffers"][0]["uri"] = "https://example.com/face.bin"


def above(document: dict[str, Any]) -> None:
    document["buffers"][0]["uri"] = "../face.bin"


def unequal(document: dict[str, Any]) -> None:
    two_materials(document)
    document["meshes"][0]["primitives"][1] = document["meshes"][0]["primitives"][1] | {"targets": []}


REFUSED: dict[str, tuple[Change, str]] = {
    "a file on the network": (far, "expected files in its own folder"),
    "a file outside of the folder": (above, "expected files in its own folder"),
    "a buffer that is not there": (
        lambda document: document["buffers"][0].update(uri="none.bin"),
        "none.bin', which cannot be read: No",
    ),
    "a buffer too short": (
        lambda document: document["buffers"][0].update(byteLength=10**9),
        "is cut off: buffer 0 has",
    ),
    "a buffer without data": (
        lambda document: document["buffers"].append({"byteLength": 4}),
        "has no data for its buffer 1",
    ),
    "base64 that is none": (
        lambda document: document["buffers"][0].update(uri="data:;base64,%%%"),
        "cannot be decoded",
    ),
    "a picture of no kind": (
        lambda document: document["images"].append({"uri": "face.bin"}),
        "'face.bin' of an unknown format",
    ),
    "a file of an extension": (
        lambda document: document.update(extensions={"X_sound": {"uri": "a.mp3"}}),
        "of an extension in 'a.mp3'",
    ),
    "parts unlike each other": (unequal, "'Face' have 0 and 52 morph targets"),
    "names of no shape": (unknown_names, r"it has 'Fcl_0\\n', .*'Fcl_7\\n' and 44 more$"),
    "names nowhere": (lambda document: document["meshes"][0].pop("extras"), "it names no morph targets at all"),
    "a number too large": (
        lambda document: document.update(extras=float("inf")),
        "Infinity is not a number that JSON can represent",
    ),
    "another version": (lambda document: document["asset"].update(version="1.0"), "is glTF 1.0, expected 2.0"),
    "a mesh shown by no node": (lambda document: document["nodes"].pop(), "no node shows them"),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_one_line_and_no_file(tmp_path, take, mask, change, reason):
    path = as_gltf(mask, tmp_path / "in")
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(BridgeError, match=reason) as caught:
        export_take(take, tmp_path / "out.glb", face=path)
    assert "\n" not in str(caught.value) and "face.gltf" in str(caught.value)
    assert {file.name for file in tmp_path.iterdir()} == {"in", "mask.glb"}


def test_so_many_targets_that_no_program_could_hold_the_take_are_refused(tmp_path, mask):
    targets = mask.document["meshes"][0]["primitives"][0]["targets"]
    mask.document["meshes"][0]["primitives"][0]["targets"] = targets * 400
    hour = Take(np.zeros((20_000, 61), np.float32), np.arange(20_000) / 60, 60)
    with pytest.raises(BridgeError, match="would need 1586 MB .*trim the take"):
        animated_face(hour, written(mask, tmp_path / "face.glb"))


def test_the_command_says_it_in_one_line_with_exit_code_1(tmp_path, take, mask, capsys):
    write_take(tmp_path / "take.csv", take.values)
    unknown_names(mask.document)
    path = written(mask, tmp_path / "face.glb")
    assert (
        cli.run(["takes", "export", str(tmp_path / "take.csv"), "-o", str(tmp_path / "out.glb"), "--face", str(path)])
        == 1
    )
    said = capsys.readouterr()
    assert len(said.err.strip().splitlines()) == 1 and "'Fcl_7\\n' and 44 more" in said.err
    assert not (tmp_path / "out.glb").exists()


NONSENSE: tuple[Any, ...] = (None, -1, 10**9, 1.5, "x", [], [7], {}, {"a": None}, True, [[]], "data:,", "../x")


@pytest.mark.parametrize("seed", range(20))
def test_nonsense_anywhere_in_the_document_is_taken_or_one_line(tmp_path, take, mask, seed):
    dice = random.Random(seed)
    path = as_gltf(mask, tmp_path / "in")
    whole = path.read_text()
    for _ in range(30):
        document = json.loads(whole)
        replace_somewhere(document, dice)
        path.write_text(json.dumps(document))
        try:
            content, _ = animated_face(take, path)
        except BridgeError as error:
            assert "\n" not in str(error) and "face.gltf" in str(error)
        else:
            assert content[:4] == b"glTF"


def replace_somewhere(document: Any, dice: random.Random) -> None:
    """Put nonsense in the place of one value, deep or not."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = dice.choice(keys)
        inner = document[key]
        if not isinstance(inner, (dict, list)) or not inner or dice.random() < 0.3:
            document[key] = dice.choice(NONSENSE)
            return
        document = inner
