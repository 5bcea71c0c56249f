"""Tables of takes as other tools and spreadsheets write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cases import case

from arkit_mapping.channels import index_of
from arkit_mapping.takes.csv import TakeError, read_take, write_take
from livelink_bridge.testing.takes import face


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    write_take(tmp_path / "ours.csv", face(60, head=True))
    return (tmp_path / "ours.csv").read_text().splitlines()


def columns(lines: list[str], without: str) -> list[str]:
    gone = [name.lower() for name in lines[0].split(",")].index(without.lower())
    return [",".join(cell for at, cell in enumerate(line.split(",")) if at != gone) for line in lines]


WAYS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "separators at line ends": (lambda lines: [line + "," for line in lines], "separators at line ends"),
    "several of them, in the rows alone": (
        lambda lines: [lines[0], *(line + ",,," for line in lines[1:])],
        "separators at line ends",
    ),
    "semicolons": (lambda lines: [line.replace(",", ";") for line in lines], "cells separated by semicolons"),
    "tabs": (lambda lines: [line.replace(",", "\t") for line in lines], "cells separated by tabs"),
    "semicolons and decimal commas": (
        lambda lines: [line.replace(",", ";").replace(".", ",") for line in lines],
        "cells separated by semicolons and decimal commas",
    ),
    "quotes": (lambda lines: [",".join(f'"{cell}"' for cell in line.split(",")) for line in lines], "cells in quotes"),
    "quoted decimal commas": (
        lambda lines: [
            lines[0],
            *(",".join(f'"{cell.replace(".", ",")}"' for cell in line.split(",")) for line in lines[1:]),
        ],
        "cells in quotes and decimal commas",
    ),
    "spaces": (lambda lines: [line.replace(",", " , ") for line in lines], ""),
}


def test_the_values_are_the_same_however_they_are_written(tmp_path: Path, lines: list[str]) -> None:
    for encoding in ["utf-8", "utf-8-sig"]:
        for ending in ["\n", "\r\n"]:
            for change, said in WAYS.values():
                with case(change, said, ending, encoding):
                    (tmp_path / "other.csv").write_bytes(ending.join([*change(lines), ""]).encode(encoding))
                    take = read_take(tmp_path / "other.csv")
                    np.testing.assert_array_equal(take.values, read_take(tmp_path / "ours.csv").values)
                    np.testing.assert_allclose(take.times_s, np.arange(60) / 60, atol=1e-9)
                    assert take.said == (f"it has {said}" if said else "")


def test_a_semicolon_before_ff_is_no_separator(tmp_path: Path, lines: list[str]) -> None:
    rows = [
        f"10:00:{at // 30:02};{at % 30:02};" + line.split(",", 1)[1].replace(",", ";")
        for at, line in enumerate(lines[1:])
    ]
    (tmp_path / "other.csv").write_text("\n".join([lines[0].replace(",", ";"), *rows]))
    take = read_take(tmp_path / "other.csv")
    assert take.counts == "29.97df"
    np.testing.assert_array_equal(take.values, read_take(tmp_path / "ours.csv").values)


def test_of_51_shapes_the_tongue_is_0_and_said_once(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "51.csv").write_text("\n".join(columns(lines, "TongueOut")))
    take = read_take(tmp_path / "51.csv")
    assert not take.values[:, index_of("TongueOut")].any()
    np.testing.assert_array_equal(
        np.delete(take.values, index_of("TongueOut"), 1),
        np.delete(read_take(tmp_path / "ours.csv").values, index_of("TongueOut"), 1),
    )
    assert take.said == "it has no column TongueOut, which is 0 then"


def test_any_other_shape_that_is_missing_is_named(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "50.csv").write_text("\n".join(columns(columns(lines, "TongueOut"), "CheekPuff")))
    with pytest.raises(TakeError, match=r"no column CheekPuff \(2 of 52 blend shapes are missing\)"):
        read_take(tmp_path / "50.csv")


def test_decimal_commas_between_commas_are_one_line_that_says_so(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "other.csv").write_text("\n".join([lines[0], *(line.replace(".", ",") for line in lines[1:])]))
    with pytest.raises(
        TakeError, match="line 2: got 125 cells, expected 63 as in the header; are they decimal commas?"
    ):
        read_take(tmp_path / "other.csv")
