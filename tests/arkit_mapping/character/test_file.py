"""Presets, files over them, and the file to start from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import arkit_mapping
from arkit_mapping.character.character import Character, CharacterError, Head, Smoothing, load_character
from arkit_mapping.character.file import PRESETS, fields_of, read_yaml, starter

FOLDER = Path(arkit_mapping.__file__).parent / "character"


def character(text: str) -> Character:
    return Character(**fields_of(yaml.safe_load(text)))


def test_every_preset_has_its_file_and_every_file_is_a_preset() -> None:
    assert sorted(path.stem for path in (FOLDER / "presets").glob("*.yaml")) == sorted(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_smooths_nothing_unasked_and_leaves_every_channel_its_size(preset: str) -> None:
    made = character(f"preset: {preset}")
    assert (made.gain, made.offset, made.curve, made.limits, made.smoothing) == ({}, {}, {}, {}, {})


def test_presets_close_lips_as_their_receivers_do() -> None:
    assert {preset: character(f"preset: {preset}").closure for preset in PRESETS} == {
        "metahuman": "metahuman",
        "arkit": "arkit",
        "vrm": "arkit",
    }


def test_what_the_file_says_goes_over_its_preset_name_by_name() -> None:
    made = character("{preset: vrm, closure: auto, symmetry: {MouthSmile: 0}, head: {yaw: -1}}")
    assert made.closure == "auto"
    assert (made.symmetry["MouthSmile"], made.symmetry["BrowDown"]) == (0, 0.5)
    assert made.head == Head(yaw=-1)


def test_all_in_the_file_goes_over_everything_of_the_preset() -> None:
    assert set(character("{preset: vrm, symmetry: 0}").symmetry.values()) == {0.0}


def test_a_preset_is_not_changed_by_the_files_over_it() -> None:
    character("{preset: vrm, symmetry: 0, head: {yaw: -1}}")
    assert character("preset: vrm") == Character(closure="arkit", symmetry=character("symmetry: 0.5").symmetry)


def test_off_takes_a_channel_out_of_its_groups_smoothing() -> None:
    made = character("smoothing: {mouth: {min_cutoff_hz: 3, beta: 30}, JawOpen: off}")
    assert (made.smoothing["MouthPucker"], made.smoothing["JawOpen"]) == (Smoothing(3, 30), None)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_file_to_start_from_is_its_preset_and_nothing_else(preset: str) -> None:
    assert character(starter(preset)) == character(f"preset: {preset}")


def test_every_example_in_the_file_to_start_from_works_when_its_mark_is_taken_away(tmp_path: Path) -> None:
    marked = re.compile(r"^# (?=[a-z]+: )", re.MULTILINE)
    text = starter("arkit")
    keys = set(yaml.safe_load(marked.sub("", text)))
    assert keys == {"preset", "name", "gain", "offset", "curve", "limits", "smoothing", "symmetry", "closure", "head"}
    path = tmp_path / "ada.yaml"
    path.write_text(marked.sub("", text), encoding="utf-8")
    assert load_character(path).name == "Ada"


def test_a_file_to_start_from_on_no_known_preset_is_refused() -> None:
    with pytest.raises(CharacterError, match="preset: unknown name 'vmr', did you mean vrm?"):
        starter("vmr")


def test_a_date_that_does_not_exist_is_one_line_too(tmp_path: Path) -> None:
    path = tmp_path / "ada.yaml"
    path.write_text("name: 2024-13-01\n", encoding="utf-8")
    with pytest.raises(CharacterError, match="is not YAML: month must be"):
        read_yaml(path)
