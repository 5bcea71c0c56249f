"""Folders of takes: the Live Link Face app's folder and file names, its take.json, and the next free take number.

    FOLDER/20241204_MySlate_166/MySlate_166_iPhone.csv    the frames
                                MySlate_166_iPhone.wav    the audio (the app has it in a video)
                                take.json, audio_metadata.json

Unreal's importer names the subject after the file. Of a name with more than three parts between underscores it removes
the first two, slate and number, which leaves the subject; it keeps all of `MySlate_166_iPhone`. Therefore a slate here
never has an underscore; a subject keeps its own, except for an ending that the importer treats as a kind of file.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arkit_mapping.takes.rows import TakeError
from arkit_mapping.whole_file import whole_file

MAX_TAKE = 999_999
_LONGEST_PART = 80
"""Largest size of a slate or a subject in a file name, bytes of UTF-8: with numbers and endings the name stays below
the 255 bytes of file systems."""
_KINDS = re.compile(r"_(cal|raw|neutral)$", re.IGNORECASE)
_FOLDER = re.compile(r"\d{8}_(.+)_(\d{1,6})")


@dataclass(frozen=True, slots=True)
class TakeFolder:
    """A take's folder and the names of its files."""

    path: Path
    """The folder."""
    date: str
    """YYYYMMDD, local."""
    slate: str
    """As in the file names."""
    take: int
    """Take number."""
    subject: str
    """As in the file names."""

    @property
    def stem(self) -> str:
        """File name without suffix: `MySlate_166_iPhone`."""
        return f"{self.slate}_{self.take}_{self.subject}"

    @property
    def identifier(self) -> str:
        """Name of the folder: `20241204_MySlate_166`."""
        return f"{self.date}_{self.slate}_{self.take}"

    @property
    def csv(self) -> Path:
        """File of the frames."""
        return self.path / f"{self.stem}.csv"

    @property
    def sound(self) -> Path:
        """File of the audio."""
        return self.path / f"{self.stem}.wav"

    def remove(self) -> None:
        """Delete the files of the recording, and the folder unless it contains other files."""
        for path in (self.csv, self.sound, self.path / "take.json", self.path / "audio_metadata.json"):
            path.unlink(missing_ok=True)
        try:
            self.path.rmdir()
        except OSError:
            pass  # not empty: it contains files of others


def slate_part(text: str) -> str:
    """A slate as part of a file name: letters, digits and hyphens; `face` if nothing remains."""
    return _shortened(_plain(text).replace("_", "-").strip("-")) or "face"


def subject_part(text: str) -> str:
    """A subject as part of a file name: letters, digits, hyphens and single inner underscores; `face` if nothing
    remains."""
    part = _shortened(re.sub(r"_+", "_", _plain(text)).strip("-_"))
    return _KINDS.sub(r"-\1", part) or "face"


def next_take(root: Path, slate: str) -> int:
    """The highest take number of this slate in `root`, of any day, plus 1; 1 for the first."""
    known = slate_part(slate).casefold()
    try:
        found = [_FOLDER.fullmatch(name) for name in os.listdir(root)]
    except OSError:
        found = []  # missing or unreadable: creating the take's folder reports it
    return 1 + max((int(match[2]) for match in found if match and match[1].casefold() == known), default=0)


def reserve(root: Path, *, slate: str, subject: str, day: datetime, take: int | None = None) -> TakeFolder:
    """Create the folder of a new take. Creation is atomic, so two programs never get the same folder.

    Parameters
    ----------
    root
        Folder of the takes.
    slate, subject
        As given by the user.
    day
        Date of the take.
    take
        Take number; None: the next one. If its folder exists, the next free number is used.

    Raises
    ------
    TakeError
        No folder can be created.
    """
    slate, date = slate_part(slate), day.strftime("%Y%m%d")
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number in range(take or next_take(root, slate), MAX_TAKE + 1):
            path = root / f"{date}_{slate}_{number}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return TakeFolder(path, date, slate, number, subject_part(subject))
    except OSError as error:
        raise TakeError(f"{root}: takes cannot be written there: {error.strerror}") from None
    raise TakeError(f"{root}: slate {slate} has no free take number up to {MAX_TAKE}; choose another slate")


def write_take_json(
    folder: TakeFolder,
    *,
    subject: str,
    begun: datetime,
    version: str,
    frames: int = 0,
    timecode: str = "",
    complete: bool = False,
) -> None:
    """Write take.json atomically: the app's keys, then this program's own.

    Parameters
    ----------
    folder
        The take.
    subject
        Live Link subject.
    begun
        Date and time of the first row.
    version
        Of this program.
    frames
        Number of rows.
    timecode
        Of the first row.
    complete
        Whether the recording was stopped regularly.

    Raises
    ------
    TakeError
        The file cannot be written.
    """
    content = {
        "appVersion": version,
        "calibrated": False,
        "date": begun.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "deviceModel": "LiveLinkBridge",
        "frames": frames,
        "identifier": folder.identifier,
        "slate": folder.slate,
        "subject": subject,
        "take": folder.take,
        "version": 1,
        "timecode": timecode,
        "complete": complete,
    }
    _write_json(folder.path / "take.json", content)


def take_json_faults(csv: Path, rows: int) -> list[tuple[bool, str]]:
    """Check the take.json beside a take.

    Parameters
    ----------
    csv
        The take.
    rows
        Its number of rows.

    Returns
    -------
    (whether Unreal's ingest fails, text) per problem; empty when there is no take.json
    """
    path = csv.parent / "take.json"
    try:
        content = json.loads(path.read_bytes()) if path.exists() else None
    except (OSError, ValueError, RecursionError):
        return [(True, "cannot be read as JSON")]
    if content is None and not path.exists():
        return []
    if not isinstance(content, dict):
        return [(True, "holds no object, expected keys such as slate and take")]
    odd = [(key, kind) for key, kind in _KEYS.items() if not _is(content.get(key), kind)]
    wrong = [(True, f"{key} is {_short(content.get(key))}, expected {_SAID[kind]}") for key, kind in odd]
    if not wrong and not csv.stem.startswith(f"{content['slate']}_{content['take']}_"):
        wrong.append(
            (True, f"is of slate {_short(content['slate'])}, take {content['take']}, but the file is {csv.name}")
        )
    if content.get("complete") is False:
        return [*wrong, (False, "the recording was cut off; what was written until then is there")]
    if not wrong and content["frames"] != rows:
        wrong.append((False, f"frames is {content['frames']}, the file has {rows} rows"))
    return wrong


_KEYS: dict[str, type] = {
    "frames": int,
    "appVersion": str,
    "slate": str,
    "calibrated": bool,
    "subject": str,
    "identifier": str,
    "date": str,
    "version": int,
    "take": int,
    "deviceModel": str,
}
"""Keys that Unreal's ingest of takes requires."""
_SAID = {int: "a whole number", str: "text", bool: "true or false"}


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _short(value: object) -> str:
    return "missing" if value is None else repr(value)[:40]


def write_audio_json(folder: TakeFolder, *, rate_hz: int, bits: int, channels: int) -> None:
    """Write audio_metadata.json with the app's keys; FormatFlags 12 is Core Audio's "signed integers, packed".

    Parameters
    ----------
    folder
        The take.
    rate_hz, bits, channels
        Sample rate, bits per sample and audio channels.

    Raises
    ------
    TakeError
        The file cannot be written.
    """
    content = {"BitsPerChannel": bits, "ChannelsPerFrame": channels, "FormatFlags": 12, "SampleRate": rate_hz}
    _write_json(folder.path / "audio_metadata.json", content)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    try:
        with whole_file(path) as partial:
            partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise TakeError(f"{path} cannot be written: {error.strerror}") from None


def _plain(text: str) -> str:
    """Keep letters, marks and digits of any script, hyphens and underscores; replace runs of others by one hyphen."""
    text = unicodedata.normalize("NFC", text)
    return re.sub(
        r"-+", "-", "".join(char if char in "-_" or unicodedata.category(char)[0] in "LMN" else "-" for char in text)
    )


def _shortened(text: str) -> str:
    return text.encode("utf-8", "ignore")[:_LONGEST_PART].decode("utf-8", "ignore").rstrip("-_")
