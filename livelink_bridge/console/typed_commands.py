"""Commands and single keys that are typed while a session runs."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TextIO

from arkit_mapping.liveliness.moods import names_of_moods
from livelink_bridge.console.input_line import InputLine
from livelink_bridge.core.workers import report_side_failure
from livelink_bridge.errors import BridgeError, ConfigError
from livelink_bridge.settings.moods import read_mood

if TYPE_CHECKING:
    from livelink_bridge.face.face import Face
    from livelink_bridge.remote_control.live_interface import LiveInterface

_log = logging.getLogger(__name__)


class Typing:
    """The input line of a session, and its key bindings.

    A key acts at once while the line is empty; otherwise it is added to the line, which runs on Enter. So
    `mood happy:0.4` can be typed whole. The keys are those of the live page: digits for moods, and those of `direct`.
    """

    def __init__(self, faces: Mapping[str, Face]) -> None:
        self._faces, self._line = dict(faces), InputLine()
        self._keys: dict[str, tuple[str, Callable[[], None]]] = {}
        for number, mood in enumerate(names_of_moods()[:10]):
            self.add_key(str(number), mood, lambda mood=mood: run_command(f"mood {mood}", self._faces))  # type: ignore[misc]
        self._remote: LiveInterface | None = None
        self.said = ""
        """The result of the last key, for people; may be empty."""
        self.on_change: Callable[[], None] = lambda: None
        """Called after each key, on the keyboard's thread."""

    @property
    def text(self) -> str:
        """What is typed and not yet entered."""
        return self._line.text

    @property
    def key_help(self) -> str:
        """The key bindings, for one line of the panel."""
        return "  ".join(f"{key} {name}" for key, (name, _) in self._keys.items())

    def add_key(self, key: str, name: str, action: Callable[[], None]) -> None:
        """Bind a key. `action` is called on the keyboard's thread."""
        self._keys[key] = (name, action)

    def press(self, key: str) -> None:
        """Take one key. Small letters act as capitals, except m, with which `mood` begins."""
        known = self._keys.get(key) or (self._keys.get(key.upper()) if key != "m" else None)
        if known and not self._line.text:
            known[1]()
        elif line := self._line.press(key):
            run_command(line, self._faces)
        self.on_change()

    @property
    def notice(self) -> str:
        """What a calibration asks for now or its result, or else the result of the last key."""
        calibrations = [voice.calibration for voice in self._remote.voices.values()] if self._remote else []
        for calibration in calibrations:
            if calibration.listening_for is not None:
                return PROMPTS[calibration.listening_for]
        results = [calibration.result for calibration in calibrations if calibration.result]
        return "; ".join(results) if results and self.said == CALIBRATING else self.said

    def direct(self, remote: LiveInterface, _sessions: object = None) -> None:
        """Bind the keys that control a running session, all its performers at once. Their results are in `said`."""
        self._remote = remote
        for key, (name, act) in SESSION_KEYS.items():
            self.add_key(key, name, partial(self._act, act, remote))

    def _act(self, act: Callable[[LiveInterface], str], remote: LiveInterface) -> None:
        try:
            self.said = act(remote)
        except BridgeError as error:
            self.said = str(error)


def _record(remote: LiveInterface) -> str:
    """Start a take of every subject, or end the running ones."""
    running = [subject for subject, recorder in remote.recorders.items() if recorder.recording]
    if running:
        return f"recorded {', '.join(str(remote.end_take(subject).csv) for subject in running)}"
    if not remote.recorders:
        raise BridgeError("takes are not recorded here; start with --record DIR")
    return f"recording from {', '.join(remote.begin_take(subject) for subject in remote.recorders)}; R ends it"


def _mute(remote: LiveInterface) -> str:
    muted = not all(voice.muted for voice in remote.voices.values())
    remote.set_muted(muted, None)
    return "the microphone is muted; M opens it" if muted else "the microphone is open"


def _neutral(remote: LiveInterface) -> str:
    neutral = not all(voice.held_neutral for voice in remote.voices.values())
    remote.hold_neutral(neutral, None)
    return "the face is held at neutral; N moves it" if neutral else "the face moves"


def _calibrate(remote: LiveInterface) -> str:
    remote.calibrate(None)
    return CALIBRATING


CALIBRATING = "calibrating"
PROMPTS = {"room": "calibrating: be silent for two seconds", "voice": "calibrating: now speak for two seconds"}
SESSION_KEYS: dict[str, tuple[str, Callable[[LiveInterface], str]]] = {
    "R": ("record", _record),
    "M": ("mute", _mute),
    "N": ("neutral", _neutral),
    "C": ("calibrate", _calibrate),
}
"""Key -> its name for people, and its action."""


def typing_of(faces: Mapping[str, Face]) -> Typing:
    """The input line of a session of these faces. Without a panel, the terminal's own lines are read from now on."""
    if not sys.stdout.isatty():
        read_lines(faces)
    return Typing(faces)


def read_lines(faces: Mapping[str, Face], lines: TextIO | None = None) -> None:
    """Run the commands that are typed line by line on a terminal, where no panel is drawn, on a thread of its own.

    `lines` None is standard input. Nothing is read from what is not a terminal.
    """
    typed = lines or sys.stdin

    def read() -> None:
        try:
            for line in typed:
                run_command(line, faces)
        except OSError:
            return
        except Exception as error:  # typing is a convenience: the face goes on
            report_side_failure("typing", error)

    if typed.isatty():
        if hasattr(signal, "SIGTTIN"):
            # Read from the background, a terminal stops the whole program; ignored, the read fails and only the reading
            # ends.
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        threading.Thread(target=read, name="typed", daemon=True).start()


def run_command(line: str, faces: Mapping[str, Face]) -> None:
    """Run a typed command: `mood happy:0.4` for every face, `mood Ada happy:0.4` for one subject.

    Anything else logs one line of warning.
    """
    words = line.split()
    if not words:
        return
    named = " ".join(words[1:-1]).casefold()
    meant = [face for subject, face in faces.items() if not named or subject.casefold() == named]
    if words[0] != "mood" or len(words) < 2 or not meant:
        expected = "mood NAME[:X], as mood happy:0.4" if len(faces) == 1 else f"mood [{'|'.join(faces)}] NAME[:X]"
        _log.warning("typed %r, expected %s", line.strip(), expected)
        return
    try:
        mood = read_mood(words[-1])
    except ConfigError as error:
        _log.warning("%s", error)
        return
    for face in meant:
        face.set_mood(mood)
