"""`take:FOLDER`: records everything that is sent, from the first pose to the end."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from livelink_bridge.errors import UsageError
from livelink_bridge.takes.recorder import Recorder

_URI = re.compile(r"take:(?P<folder>.+?)(?:\?slate=(?P<slate>[^?]+))?")
_OPTION = re.compile(r"\?\w+=")


class TakeSink(Recorder):
    """`take:FOLDER` or `take:FOLDER?slate=NAME`, the same as `--record FOLDER --slate NAME`: one take, `Recorder` for
    the rest.

    Its folder is made at once, so that a place that cannot be written to is known before the session begins.
    """

    def __init__(self, uri: str, *, subject: str) -> None:
        """Raises UsageError for a URI without a folder, SinkError for a folder that cannot be written to."""
        found = _URI.fullmatch(uri)
        if not found:
            raise UsageError(f"{uri!r} names no folder; expected take:FOLDER or take:FOLDER?slate=NAME")
        if _OPTION.search(found["folder"]):
            raise UsageError(f"{uri!r}: unknown option; expected take:FOLDER or take:FOLDER?slate=NAME")
        super().__init__(
            Path(found["folder"]), subject=subject, slate=unquote(found["slate"]) if found["slate"] else None
        )
        self.name = uri
        self.arm()
        assert self._recording is not None
        self.path = self._recording.folder.csv
        """The .csv that is written."""
