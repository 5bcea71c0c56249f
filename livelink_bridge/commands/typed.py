"""What is typed while a session runs: another mood."""

from __future__ import annotations

import logging
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
        for line in typed:
            heed(line, faces)

    if typed.isatty():
        threading.Thread(target=read, name="typed", daemon=True).start()


def heed(line: str, faces: dict[str, Face]) -> None:
    """`mood happy:0.4` for everybody, `mood Ada happy:0.4` for one subject. What it is not gets one line of warning."""
    words = line.split()
    if not words:
        return
    subject = words[1] if len(words) == 3 else None
    if words[0] != "mood" or not 2 <= len(words) <= 3 or (subject and subject not in faces):
        expected = "mood NAME[:X], as mood happy:0.4" if len(faces) == 1 else f"mood [{'|'.join(faces)}] NAME[:X]"
        _log.warning("typed %r, expected %s", line.strip(), expected)
        return
    try:
        mood = Mood.parse(words[-1])
    except MoodError as error:
        _log.warning("%s", error)
        return
    for name, face in faces.items():
        if subject in (None, name):
            face.feel(mood)
