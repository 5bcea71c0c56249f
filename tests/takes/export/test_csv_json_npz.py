"""Exports that keep every row: read back, and compared with what the app wrote."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import Take, read_take
from arkit_mapping.takes.edit import trim
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.takes.export import export_take
from livelink_bridge.takes.export.atomic import written
from livelink_bridge.takes.export.csv import write_csv
from livelink_bridge.testing.takes import app_take, face


def unreal_rate(path: Path) -> int:
    """What the importer of Unreal 5.4 takes the rate to be: 60 if any FF is above 30."""
    return 60 if any(float(line[9:15]) > 30 for line in path.read_text().splitlines()[1:]) else 30


@pytest.mark.parametrize("spelling", ["BlendShapeCount", "BlendshapeCount"])
@pytest.mark.parametrize("step", [1.001, 2.0])
def test_a_take_of_the_app_is_written_back_byte_for_byte(tmp_path, spelling, step):
    app_take(tmp_path / "app.csv", face(200, head=True), step=step, lost=range(50, 63), spelling=spelling)
    export_take(read_take(tmp_path / "app.csv"), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "app.csv").read_bytes().replace(
        spelling.encode(), b"BlendShapeCount", 1
    )


def test_a_take_over_midnight_is_written_back_byte_for_byte(tmp_path):
    times_s = 86399.5 + np.arange(90) / 60
    export_take(Take(face(90), times_s), tmp_path / "one.csv")
    export_take(read_take(tmp_path / "one.csv"), tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert "\n00:00:00:00.000," in (tmp_path / "one.csv").read_text()


@pytest.mark.parametrize("first", [0.0, 12.5, 29.9, 45.0])
def test_a_short_cut_ends_in_neutral_rows_until_importers_see_60_fps(tmp_path, first):
    export_take(Take(face(8), first / 60 + np.arange(8) / 60), tmp_path / "short.csv")
    take = read_take(tmp_path / "short.csv")
    assert unreal_rate(tmp_path / "short.csv") == 60
    np.testing.assert_allclose(take.values[:8], face(8), atol=1e-7)
    assert not take.values[8:].any()
    assert len(take.values) <= 32


def test_a_trimmed_part_of_an_app_take_has_its_rows_unchanged(tmp_path):
    app_take(tmp_path / "app.csv", face(200))
    take = read_take(tmp_path / "app.csv")
    export_take(trim(take, take.times_s[40], take.times_s[139]), tmp_path / "part.csv")
    lines = (tmp_path / "app.csv").read_text().splitlines()
    assert (tmp_path / "part.csv").read_text().splitlines()[1:] == lines[41:141]


def test_json_holds_names_times_from_the_first_row_and_values(tmp_path):
    times_s = app_take(tmp_path / "app.csv", face(70), lost=range(10, 20))
    export_take(read_take(tmp_path / "app.csv"), tmp_path / "take.json")
    found = json.loads((tmp_path / "take.json").read_text())
    assert (found["format"], found["version"], found["rate"], found["start"]) == (
        "livelink-bridge take",
        1,
        60,
        "19:55:16:26.689",
    )
    assert found["channels"] == list(CHANNELS_61)
    np.testing.assert_allclose([frame["t"] for frame in found["frames"]], times_s - times_s[0], atol=1e-6)
    np.testing.assert_allclose(
        [frame["values"] for frame in found["frames"]], np.delete(face(70), range(10, 20), axis=0), atol=1e-6
    )


def test_npz_is_read_without_pickle(tmp_path):
    app_take(tmp_path / "app.csv", face(70))
    take = read_take(tmp_path / "app.csv")
    export_take(take, tmp_path / "take.npz")
    with np.load(tmp_path / "take.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["values"], take.values)
        np.testing.assert_array_equal(found["times_s"], take.times_s)
        assert (int(found["rate"]), found["channels"].tolist()) == (60, list(CHANNELS_61))


@pytest.mark.parametrize("name", ["take.csv", "take.json", "take.npz", "take.glb"])
def test_what_exists_is_left_unless_forced(tmp_path, name):
    take = Take(face(40), np.arange(40) / 60)
    (tmp_path / name).write_text("mine")
    with pytest.raises(SinkError, match=f"{name} exists and was not changed; .*--force"):
        export_take(take, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"
    export_take(take, tmp_path / name, force=True)
    assert (tmp_path / name).stat().st_size > 1000
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["take.fbx", "take", "take.gltf"])
def test_an_unknown_ending_is_a_usage_error(tmp_path, name):
    with pytest.raises(UsageError, match="expected .csv, .json, .npz, .glb"):
        export_take(Take(face(2), np.arange(2) / 60), tmp_path / name)


def test_a_face_is_only_for_glb(tmp_path):
    with pytest.raises(UsageError, match="only for a .glb"):
        export_take(Take(face(2), np.arange(2) / 60), tmp_path / "take.csv", face=tmp_path / "face.glb")


def test_a_file_that_was_begun_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), written(tmp_path / "out.csv") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_a_name_that_is_taken_meanwhile_is_left(tmp_path):
    with pytest.raises(SinkError, match="exists"), written(tmp_path / "out.csv") as file:
        file.write(b"ours")
        (tmp_path / "out.csv").write_text("theirs")
    assert (tmp_path / "out.csv").read_text() == "theirs"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_folder_in_the_way_and_a_file_as_a_folder_are_one_line(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="is a folder"):
        export_take(Take(face(2), np.arange(2) / 60), tmp_path / "folder.csv", force=True)
    with pytest.raises(SinkError, match="cannot be written"):
        export_take(Take(face(2), np.arange(2) / 60), tmp_path / "file" / "out.csv")


def test_progress_runs_to_the_end():
    parts: list[float] = []
    write_csv(Take(face(2500), np.arange(2500) / 60), io.BytesIO(), parts.append)
    assert parts == pytest.approx([0.4, 0.8, 1.0])


def test_of_two_exports_of_one_name_at_once_one_is_refused_and_the_other_has_its_own_bytes(tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    with pytest.raises(SinkError, match="exists and was not changed"), written(out) as slow:
        slow.write(b"slow")
        with written(out) as quick:
            quick.write(b"quick")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.json", b"quick")]
