"""The sheets of the face: which poses they show, that a browser draws them, and what is said where it cannot."""

from __future__ import annotations

import importlib.util
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arkit_mapping.channels import ARKIT_52
from livelink_bridge.errors import BridgeError
from make_face import contact_sheet

DOCS = Path(__file__).parents[2] / "docs"


def test_the_targets_sheet_shows_rest_and_each_of_the_52_at_full_weight_with_lips_closed_over_an_open_jaw() -> None:
    rest, *cells = contact_sheet.targets()
    assert rest["weights"] == {}
    assert [next(iter(cell["weights"])) for cell in cells] == list(ARKIT_52)
    assert all(set(cell["weights"].values()) == {1.0} for cell in cells)
    assert next(cell["weights"] for cell in cells if "mouthClose" in cell["weights"]) == {
        "mouthClose": 1.0,
        "jawOpen": 1.0,
    }


def test_the_visemes_sheet_shows_what_the_networks_are_taught() -> None:
    cells = {cell["name"]: cell["weights"] for cell in contact_sheet.visemes()}
    assert len(cells) == len(contact_sheet.VISEMES) >= 14
    assert (
        cells["ah  father"]["jawOpen"] > 0.3
        and cells["oo  food"]["mouthPucker"] > 0.3
        and cells["th  thin"]["tongueOut"] > 0.3
    )


@pytest.mark.parametrize("name", ["face_targets.jpg", "face_visemes.jpg"])
def test_the_sheets_of_the_documentation_are_modest(name: str) -> None:
    assert 50_000 < (DOCS / name).stat().st_size < 500_000


@pytest.mark.skipif(not any(map(shutil.which, contact_sheet.BROWSERS)), reason="no Chromium here to draw with")
@pytest.mark.skipif(
    importlib.util.find_spec("nicegui") is None, reason="nicegui carries three.js; it comes with the extra 'preview'"
)
def test_a_browser_draws_the_face_and_the_open_mouth_is_darker_than_the_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_sheet, "PATIENCE_S", 50.0)
    cells = [
        {"name": "rest", "weights": {}, "view": "close"},
        {"name": "open", "weights": {"jawOpen": 0.7}, "view": "close"},
    ]
    picture = contact_sheet.render(cells, columns=2, pixels=96, form="image/png")
    light = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), float)
    rest, opened = light[4:100, 4:100], light[4:100, 104:200]
    assert rest.std() > 5
    assert (opened[40:75, 36:60] < 60).mean() > (rest[40:75, 36:60] < 60).mean() + 0.1


def test_without_a_browser_it_says_which_ones_were_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BridgeError, match="no browser to draw with: none of chromium, .* is installed"):
        contact_sheet.browser()


def test_without_nicegui_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BridgeError, match="pip install nicegui"):
        contact_sheet.three()
