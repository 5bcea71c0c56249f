"""`takes` from outside: what each command writes and says."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import typer

from arkit_mapping.channels import index_of
from arkit_mapping.takes.csv import TakeError, read_take, write_take
from livelink_bridge.commands.files import takes
from livelink_bridge.errors import BridgeError, SinkError, UsageError
from livelink_bridge.testing.takes import app_folder, app_take, face

JAW, BLINK = index_of("JawOpen"), index_of("EyeBlinkLeft")


def say(*arguments: object) -> int:
    """Run `takes ...` as the program does; whatever is wrong is raised."""
    command = typer.main.get_command(takes.build())
    return int(
        command.main(args=[str(argument) for argument in arguments], prog_name="takes", standalone_mode=False) or 0
    )


@pytest.fixture
def app(tmp_path):
    """A take of the app's: 120 rows without 20 to 39."""
    app_take(tmp_path / "S_1_Anna.csv", face(120), first=0.0, step=1.0, lost=range(20, 40))
    return tmp_path / "S_1_Anna.csv"


def test_list_shows_each_take_and_what_is_wrong_with_one(tmp_path, capsys, monkeypatch, app):
    monkeypatch.setenv("COLUMNS", "200")
    app_folder(tmp_path, face(240), take=7)
    soundfile.write(tmp_path / "S_1_Anna.wav", np.zeros(10), 8000)
    (tmp_path / "T_2_[red]Bob.csv").write_text("hello\n")
    assert say("list", tmp_path) == 0
    out = capsys.readouterr().out
    lines = {line.split()[1]: line.split() for line in out.splitlines()[1:]}
    assert lines["1"] == ["S", "1", "Anna", "0:02.0", "60", "1,", "0.3", "s", "wav", "S_1_Anna.csv"]
    assert lines["7"][:8] == [
        "MySlate",
        "7",
        "iPhone",
        "0:04.0",
        "60",
        "none",
        "no",
        "20241204_MySlate_7/MySlate_7_iPhone_cal.csv",
    ]
    assert lines["2"][:3] == ["T", "2", "[red]Bob"]
    assert "T_2_[red]Bob.csv: line 1: got 'hello', expected the header of a take" in out


def test_takes_alone_is_one_line():
    with pytest.raises(typer.BadParameter.__base__, match="Missing command"):
        say()


def test_list_of_a_folder_without_takes_is_one_line(tmp_path):
    with pytest.raises(TakeError, match="holds no take"):
        say("list", tmp_path)


def test_check_passes_a_take_of_ours_and_fails_one_with_an_empty_cell(tmp_path, capsys):
    write_take(tmp_path / "ours.csv", face(120))
    assert say("check", tmp_path / "ours.csv") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'ours.csv'}: imports as meant"
    lines = (tmp_path / "ours.csv").read_text().splitlines()
    lines[9] = lines[9].rsplit(",", 1)[0] + ","
    (tmp_path / "bad.csv").write_text("\n".join(lines))
    with pytest.raises(BridgeError, match="1 of 2 takes will not import as meant"):
        say("check", tmp_path / "ours.csv", tmp_path / "bad.csv")
    out = capsys.readouterr().out
    assert f"{tmp_path / 'bad.csv'}:10: error: " in out
    assert out.splitlines()[-1].startswith(f"{tmp_path / 'bad.csv'}: 1 error")


def test_trim_keeps_rows_and_timecode_and_names_a_moment_either_way(tmp_path, capsys, app):
    assert say("trim", app, "-o", tmp_path / "part.csv", "--start", "1", "--end", "19:55:17:50") == 0
    assert (tmp_path / "part.csv").read_text().splitlines()[1:] == app.read_text().splitlines()[41:92]
    assert capsys.readouterr().out == f"{tmp_path / 'part.csv'}: 51 rows, 0.83 s at 60 a second from 19:55:17:00.000\n"


def test_resample_fills_in_what_is_missing(tmp_path, app):
    assert say("resample", app, "-o", tmp_path / "even.csv", "--rate", "60") == 0
    even = read_take(tmp_path / "even.csv")
    np.testing.assert_allclose(np.diff(even.times_s), 1 / 60, atol=1e-4)
    assert len(even.values) == 120
    assert say("resample", app, "-o", tmp_path / "thirty.csv", "--rate", "30") == 0
    assert (read_take(tmp_path / "thirty.csv").rate, len(read_take(tmp_path / "thirty.csv").values)) == (30, 60)


def test_merge_puts_a_mouth_under_an_upper_face(tmp_path, app):
    write_take(tmp_path / "ours.csv", np.full((120, 61), 0.25, np.float32))
    with pytest.raises(ValueError, match="no moment in common.*--align start"):
        say("merge", app, tmp_path / "ours.csv", "-o", tmp_path / "both.csv")
    assert say("merge", app, tmp_path / "ours.csv", "-o", tmp_path / "both.csv", "--align", "start") == 0
    both, below = read_take(tmp_path / "both.csv"), read_take(app)
    np.testing.assert_allclose(both.values[:, JAW], below.values[:, JAW])
    assert (both.values[:, BLINK] == 0.25).all()


@pytest.mark.parametrize("kind", ["csv", "json", "npz", "glb"])
def test_export_goes_by_the_ending_and_overwrites_only_when_forced(tmp_path, capsys, app, kind):
    out = tmp_path / f"out.{kind}"
    assert say("export", app, "-o", out) == 0
    assert capsys.readouterr().out.endswith(f"{out}: 100 rows, 1.98 s at 60 a second from 19:55:16:00.000\n")
    written = out.read_bytes()
    with pytest.raises(SinkError, match="exists"):
        say("export", app, "-o", out, "--rate", "30")
    assert out.read_bytes() == written
    assert say("export", app, "-o", out, "--rate", "30", "--force") == 0
    assert out.read_bytes() != written


def test_a_round_trip_through_every_edit_is_the_apps_file_again(tmp_path):
    app_take(tmp_path / "app.csv", face(200, head=True), spelling="BlendShapeCount")
    assert say("export", tmp_path / "app.csv", "-o", tmp_path / "a.csv") == 0
    assert say("trim", tmp_path / "a.csv", "-o", tmp_path / "b.csv", "--start", "0") == 0
    assert say("merge", tmp_path / "b.csv", tmp_path / "app.csv", "-o", tmp_path / "c.csv") == 0
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "app.csv").read_bytes()


def test_export_of_a_face_tells_which_shapes_it_lacks(tmp_path, capsys, app):
    say("export", app, "-o", tmp_path / "face.glb")
    content = (tmp_path / "face.glb").read_bytes()
    (tmp_path / "face.glb").write_bytes(content.replace(b'"tongueOut"', b'"tongueInn"'))
    assert say("export", app, "-o", tmp_path / "out.glb", "--face", tmp_path / "face.glb") == 0
    assert "lacks 1 of the 52 shapes: tongueOut" in capsys.readouterr().out


def test_json_names_what_it_holds(tmp_path, app):
    say("export", app, "-o", tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["channels"][JAW] == "JawOpen"


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        (["trim", "APP", "-o", "OUT"], UsageError, "neither --start nor --end"),
        (["trim", "APP", "-o", "OUT", "--start", "x"], UsageError, "got moment 'x'"),
        (["trim", "APP", "-o", "OUT", "--start", "50"], ValueError, "expected a part of the take"),
        (["resample", "APP", "-o", "OUT", "--rate", "0"], UsageError, "expected 1 to 240"),
        (["export", "APP", "-o", "out.fbx"], UsageError, "ends in .fbx, expected .csv, .json, .npz, .glb"),
        (
            ["export", "APP", "-o", "out.mp4"],
            UsageError,
            "ends in .mp4, .*films are made on the page of livelink-bridge preview",
        ),
        (["trim", "APP", "-o", "out.mp4", "--start", "0"], UsageError, "ends in .mp4, expected .csv.*preview"),
        (["resample", "APP", "-o", "out.json"], UsageError, "ends in .json, expected .csv; takes export"),
        (["merge", "APP", "APP", "-o", "out"], UsageError, "ends in nothing, expected .csv"),
        (
            ["trim", "APP", "-o", "OUT", "--start", "0", "--take-rate", "31.5"],
            UsageError,
            "--take-rate: got '31.5', expected 23.976",
        ),
        (["export", "APP", "-o", "OUT", "--face", "face.glb"], UsageError, "only for a .glb"),
        (["export", "none.csv", "-o", "OUT"], ValueError, "no such file"),
        (["check", "none.csv"], ValueError, "no such file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_no_file(tmp_path, app, arguments, error, reason):
    named = {"APP": app, "OUT": tmp_path / "out.csv"}
    with pytest.raises(error, match=reason) as caught:
        say(*(named.get(argument, argument) for argument in arguments))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()
