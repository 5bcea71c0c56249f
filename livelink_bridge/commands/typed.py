"""What is typed while a session runs: another mood."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from arkit_mapping.moods import Mood, MoodError

if TYPE_CHECKING:
    from livelink_bridge.face import Face

_log = logging.getLogger(__name__)


def listen_to(faces: dict[str, Face], lines: TextIO | None = None) -> None:
    """Heed what somebody types, on a thread of its own, until the program ends. Without a terminal nothing is read."""
    typed = lines or sys.stdin

    def read() -> None:
        try:
            for line in typed:
                heed(line, faces)
        except OSError:
            return

    if typed.isatty():
        if hasattr(signal, "SIGTTIN"):
            # Read from the background, a terminal stops the whole program; ignored, the read fails and only the reading ends.
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        threading.Thread(target=read, name="typed", daemon=True).start()


def heed(line: str, faces: dict[str, Face]) -> None:
    """`mood happy:0.4` for everybody, `mood Ada happy:0.4` for one subject. What it is not gets one line of warning."""
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
