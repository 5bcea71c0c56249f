"""One device id per subject, remembered between runs.

Unreal keeps one subject per device id: two subjects with the same id delete each other, and a new id at every run
leaves a dead subject behind each time.
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path

import platformdirs

from livelink_bridge.settings import shared_json

_log = logging.getLogger(__name__)


def config_folder() -> Path:
    """Folder of this user's settings: LIVELINK_BRIDGE_HOME, or the system's place for them.

    `~/.config/livelink-bridge`, on macOS `~/Library/Application Support/livelink-bridge`, on Windows
    `%APPDATA%\\livelink-bridge`.
    """
    home = os.environ.get("LIVELINK_BRIDGE_HOME")
    return Path(home) if home else platformdirs.user_config_path("livelink-bridge", appauthor=False, roaming=True)


def device_id(subject: str, folder: Path | None = None) -> str:
    """The device id of a subject, made and remembered when it is new: 36 characters, upper case, like the phone app's.

    Case does not matter in `subject`, as in Unreal. Where ids cannot be read or written, a new one is used, with a
    warning.
    """
    path = (folder or config_folder()) / "identities.json"
    key = subject.casefold()
    return _read(path).get(key) or _remembered(path, key)


def _remembered(path: Path, key: str) -> str:
    """A new id, or the one that another program has made for this subject in the meantime."""
    made = str(uuid.uuid4()).upper()

    def with_it() -> dict[str, str]:
        nonlocal made
        known = _read(path, quiet=True)
        made = known.setdefault(key, made)
        return known

    try:
        shared_json.change(path, with_it)
    except OSError as error:
        _log.warning("%s cannot be written (%s); Unreal will see a new device every time", path, error.strerror)
    return made


def _read(path: Path, *, quiet: bool = False) -> dict[str, str]:
    """Ids by subject, casefolded; empty, with a warning unless `quiet`, for a file that cannot be used."""
    try:
        return {str(subject): str(uuid.UUID(found)).upper() for subject, found in shared_json.read(path).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        if not quiet:
            _log.warning("%s cannot be used (%s); Unreal will see a new device", path, error)
        return {}
