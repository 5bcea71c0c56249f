"""Keys while a panel is drawn: the line that is being typed stays whole, and the terminal is as it was afterwards."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from recorded import send

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.audio.mute import Mute
from livelink_bridge.console import keyboard
from livelink_bridge.console.input_line import LONGEST, InputLine, split_keys
from livelink_bridge.console.terminal import status_lines
from livelink_bridge.console.typed_commands import Typing
from livelink_bridge.face.face import Face
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.voice import RemoteVoice
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.testing.stand_ins import ManualClock

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no pseudo-terminals that this test could type into"
)


def test_a_line_is_typed_key_by_key_and_ends_with_enter() -> None:
    line = InputLine()
    assert [line.press(key) for key in "mood sat\x7fd"] == [None] * 10
    assert line.text == "mood sad"
    assert (line.press("\r"), line.text) == ("mood sad", "")


def test_escape_clears_and_arrows_and_control_keys_do_nothing() -> None:
    line = InputLine()
    for key in ["m", "\x1b[A", "\x01", "o"]:
        line.press(key)
    assert line.text == "mo"
    line.press("\x1b")
    assert line.text == ""


def test_a_key_that_is_stuck_fills_no_memory() -> None:
    line = InputLine()
    for _ in range(3 * LONGEST):
        line.press("x")
    assert len(line.text) == LONGEST


def test_an_arrow_is_one_key_among_others_that_came_at_once() -> None:
    assert split_keys("a\x1b[A\x1b[3~é\x1bOPb\x1b") == ["a", "\x1b[A", "\x1b[3~", "é", "\x1bOP", "b", "\x1b"]


def test_a_digit_is_a_mood_at_once_and_part_of_a_line_that_is_begun() -> None:
    face = Face()
    typing = Typing({"Ada": face})
    assert "0 neutral" in typing.key_help and "1 happy" in typing.key_help
    typing.press("1")
    assert face.mood == Mood.parse("happy")
    for key in "mood sad:0.4\n":
        typing.press(key)
    assert face.mood == Mood.parse("sad:0.4")
    typing.press("0")
    assert not face.mood.offsets.any()


def controlled(tmp_path: Path) -> tuple[Typing, Face, LiveInterface, Recorder]:
    """A session of one subject with a microphone and a recorder, directed by keys."""
    face, recorder = Face(), Recorder(tmp_path, subject="Ada")
    voice = RemoteVoice(face, cast(Any, Measured()), "Headset", mute=Mute())
    remote = LiveInterface({"Ada": voice}, {}, None, timecode=lambda: "00:00:00:00", recorders={"Ada": recorder})
    typing = Typing({"Ada": face})
    typing.direct(remote)
    return typing, face, remote, recorder


class Measured:
    """A chain that is asked to measure."""

    def measure(self, _seconds: float, done: Any) -> None:
        self.done = done

    def set_thresholds(self, _levels: object) -> None:
        return None


def test_keys_hold_the_face_at_neutral_and_mute_and_each_undoes_itself(tmp_path: Path) -> None:
    typing, face, remote, _ = controlled(tmp_path)
    for key, is_on in (("n", lambda: face.held_neutral), ("M", lambda: remote.voices["Ada"].muted)):
        typing.press(key)
        assert is_on()
        typing.press(key)
        assert not is_on()


def test_a_small_m_begins_a_command_and_mutes_nothing(tmp_path: Path) -> None:
    typing, _, remote, _ = controlled(tmp_path)
    typing.press("m")
    assert (typing.text, remote.voices["Ada"].muted) == ("m", False)


def test_a_key_begins_a_take_and_ends_it(tmp_path: Path) -> None:
    typing, _, _, recorder = controlled(tmp_path)
    feeding = threading.Event()
    sender = threading.Thread(target=lambda: [send(recorder, 1, at) for at in range(2000) if not feeding.wait(0.002)])
    sender.start()
    typing.press("r")
    assert recorder.recording and "R ends it" in typing.said
    typing.press("r")
    feeding.set()
    sender.join()
    assert not recorder.recording
    [csv] = tmp_path.rglob("*.csv")
    assert str(csv) in typing.said


def test_a_calibration_says_when_to_be_silent_and_when_to_speak(tmp_path: Path) -> None:
    face, clock, chain = Face(), ManualClock(), Measured()
    voice = RemoteVoice(face, cast(Any, chain), "Headset", clock=clock, remember=lambda _device, _levels: None)
    typing = Typing({"Ada": face})
    typing.direct(LiveInterface({"Ada": voice}, {}, None, timecode=lambda: ""))
    typing.press("c")
    assert "be silent" in typing.notice
    clock.advance(2.1)
    assert "now speak" in typing.notice
    room = np.full(96000, 1e-4, np.float32)
    chain.done(np.concatenate([room, np.tile(np.float32([0.3, -0.3]), 48000)]), 48000)
    for thread in threading.enumerate():
        if thread.name == "calibration":
            thread.join(10)
    assert typing.notice.startswith("the gate opens at -")


def test_what_cannot_be_done_is_said_below_the_panel() -> None:
    typing = Typing({"Ada": Face()})
    typing.direct(LiveInterface({"Ada": RemoteVoice(Face())}, {}, None, timecode=lambda: ""))
    typing.press("r")
    assert "--record DIR" in typing.said
    typing.press("c")
    assert "microphone" in typing.said


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = os.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


@posix
def test_keys_arrive_without_enter_and_the_terminal_is_as_before_afterwards() -> None:
    import termios

    got: list[str] = []
    there = threading.Event()

    def on_key(key: str) -> None:
        got.append(key)
        if key == "!":
            there.set()

    with pseudo_terminal() as (ours, theirs):
        before = termios.tcgetattr(theirs)
        with keyboard.keys_read(on_key, theirs):
            assert not termios.tcgetattr(theirs)[3] & (termios.ECHO | termios.ICANON)
            assert termios.tcgetattr(theirs)[3] & termios.ISIG, "Ctrl-C has to stay Ctrl-C"
            os.write(ours, "mé!".encode())
            assert there.wait(10)
        assert got == ["m", "é", "!"]
        assert termios.tcgetattr(theirs) == before


@posix
def test_a_session_that_fails_leaves_the_terminal_as_it_was() -> None:
    import termios

    with pseudo_terminal() as (_, theirs):
        before = termios.tcgetattr(theirs)
        with pytest.raises(ZeroDivisionError), keyboard.keys_read(lambda _key: None, theirs):
            raise ZeroDivisionError
        assert termios.tcgetattr(theirs) == before


class Screen(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def test_what_is_typed_stands_below_the_panel_through_every_redraw(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    typing = Typing({"Ada": Face()})
    with status_lines(ManualClock(), typing=typing) as show:
        for key in "mood h":
            typing.press(key)
        for state in ("live", "no sound arrives"):
            show({"Ada": Status(state=state)})
            drawn = screen.getvalue()
            assert "> mood h" in drawn[drawn.rindex(state) :]
