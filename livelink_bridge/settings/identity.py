"""One UUID per character, remembered between runs.

Unreal keeps one subject per device id: an id shared by two subjects makes each delete the other, and a new id every run
leaves a dead subject behind every time.
"""

from __future__ import annotations

import logging
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

from livelink_bridge.settings import shared_json

_log = logging.getLogger(__name__)


def config_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where this user's settings are kept: LIVELINK_BRIDGE_HOME, or the place the system has for such things."""
    if environ.get("LIVELINK_BRIDGE_HOME"):
        return Path(environ["LIVELINK_BRIDGE_HOME"])
    home = Path.home()
    if platform == "win32":
        return Path(environ.get("APPDATA") or home / "AppData" / "Roaming") / "livelink-bridge"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "livelink-bridge"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "livelink-bridge"


def device_id(subject: str, folder: Path | None = None) -> str:
    """The id of a subject, made and remembered when it is new: 36 characters, upper case, as the phone app's.

    Unreal's names know no case, nor does this. Where ids cannot be read or written a new one is used, with a warning.
    """
    path = (folder or config_folder()) / "identities.json"
    key = subject.casefold()
    return _read(path).get(key) or _remembered(path, key)


def _remembered(path: Path, key: str) -> str:
    """A new id, unless another program has made one for this subject in the meantime."""
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
    try:
        return {str(subject): str(uuid.UUID(found)).upper() for subject, found in shared_json.read(path).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        if not quiet:
            _log.warning("%s cannot be used (%s); Unreal will see a new device", path, error)
        return {}
