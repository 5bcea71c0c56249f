"""The editor's script, against a stand-in for Unreal's API that follows the importer's source. No editor has run it."""

from __future__ import annotations

import ast
import importlib.util
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import import_take as script
import numpy as np
import pytest
import soundfile
from import_take_parts.copied.names import imported_subject, takes_at
from import_take_parts.plan import sound_frames

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import write_take

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ue_plugin_docs" / "scripts" / "import_take.py"
PARTS = SCRIPT.with_name("import_take_parts")


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


fake = _load(Path(__file__).with_name("fake_unreal.py"))
EVENING_S = 71716 + 26.7 / 60
"""19:55:16:26.7, as a take of an evening begins."""


def _poses(rows: int) -> np.ndarray:
    poses = np.zeros((rows, 61), np.float32)
    poses[:, CHANNELS_61.index("JawOpen")] = np.arange(rows) / 1000
    poses[:, CHANNELS_61.index("JawLeft")] = 0.25
    return poses


def _take(
    folder: Path, rows: int = 90, *, start_s: float = EVENING_S, stem: str = "Hall_3_Ada", sound_s: float = 0.0
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_take(folder / f"{stem}.csv", _poses(rows), start_s=start_s)
    if sound_s:
        soundfile.write(folder / f"{stem}.wav", np.zeros(round(48000 * sound_s)), 48000, subtype="PCM_24")
    return folder / f"{stem}.csv"


def _imported(path: Path, *options: str, older: bool = False) -> tuple[object, object]:
    unreal = fake.Unreal(older=older)
    assert script.main([str(path), "--dest", "/Game/Takes", *options], unreal) == 0, unreal.errors
    sequences = [asset for asset in unreal.assets.values() if isinstance(asset, fake.LevelSequence)]
    assert len(sequences) == 1
    return unreal, sequences[0]


def _columns(sequence: object, name: str) -> list[float]:
    at = sequence.properties.index(name)
    return [values[at] for _, values in sequence.keys]


@pytest.mark.parametrize("older", [False, True])
def test_a_take_of_an_evening_begins_where_the_sequence_begins(tmp_path: Path, older: bool) -> None:
    _, sequence = _imported(_take(tmp_path), older=older)
    times = [at for at, _ in sequence.keys]
    np.testing.assert_allclose(times, np.arange(90) / 60, atol=1 / fake.TICKS)
    np.testing.assert_allclose(_columns(sequence, "JawOpen"), np.arange(90) / 1000, atol=1e-6)
    assert set(_columns(sequence, "JawLeft")) == {0.25}
    assert sequence.display_rate == 60 and sequence.playback == [0.0, 1.5]


def test_the_sound_is_laid_on_the_first_row_and_the_sequence_lasts_as_long_as_both(tmp_path: Path) -> None:
    path = _take(tmp_path, sound_s=2.01)
    unreal, sequence = _imported(path)
    (section,) = sequence.tracks[0].sections
    assert section.seconds == (0.0, 121 / 60)
    assert section.get_editor_property("sound").data == path.with_suffix(".wav").read_bytes()
    assert sequence.playback == [0.0, 121 / 60]
    assert set(unreal.assets) == {"/Game/Takes/LS_Hall_3_Ada", "/Game/Takes/SW_Hall_3_Ada"} and unreal.saved == [
        sequence
    ]


def test_with_its_timecode_kept_face_and_sound_begin_at_one_frame_of_the_day(tmp_path: Path) -> None:
    _, sequence = _imported(_take(tmp_path, sound_s=1.0), "--keep-timecode")
    frame = round(EVENING_S * 60)
    assert sequence.keys[0][0] == pytest.approx(frame / 60, abs=1 / fake.TICKS)
    assert sequence.tracks[0].sections[0].seconds == (frame / 60, (frame + 60) / 60)
    assert sequence.playback == [frame / 60, (frame + 90) / 60]


@pytest.mark.parametrize("older", [False, True])
def test_a_take_too_short_for_its_rate_to_be_seen_gets_neutral_rows(tmp_path: Path, older: bool) -> None:
    path = _take(tmp_path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:13]))
    _, sequence = _imported(path, older=older)
    times = [at for at, _ in sequence.keys]
    np.testing.assert_allclose(times, np.arange(len(times)) / 60, atol=1 / fake.TICKS)
    assert len(times) == 32 and _columns(sequence, "JawLeft") == [0.25] * 12 + [0.0] * 20


@pytest.mark.parametrize("older", [False, True])
def test_a_take_that_counts_thirtieths_keeps_its_length_in_every_importer(tmp_path: Path, older: bool) -> None:
    header = _take(tmp_path).read_text().splitlines()[0]
    cells = ",61," + ",".join(["0.5"] * 61)
    rows = [f"10:00:{frame // 30:02d}:{frame % 30:06.3f}{cells}" for frame in range(100)]
    (tmp_path / "Hall_3_Ada.csv").write_text("\n".join([header, *rows]))
    _, sequence = _imported(tmp_path / "Hall_3_Ada.csv", older=older)
    np.testing.assert_allclose([at for at, _ in sequence.keys], np.arange(100) / 30, atol=1 / fake.TICKS)


def test_rows_past_midnight_follow_those_before_it(tmp_path: Path) -> None:
    for options, first in ((), 0.0), (("--keep-timecode",), 86399.5):
        _, sequence = _imported(_take(tmp_path, start_s=86399.5), *options)
        np.testing.assert_allclose([at for at, _ in sequence.keys], first + np.arange(90) / 60, atol=1 / fake.TICKS)


@pytest.mark.parametrize(
    ("stem", "subject"),
    [
        ("Hall_3_Ada", "Ada"),
        ("12_3_Ada", "Ada"),
        ("Hall_3_Ada_L", "Ada_L"),
        ("my_hall_3_Ada_cal", "Ada"),
        ("take", "take"),
    ],
)
def test_the_sequence_plays_as_the_takes_own_subject(tmp_path: Path, stem: str, subject: str) -> None:
    _, sequence = _imported(_take(tmp_path, stem=stem))
    assert sequence.subject == subject


def test_the_subject_is_that_of_take_json_or_the_one_asked_for(tmp_path: Path) -> None:
    path = _take(tmp_path)
    path.with_name("take.json").write_text('{"slate": "Hall", "take": 3, "subject": "Ada B"}')
    unreal, sequence = _imported(path)
    assert sequence.subject == "Ada-B" and any(
        "'Ada B' cannot stand in an asset's name" in line for line in unreal.logged
    )
    assert _imported(path, "--subject", "Ben")[1].subject == "Ben"


def test_the_scripts_rule_for_subjects_is_the_importers(tmp_path: Path) -> None:
    for name in (
        "a",
        "a_1_b",
        "a_b_1_c",
        "a_b_c_d",
        "a_1_2_3",
        "1_2_3_4_b_cal",
        "LS_Hall_3_Ada_L_raw",
        "a__3_b",
        "a_b_c_4",
        "x_-1_y_z",
    ):
        assert imported_subject(name) == fake.subject_of(name), name


def test_of_a_calibrated_take_in_a_folder_the_calibrated_file_is_imported_once(tmp_path: Path) -> None:
    for kind in ("_cal", "_raw", "_neutral"):
        _take(tmp_path / "20261121_Hall_3", stem=f"Hall_3_Ada{kind}")
    (tmp_path / "other.csv").write_text("a,b,c\n1,2,3\n")
    assert [path.name for path in takes_at(tmp_path)] == ["Hall_3_Ada_cal.csv"]


def test_one_broken_take_is_told_with_its_line_and_the_others_are_imported(tmp_path: Path) -> None:
    broken = _take(tmp_path / "a", stem="Hall_1_Ada")
    lines = broken.read_text().splitlines()
    lines[4] = lines[4].replace(",0.0000000000,", ",,", 1)
    broken.write_text("\n".join(lines))
    _take(tmp_path / "b", stem="Hall_2_Ada")
    unreal = fake.Unreal()
    assert script.main([str(tmp_path)], unreal) == 1
    assert list(unreal.assets) == ["/Game/Takes/LS_Hall_2_Ada"]
    assert len(unreal.errors) == 1 and "line 5, column 3: got '', expected a number" in unreal.errors[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("Timecode", "Time"), "expected the header of a take: Timecode,BlendShapeCount"),
        (lambda text: text.replace("19:55:17:", "19:55:17;"), "expected HH:MM:SS:FF.mmm"),
        (lambda text: text.replace("0.2500000000", "nan", 1), "a value is not finite"),
        (lambda text: text.replace("19:55:17:", "19:54:17:"), "timecode goes back"),
        (lambda text: text.splitlines()[0], "no row"),
    ],
)
def test_what_the_importer_would_misread_is_refused_in_one_line(tmp_path: Path, change: object, said: str) -> None:
    path = _take(tmp_path)
    path.write_text(change(path.read_text()))
    unreal = fake.Unreal()
    assert script.main([str(path)], unreal) == 1 and not unreal.assets
    assert said in unreal.errors[0] and "\n" not in unreal.errors[0]


def test_assets_that_are_there_stay_unless_replace_is_given(tmp_path: Path) -> None:
    path, unreal = _take(tmp_path, sound_s=1.0), fake.Unreal()
    assert script.main([str(path)], unreal) == 0
    before = dict(unreal.assets)
    assert script.main([str(path)], unreal) == 1 and unreal.assets == before
    assert "--replace" in unreal.errors[-1]
    assert script.main([str(path), "--replace"], unreal) == 0
    assert set(unreal.assets) == set(before) and unreal.assets != before


def test_two_takes_of_one_name_in_different_folders_do_not_replace_each_other(tmp_path: Path) -> None:
    for scene in ("scene 1", "scene 2"):
        _take(tmp_path / scene, stem="line")
    unreal = fake.Unreal()
    assert script.main([str(tmp_path), "--replace"], unreal) == 1 and len(unreal.assets) == 1
    assert "scene 2" in unreal.errors[0] and "another --dest" in unreal.errors[0]


def test_an_editor_without_the_importer_plugin_is_told_which_to_enable(tmp_path: Path) -> None:
    unreal = fake.Unreal(importer=False)
    assert script.main([str(_take(tmp_path))], unreal) == 1
    assert "Live Link Face Importer" in unreal.errors[0]


def test_an_rf64_sounds_length_is_read_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(24000), 16000, format="RF64", subtype="PCM_24")
    assert path.read_bytes()[:4] == b"RF64" and sound_frames(path) == 90


def test_the_script_is_python_as_old_as_unreal_5_3_has_it() -> None:
    for path in (SCRIPT, *PARTS.rglob("*.py")):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))


def test_a_wrong_option_does_not_end_the_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "unreal", fake.Unreal())
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--wrong"])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_as_the_editor_runs_it_the_script_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreal = fake.Unreal()
    monkeypatch.setitem(sys.modules, "unreal", unreal)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(_take(tmp_path)), "--dest", "/Game/Here/"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert list(unreal.assets) == ["/Game/Here/LS_Hall_3_Ada"] and unreal.logged[-1] == "1 of 1 takes imported"


def test_outside_unreal_the_script_says_what_it_would_do_with_nothing_but_python(tmp_path: Path) -> None:
    _take(tmp_path / "takes", sound_s=1.0)
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(tmp_path / "takes"), "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert (
        "/Game/Takes/LS_Hall_3_Ada" in done.stdout and "subject Ada, 90 rows, 1.50 s from the beginning" in done.stdout
    )
    assert done.stdout.endswith("1 of 1 takes would be imported (dry run)\n")
    assert sorted(file.name for file in (tmp_path / "takes").iterdir()) == ["Hall_3_Ada.csv", "Hall_3_Ada.wav"]


def _copied(folder: Path) -> Path:
    """A copy of the script in `folder`, with its parts."""
    shutil.copytree(PARTS, folder / PARTS.name, ignore=shutil.ignore_patterns("__pycache__"))
    return Path(shutil.copy(SCRIPT, folder))


@pytest.mark.parametrize("lost", ["", "command.py", "copied/names.py"])
def test_a_copy_without_its_parts_fails_with_one_line_that_says_what_to_copy(tmp_path: Path, lost: str) -> None:
    copy = _copied(tmp_path)
    lost_part = tmp_path / PARTS.name / lost
    lost_part.unlink() if lost else shutil.rmtree(lost_part)
    command = [sys.executable, "-I", "-S", str(copy), str(tmp_path), "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    line = (
        f"error: the folder import_take_parts is missing or incomplete in {tmp_path.resolve()}; copy it there, beside"
    )
    assert done.returncode == 1 and done.stderr == f"{line} import_take.py\n"


def test_a_copy_without_its_parts_does_not_end_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreal = fake.Unreal()
    copy = Path(shutil.copy(SCRIPT, tmp_path))
    monkeypatch.setitem(sys.modules, "unreal", unreal)
    monkeypatch.setattr(sys, "argv", [str(copy), str(tmp_path)])
    runpy.run_path(str(copy), run_name="__main__")
    assert len(unreal.errors) == 1 and "the folder import_take_parts is missing" in unreal.errors[0]


def test_the_editor_runs_the_parts_beside_the_script_and_keeps_its_own_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy, before = _take(tmp_path / "takes"), _copied(tmp_path), list(sys.path)
    for text in ("first", "second"):
        (tmp_path / PARTS.name / "command.py").write_text(
            f"def main(arguments, unreal):\n    unreal.log('{text} copy')\n    return 0\n"
        )
        unreal = fake.Unreal()
        monkeypatch.setitem(sys.modules, "unreal", unreal)
        monkeypatch.setattr(sys, "argv", [str(copy), str(path)])
        runpy.run_path(str(copy), run_name="__main__")
        assert unreal.logged == [f"{text} copy"]
    assert script.main([str(path)], unreal) == 0 and unreal.logged[-1] == "1 of 1 takes imported"
    assert sys.path == before
