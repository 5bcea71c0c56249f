"""`livelink-bridge character`: a file to start from, and what a file does."""

from __future__ import annotations

from pathlib import Path

import pytest

from arkit_mapping.character.character import load_character
from livelink_bridge.cli import run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ada.yaml"


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on stderr, nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("livelink-bridge: ") and err.count("\n") == 1, err
    return err


def checked(file: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What check says about a file, its spaces single."""
    file.write_text(text, encoding="utf-8")
    assert run(["character", "check", str(file)]) == 0
    return "\n".join(" ".join(line.split()) for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(("options", "closure"), [([], "metahuman"), (["--preset", "vrm"], "arkit")])
def test_init_writes_a_file_that_can_be_applied(
    file: Path, options: list[str], closure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["character", "init", str(file), *options]) == 0
    assert load_character(file).closure == closure
    assert str(file) in capsys.readouterr().out


def test_init_overwrites_a_file_only_when_told_to(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("name: Ada\n", encoding="utf-8")
    assert run(["character", "init", str(file)]) == 1
    assert "--force" in one_line(capsys)
    assert file.read_text(encoding="utf-8") == "name: Ada\n"
    assert run(["character", "init", str(file), "--force"]) == 0
    assert load_character(file).name == ""


def test_init_says_which_presets_there_are(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["character", "init", str(file), "--preset", "metahumen"]) == 2
    assert "did you mean metahuman?; known are metahuman, arkit, vrm" in one_line(capsys)
    assert not file.exists()


def test_init_in_a_folder_that_is_not_there_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["character", "init", str(file.parent / "none" / "ada.yaml")]) == 1
    assert "cannot be written" in one_line(capsys)


def test_check_says_what_a_file_does(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
        name: Ada
        preset: arkit
        gain: {JawOpen: 1.2}
        limits: {JawOpen: [0, 0.8]}
        curve: {MouthPucker: [[0.5, 0.3]]}
        smoothing: {mouth: {min_cutoff_hz: 15.1}, TongueOut: off, BrowInnerUp: {min_cutoff_hz: 60}}
        symmetry: {all: 0.3, MouthSmile: 1}
        head: {yaw: -1, gain: 0.5}
    """
    said = checked(file, text, capsys).splitlines()
    assert said == [
        "name Ada",
        "lips arkit: MouthClose as predicted",
        "channels JawOpen: gain 1.2, limits [0, 0.8]",
        "MouthPucker: curve [[0.5, 0.3]]",
        "MouthClose: gain as JawOpen",
        "smoothing mouth without TongueOut: min_cutoff_hz 15.1, beta 0; adds 9.9 ms to speech, 8.7 ms to a quick "
        "closure",
        "BrowInnerUp: min_cutoff_hz 60, beta 0; adds 2.6 ms to speech, 2.5 ms to a quick closure",
        "symmetry all pairs without MouthSmile: 0.3",
        "MouthSmile: 1",
        "head yaw -1, pitch +1, roll +1, gain 0.5",
    ]


def test_check_says_so_where_a_file_does_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = checked(file, "", capsys).splitlines()
    assert said == [
        "name (none)",
        "lips auto: as each receiver expects",
        "channels as predicted",
        "smoothing none, 0 ms",
        "symmetry as predicted",
        "head yaw +1, pitch +1, roll +1, gain 1",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("gian: {JawOpen: 1}", "unknown key 'gian', did you mean gain?"),
        (
            "smoothing: {mouth: {min_cutoff_hz: 2}}",
            "ms, expected at most 10; nearest allowed: min_cutoff_hz 15.1 or beta 22.9",
        ),
        ("curve: {JawOpen: [[0.5]]}", "expected points [in, out]"),
        ("- gain", "got list, expected keys"),
    ],
)
def test_a_file_that_asks_for_the_impossible_is_refused_in_one_line(
    file: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text, encoding="utf-8")
    assert run(["character", "check", str(file)]) == 2
    assert reason in (said := one_line(capsys)) and str(file) in said


def test_a_file_that_is_not_there_is_a_runtime_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["character", "check", str(file)]) == 1
    assert "no such file" in one_line(capsys)


@pytest.mark.parametrize(
    "arguments", [["check", "FILE", "--force"], ["check", "FILE", "--preset", "vrm"], ["look", "FILE"], ["check"]]
)
def test_a_command_line_that_means_nothing_is_refused(
    arguments: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["character", *(str(file) if word == "FILE" else word for word in arguments)]) == 2
    one_line(capsys)
