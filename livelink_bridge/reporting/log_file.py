"""Log file of a session: text of bounded size, one line per event."""

from __future__ import annotations

import logging
import platform
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import SinkError
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.reporting.status_text import Reports, status_text
from livelink_bridge.version import __version__

EVERY_S = 60.0
MAX_BYTES = 5_000_000
FILES = 3
"""The file and two older ones: 15 MB, several weeks of one line per minute."""

_log = logging.getLogger(__name__)
_PROGRAM = logging.getLogger(__name__.partition(".")[0])


class LogFile:
    """Appends to a log file and rotates it at `MAX_BYTES`, `FILES` files in all.

    It records the warnings of all modules, from any thread, this program's events (takes, marks, changes), and the
    status passed to `update`: one line when a session's state changes, and one every EVERY_S. Nothing of it is shown on
    the screen. A file that fails later is abandoned with one warning.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """
        Parameters
        ----------
        path : file to append to
        clock : for the interval of status lines

        Raises
        ------
        SinkError : the file cannot be written
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handler = _OneLineFile(path)
        except OSError as error:
            raise SinkError(f"log file {path} cannot be written: {error.strerror}; name another file") from error
        self._reports = Reports(clock, EVERY_S)
        # Not one of logging's named loggers, whose lines would also reach the screen's handler.
        self._events = logging.Logger("session")
        self._events.addHandler(self._handler)
        logging.getLogger().addHandler(self._handler)
        self._level_before = _PROGRAM.level
        _PROGRAM.setLevel(logging.INFO)
        zone = datetime.now().astimezone().strftime("UTC%z")
        self._events.info(
            "begin: livelink-bridge %s, Python %s, %s, %s",
            __version__,
            platform.python_version(),
            platform.platform(),
            zone,
        )

    def update(self, subject: str, status: Status) -> None:
        """Log a status when a line is due. Call it with every status.

        Parameters
        ----------
        subject : name of the performer; empty for a single one
        status : the snapshot
        """
        if self._reports.due(subject, status):
            level = logging.WARNING if status.trouble else logging.INFO
            self._events.log(level, "%s%s", f"{subject}: " if subject else "", status_text(status))

    def close(self) -> None:
        """Write the last line. Harmless twice."""
        if self._handler in self._events.handlers:
            self._events.info("end")
            self._events.removeHandler(self._handler)
            logging.getLogger().removeHandler(self._handler)
            _PROGRAM.setLevel(self._level_before)
            self._handler.close()


class _OneLineFile(RotatingFileHandler):
    """A log file with one line per record; a write error disables it without an exception."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=FILES - 1, encoding="utf-8")
        self.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        self._failed = False

    def format(self, record: logging.LogRecord) -> str:
        return " | ".join(filter(None, super().format(record).splitlines()))

    def emit(self, record: logging.LogRecord) -> None:
        if not self._failed:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        self._failed = True
        _log.warning("log file %s cannot be written any more; continuing without it", self.baseFilename)
