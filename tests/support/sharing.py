"""Which tests run in one process, and which groups begin first: tests/conftest.py tells pytest-xdist."""

from __future__ import annotations

import real_time

ALONE = "real time"
"""The group of what waits for real time: one test after the other in one process, so that no two of them share a core's
moments."""
NICE = 10
"""Of every other process, in the steps of nice(1)."""
ONE_BROWSER = ("preview/page/",)
"""Folders whose files share a browser, and so a process."""
FIRST = (
    ALONE,
    "preview/page/",
    "program/test_examples",
    "takes/export/test_gltf_faces",
    "speech_to_face/official/test_convert",
    "docs/test_commands_run",
    "program/test_names_asked",
    "device/test_remote_control",
    "device/test_performers",
    "program/test_clean_home",
    "batch/test_command",
)
"""The groups that take longest, so that no process is left with one at the end. Browser and commands of the pages are
apart, as each has work for two cores."""


def group(place: str) -> str:
    """The group of a file: tests of one group run in one process, in their order."""
    if real_time.why(place) and not place.startswith(real_time.SIDE_BY_SIDE):
        return ALONE
    return next((folder for folder in ONE_BROWSER if place.startswith(folder)), place)


def rank(place: str) -> int:
    """Groups with a lower one begin sooner."""
    of = group(place)
    return next((at for at, first in enumerate(FIRST) if of.startswith(first)), len(FIRST))
