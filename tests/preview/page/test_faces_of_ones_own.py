"""Faces that are dropped onto the page are shown and move, whatever program stored them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from animator import Served, glb
from faces import Z_UP, perfect_sync, renamed, skinned, small_face, textured, under
from gltf_checks import rewritten
from page_tab import LOUD, QUIET, Tab, apart

from arkit_mapping.channels import ARKIT_52


def test_a_face_of_ones_own_is_shown_and_what_it_lacks_is_listed(tab: Tab) -> None:
    tab.seek(LOUD)
    ours = tab.picture()
    tab.drop("square.glb", glb(tuple(name for name in ARKIT_52 if name not in ("cheekPuff", "tongueOut"))))
    assert "cheekPuff, tongueOut" in tab.sentence("lacks 2 of the 52")
    tab.page.wait_for_function("() => document.querySelector('#face').studio.morphs.found.size === 50")
    assert apart(ours, tab.picture()) > 0.05
    opened = tab.picture()
    tab.seek(QUIET)
    assert apart(opened, tab.picture()) > 0.005
    tab.page.locator("#built-in").click()
    tab.page.wait_for_function("() => document.querySelector('#face').studio.morphs.found.size === 52")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("armature.glb", under(0.01, Z_UP)),
        ("tiny.glb", under(0.0001)),
        ("huge.glb", under(1000.0)),
        ("skinned.glb", skinned(0.01)),
        ("prefixed.glb", renamed("head_lod0_mesh__{}".format)),
        ("old.vrm", perfect_sync(0)),
    ],
)
def test_a_face_of_any_scale_turn_and_skin_is_seen_as_the_same_face_and_moves(tab: Tab, name: str, change: Any) -> None:
    tab.seek(LOUD)
    ours = tab.picture()
    tab.drop(name, small_face(change))
    tab.page.wait_for_selector("#built-in:visible")
    tab.page.wait_for_function("() => !document.querySelector('#face').studio.shown.endsWith('/own')")
    opened = tab.picture()
    assert (opened[..., 3] > 128).mean() > 0.15, "it fills its part of the stage"
    assert apart(ours, opened) < 0.03
    tab.seek(QUIET)
    assert apart(opened, tab.picture()) > 0.005
    tab.page.locator("#built-in").click()
    tab.page.wait_for_function("() => document.querySelector('#face').studio.shown === '/session/face/own'")


@pytest.mark.parametrize("kind", ["draco", "meshopt", "ktx2"])
def test_a_compressed_face_is_shown_with_decoders_of_this_package(
    tab: Tab, served: Served, tmp_path: Path, kind: str
) -> None:
    face = tmp_path / "face.glb"
    face.write_bytes(small_face(textured) if kind == "ktx2" else small_face())
    if kind != "ktx2":
        face = rewritten(face, tmp_path / "packed.glb", kind)
    tab.seek(LOUD)
    ours, asked = tab.picture(), list[str]()
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.drop(f"{kind}.glb", face.read_bytes())
    tab.page.wait_for_function("() => !document.querySelector('#face').studio.shown.endsWith('/own')")
    opened = tab.picture()
    if kind == "ktx2":
        skin = opened[opened[..., 3] > 128].mean(0)
        assert skin[1] > 1.5 * skin[0] and skin[1] > 1.5 * skin[2], "the picture is green"
    else:
        assert apart(ours, opened) < 0.03
    tab.seek(QUIET)
    assert apart(opened, tab.picture()) > 0.002
    assert kind == "meshopt" or any("/decoders/" in url for url in asked), (
        "Meshopt's decoder is in the module that Draco's came with"
    )
    assert [url for url in asked if not url.startswith((served.url, "blob:", "data:"))] == [], (
        "nothing of it comes from elsewhere"
    )
    tab.page.locator("#built-in").click()
    tab.page.wait_for_function("() => document.querySelector('#face').studio.shown === '/session/face/own'")
