from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from speech_to_face.base import ModelError
from speech_to_face.config_file import load_config, save_config


@dataclass(frozen=True, slots=True)
class Sizes:
    width: int
    rate: float = 0.5
    space: Literal["motion", "shape"] = "motion"
    dilations: tuple[int, ...] = (1, 2)
    pairs: tuple[tuple[str, int], ...] = ()
    smooth: bool = False
    note: str | None = None
    parts: int = 1

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")
        assert self.width % self.parts >= 0


def written(path: Path, text: str) -> Path:
    (path / "config.yaml").write_text(text, encoding="utf-8")
    return path / "config.yaml"


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    sizes = Sizes(8, 0.25, "shape", (3,), (("äh", 1), ("b", 2)), True, "x")
    save_config(sizes, tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml", Sizes) == sizes


def test_a_key_that_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "width: 3"), Sizes) == Sizes(3)


def test_a_whole_number_serves_where_a_float_is_wanted(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "width: 3\nrate: 2"), Sizes).rate == 2


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("width: 3\ndepth: 1", "unknown key 'depth'"),
        ("rate: 1.0", "no width"),
        ("width: wide", "width has the wrong kind of value: 'wide'"),
        ("width: 1.5", "width has the wrong kind"),
        ("width: true", "width has the wrong kind"),
        ("width: 3\nrate: true", "rate has the wrong kind"),
        ("width: 3\nsmooth: 1", "smooth has the wrong kind"),
        ("width: 3\nspace: mesh", "space has the wrong kind"),
        ("width: 3\ndilations: 2", "dilations has the wrong kind"),
        ("width: 3\ndilations: [1, a]", "dilations has the wrong kind"),
        ("width: 3\npairs: [[a]]", "pairs has the wrong kind"),
        ("width: 3\nnote: 4", "note has the wrong kind"),
        ("width: 0", "width must be at least 1, got 0"),
        ("- width", "expected keys and values, got list"),
        ("width: [", "not a readable config.yaml"),
        ("width: 2001-99-99", "not a readable config.yaml (ValueError)"),
        ("width: " + "9" * 5000, "not a readable config.yaml (ValueError)"),
        ("width: 3\nparts: 0", "by zero"),
    ],
    ids=lambda text: text[:24],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_config(written(tmp_path, text), Sizes)
    message = str(caught.value)
    assert part in message and "config.yaml" in message and "\n" not in message


def test_a_list_that_aliases_made_huge_is_shown_by_its_beginning(tmp_path: Path) -> None:
    rows = [
        "&a [x, x, x, x, x, x, x, x]",
        *(f"&{new} [{', '.join(['*' + old] * 8)}]" for old, new in zip("abcdefg", "bcdefgh", strict=True)),
    ]
    with pytest.raises(ModelError, match="dilations has the wrong kind of value") as caught:
        load_config(written(tmp_path, "width: 3\ndilations:\n" + "".join(f"- {row}\n" for row in rows)), Sizes)
    assert len(str(caught.value)) < 500


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a readable config.yaml"):
        load_config(tmp_path / "config.yaml", Sizes)
