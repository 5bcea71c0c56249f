"""What is typed while a session runs: commands, on an input line below the panel, and single keys."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from arkit_mapping.moods import Mood, MoodError, names_of_moods
from livelink_bridge.commands.input_line import InputLine
from livelink_bridge.runner import report_side_failure

if TYPE_CHECKING:
    from livelink_bridge.face import Face

_log = logging.getLogger(__name__)


class Typing:
    """The input line of a session and what its keys do.

    A key acts at once while the line is empty; else it is part of the line, which acts on Enter. So `mood happy:0.4` can be typed whole,
    and the keys are none that a command begins with: digits for moods, see `key_help`.
    """

    def __init__(self, faces: Mapping[str, Face]) -> None:
        self._faces, self._line = dict(faces), InputLine()
        self._keys: dict[str, tuple[str, Callable[[], None]]] = {}
        for number, mood in enumerate(names_of_moods()[:10]):
            self.add_key(str(number), mood, lambda mood=mood: run_command(f"mood {mood}", self._faces))  # type: ignore[misc]
        self.on_change: Callable[[], None] = lambda: None
        """Called after each key, on the keyboard's thread."""

    @property
    def text(self) -> str:
        """What is typed and not yet entered."""
        return self._line.text

    @property
    def key_help(self) -> str:
        """What each key does, for one line of the panel."""
        return "  ".join(f"{'space' if key == ' ' else key} {name}" for key, (name, _) in self._keys.items())

    def add_key(self, key: str, name: str, action: Callable[[], None]) -> None:
        """Let a key do something. `action` is called on the keyboard's thread."""
        self._keys[key] = (name, action)

    def press(self, key: str) -> None:
        """Take one key."""
        if not self._line.text and key in self._keys:
            self._keys[key][1]()
        elif line := self._line.press(key):
            run_command(line, self._faces)
        self.on_change()


def typing_of(faces: Mapping[str, Face]) -> Typing:
    """What may be typed in a session of these faces. Without a panel the terminal's own lines are read, from now on."""
    if not sys.stdout.isatty():
        read_lines(faces)
    return Typing(faces)


def read_lines(faces: Mapping[str, Face], lines: TextIO | None = None) -> None:
    """Run the commands of a terminal that is read line by line, where no panel is drawn, on a thread of its own. Others are not read."""
    typed = lines or sys.stdin

    def read() -> None:
        try:
            for line in typed:
                run_command(line, faces)
        except OSError:
            return
        except Exception as error:  # what is typed is a convenience: the face goes on
            report_side_failure("typing", error)

    if typed.isatty():
        if hasattr(signal, "SIGTTIN"):
            # Read from the background, a terminal stops the whole program; ignored, the read fails and only the reading ends.
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        threading.Thread(target=read, name="typed", daemon=True).start()


def run_command(line: str, faces: Mapping[str, Face]) -> None:
    """`mood happy:0.4` for every face, `mood Ada happy:0.4` for one subject's. Anything else is one line of warning."""
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
        mood = Mood.parse(words[-1])
    except MoodError as error:
        _log.warning("%s", error)
        return
    for face in meant:
        face.feel(mood)
