"""Sentences on the page name the user's file, not the place where the page keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from livelink_bridge.preview.page.messages import sentence, without_folder

HERE = Path("/tmp/livelink-preview-x1")


@pytest.mark.parametrize(
    "text, wanted",
    [
        (f"{HERE}/3/my line.wav is empty", "my line.wav is empty"),
        (f"Take {HERE}/12/take.csv, line 4: no", "Take take.csv, line 4: no"),
        (f"{HERE}/exports/7/line.mp4 cannot be written", "line.mp4 cannot be written"),
        (f"{HERE}/sounds/abc.wav and {HERE}/1/2.csv", "abc.wav and 2.csv"),
        ("/home/ada/1/line.wav is empty", "/home/ada/1/line.wav is empty"),
        (f"{HERE}", f"{HERE}"),
    ],
)
def test_what_lies_in_the_sessions_folder_goes_by_its_name(text, wanted):
    assert without_folder(text, HERE) == wanted


def test_a_folder_behind_a_link_is_known_by_both_its_names(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    for folder in ("real", "link"):
        assert without_folder(f"{tmp_path / folder / '1' / 'a.wav'} is empty", tmp_path / "link") == "a.wav is empty"


def test_paths_of_windows_are_known_in_quotes_too():
    folder = Path(r"C:\Temp\livelink-preview-x")
    assert without_folder(rf"{folder}\3\a.wav is empty", folder) == "a.wav is empty"
    path = rf"{folder}\3\a.wav"
    assert without_folder(f"got {path!r}", folder) == "got 'a.wav'"


def test_an_error_is_one_line_with_a_capital_and_a_full_stop():
    assert sentence(ValueError("got this\n  and that")) == "Got this and that."
    assert sentence("Done.") == "Done."
