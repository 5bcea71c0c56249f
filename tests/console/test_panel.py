"""The panel, by the text it shows."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from livelink_bridge.console.panel import BAD, GOOD, WARN, level_bar, status_panel
from livelink_bridge.reporting.metrics import Delay, DelayParts, Device, Level, Losses, Status, Target, VoiceStatus

FULL = Status(
    state="live",
    fps=59.98,
    wanted_fps=60.0,
    sent=5400,
    timecode="13:05:12:03",
    delay=Delay(71.2, 74.9, DelayParts(67.4, 1.6, 0.0, 0.0, 2.2), 12.0),
    level=Level(-23.4, -9.0, -8.2, 12, 3.2),
    gate=1.0,
    mood="happy:0.4",
    device=Device("Yeti Stereo Microphone", 48000, 1),
    targets=(Target("livelink://192.168.1.20:11111", 5400, 0), Target("osc://10.0.0.2:9000", 5300, 100)),
    losses=Losses(dropped=1, held=2, overflows=3, gaps=4),
    voice_out=VoiceStatus("Speakers", 0.3, 12.0),
)


def shown(named: dict[str, Status], width: int = 60, *, blocks: bool = True) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(status_panel(named, blocks=blocks))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_one_performer_fits_sixty_columns_with_all_there_is() -> None:
    assert shown({"Ada": FULL}) == [
        "Ada  live  60.0 fps  13:05:12:03  mood happy:0.4",
        "████████████░░░░┃░░░ -23 dBFS, peak -8  CLIP  gate open",
        "delay 71 ms (p99 75, last minute)",
        "  look-ahead 67, compute 2, pacing 2; device 12 before",
        "dropped 1, held 2, overflows 3, gaps 4",
        "from Yeti Stereo Microphone, 48000 Hz, gain +3.2 dB, found",
        "again 1 x",
        "to livelink://192.168.1.20:11111 5400 sent",
        "to osc://10.0.0.2:9000 5300 sent, 100 not delivered",
        "voice on Speakers, +0.3 ms, +12 ppm",
    ]


def test_what_a_session_does_not_have_takes_no_room() -> None:
    assert shown({"": Status(state="playing")}) == ["playing  0.0 fps", "delay ?", "nothing lost"]


def test_several_performers_have_a_row_each_that_fits_and_their_trouble_below() -> None:
    lines = shown(
        {
            "Ada": FULL,
            "A subject with a long name": Status(state="no sound: it is gone", trouble="no sound: it is gone"),
        }
    )
    assert lines == [
        "subject        state      level        fps delay lost errs",
        "Ada            live       ██████░░┃░  60.0    71   10  100",
        "A subject wit… no sound:…              0.0     ?    0    0",
        "  no sound: it is gone",
    ]


def test_terminals_without_block_characters_get_ascii() -> None:
    assert "\n".join(shown({"Ada": FULL}, blocks=False)).isascii()


def test_a_name_is_shown_as_it_is_whatever_brackets_it_has() -> None:
    assert shown({"[red]Ada[/]": FULL})[0].startswith("[red]Ada[/]  live")


@pytest.mark.parametrize(
    ("level", "drawn"),
    [
        (Level(), "          "),
        (Level(-120.0), ".........."),
        (Level(-30.0), "#####....."),
        (Level(0.0), "##########"),
        (Level(20.0), "##########"),
        (Level(-30.0, -12.0, -12.0), "#####..|.."),
        (Level(-120.0, -120.0, -120.0), ".........."),
    ],
)
def test_the_bar_goes_from_minus_sixty_to_zero_with_a_mark_at_the_held_peak(level: Level, drawn: str) -> None:
    assert level_bar(level, 10, blocks=False).plain == drawn


def test_the_bar_turns_yellow_near_full_scale_and_red_when_it_clips() -> None:
    assert level_bar(Level(-30.0, -6.0, -6.0), 10).style == GOOD
    assert level_bar(Level(-30.0, -9.0, -2.0), 10).style == WARN
    assert level_bar(Level(-30.0, -9.0, -9.0, clips=1), 10).style == BAD


def test_trouble_and_errors_are_red_and_a_slow_rate_yellow() -> None:
    lines = status_panel(
        {
            "Ada": Status(
                state="no sound: gone",
                trouble="no sound: gone",
                fps=40.0,
                wanted_fps=60.0,
                sent=9,
                targets=(Target("osc://a:1", 6, 3), Target("osc://b:2", 6, 3, "nothing listens on port 2 yet")),
            )
        }
    ).renderables
    styles = {str(span.style) for span in lines[0].spans}
    assert {BAD, WARN} <= styles
    assert [str(line.style) for line in lines[-2:]] == [WARN, BAD]
    assert lines[-1].plain == "to osc://b:2 6 sent, 3 not delivered: nothing listens on port 2 yet"
    assert WARN not in {str(span.style) for span in status_panel({"Ada": FULL}).renderables[0].spans}
