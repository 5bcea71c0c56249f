"""`--mic [DEVICE]`: an option with an optional value, on a parser that knows none."""

from __future__ import annotations

import pytest

from livelink_bridge.cli import rewrite_mic, take_debug


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        (["--mic"], ["mic"]),
        (["--mic", "Yeti"], ["mic", "--input=Yeti"]),
        (["--mic", "3"], ["mic", "--input=3"]),
        (["--mic=Yeti"], ["mic", "--input=Yeti"]),
        (["--mic=-odd-"], ["mic", "--input=-odd-"]),
        (["--mic="], ["mic"]),
        (["--mic", "--to", "osc://a:1"], ["mic", "--to", "osc://a:1"]),
        (["--mic", "Yeti", "--to", "osc://a:1"], ["mic", "--input=Yeti", "--to", "osc://a:1"]),
        (["--mic=Yeti", "--to", "osc://a:1"], ["mic", "--input=Yeti", "--to", "osc://a:1"]),
        (["--to", "osc://a:1", "--mic"], ["mic", "--to", "osc://a:1"]),
        (["--to", "osc://a:1", "--mic", "USB Audio"], ["mic", "--to", "osc://a:1", "--input=USB Audio"]),
        (["--mic", "--help"], ["mic", "--help"]),
    ],
)
def test_mic_becomes_the_hidden_verb_with_its_device(line: list[str], becomes: list[str]) -> None:
    assert rewrite_mic(line) == becomes


@pytest.mark.parametrize(
    "line", [[], ["--help"], ["play", "a.wav"], ["play", "--mic"], ["convert", "a.wav", "-o", "--mic"]]
)
def test_other_command_lines_stay_as_they_are(line: list[str]) -> None:
    assert rewrite_mic(line) == line


@pytest.mark.parametrize(
    ("line", "asked", "rest"),
    [
        (["--debug", "play", "a.wav"], True, ["play", "a.wav"]),
        (["play", "a.wav", "--debug"], True, ["play", "a.wav"]),
        (["--mic", "--debug", "--to", "osc://a:1"], True, ["--mic", "--to", "osc://a:1"]),
        (["play", "--", "--debug"], False, ["play", "--", "--debug"]),
        (["play", "a.wav"], False, ["play", "a.wav"]),
    ],
)
def test_debug_may_stand_anywhere_before_the_files_that_follow_two_dashes(
    line: list[str], asked: bool, rest: list[str]
) -> None:
    assert take_debug(line) == (asked, rest)
