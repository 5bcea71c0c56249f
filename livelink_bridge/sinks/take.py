"""Take sink (`take:FOLDER`): records all frames sent, from the first to the last, as one take."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from livelink_bridge.errors import UsageError
from livelink_bridge.takes.recorder import Recorder

_URI = re.compile(r"take:(?P<folder>.+?)(?:\?slate=(?P<slate>[^?]+))?")
_OPTION = re.compile(r"\?\w+=")


class TakeSink(Recorder):
    """`take:FOLDER` or `take:FOLDER?slate=NAME`, the same as `--record FOLDER --slate NAME`: a `Recorder` of one take.

    The folder is created at once, so that a location that cannot be written to is reported before the session begins.
    """

    def __init__(self, uri: str, *, subject: str) -> None:
        """
        Parameters
        ----------
        uri : see the class
        subject : name of the Live Link subject

        Raises
        ------
        UsageError : a URI without a folder
        SinkError : a folder that cannot be written to
        """
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
        """The .csv file being written."""
