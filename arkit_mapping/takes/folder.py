"""Where a take lies: the Live Link Face app's folder and file names, its take.json, and the next free take number.

    FOLDER/20241204_MySlate_166/MySlate_166_iPhone.csv    the face
                                MySlate_166_iPhone.wav    the sound (the app has it in a film)
                                take.json, audio_metadata.json

Unreal's importer names the subject after the file. From a name of more than three parts between underscores it takes
the first two away, slate and number, which leaves the subject; of `MySlate_166_iPhone` it keeps all. A slate therefore
never has an underscore here; a subject keeps its own, but for an ending that the importer takes for a kind of file.
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

MOST_TAKE = 999_999
_LONGEST_PART = 80
"""Bytes of UTF-8 of a slate or a subject in a file name: with numbers and endings it stays below the 255 that file
systems take."""
_KINDS = re.compile(r"_(cal|raw|neutral)$", re.IGNORECASE)
_FOLDER = re.compile(r"\d{8}_(.+)_(\d{1,6})")


@dataclass(frozen=True, slots=True)
class TakeFolder:
    """A take's folder and what is in it."""

    path: Path
    date: str
    """YYYYMMDD, local."""
    slate: str
    take: int
    subject: str
    """As in the file names."""

    @property
    def stem(self) -> str:
        return f"{self.slate}_{self.take}_{self.subject}"

    @property
    def identifier(self) -> str:
        return f"{self.date}_{self.slate}_{self.take}"

    @property
    def csv(self) -> Path:
        return self.path / f"{self.stem}.csv"

    @property
    def sound(self) -> Path:
        return self.path / f"{self.stem}.wav"

    def remove(self) -> None:
        """Take away the files that a recording makes, and the folder unless somebody put something else there."""
        for path in (self.csv, self.sound, self.path / "take.json", self.path / "audio_metadata.json"):
            path.unlink(missing_ok=True)
        try:
            self.path.rmdir()
        except OSError:
            pass  # not empty: what is in it is not ours


def slate_part(text: str) -> str:
    """A slate as a part of a file name: letters, digits and hyphens; `face` where nothing of it is left."""
    return _shortened(_plain(text).replace("_", "-").strip("-")) or "face"


def subject_part(text: str) -> str:
    """A subject as a part of a file name: letters, digits, hyphens and single underscores inside; `face` where nothing
    is left."""
    part = _shortened(re.sub(r"_+", "_", _plain(text)).strip("-_"))
    return _KINDS.sub(r"-\1", part) or "face"


def next_take(root: Path, slate: str) -> int:
    """One more than the highest number that a take of this slate has in `root`, of any day; 1 for the first."""
    known = slate_part(slate).casefold()
    try:
        found = [_FOLDER.fullmatch(name) for name in os.listdir(root)]
    except OSError:
        found = []  # not there yet, or not to be read: making the folder will say so
    return 1 + max((int(match[2]) for match in found if match and match[1].casefold() == known), default=0)


def reserve(root: Path, *, slate: str, subject: str, day: datetime, take: int | None = None) -> TakeFolder:
    """Make the folder of a new take: number `take`, or the next one; the one after where that is taken.

    A folder is made or was there, so two programs never get the same. Raises TakeError where none can be made.
    """
    slate, date = slate_part(slate), day.strftime("%Y%m%d")
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number in range(take or next_take(root, slate), MOST_TAKE + 1):
            path = root / f"{date}_{slate}_{number}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return TakeFolder(path, date, slate, number, subject_part(subject))
    except OSError as error:
        raise TakeError(f"{root}: takes cannot be written there: {error.strerror}") from None
    raise TakeError(f"{root}: slate {slate} has no free take number up to {MOST_TAKE}; choose another slate")


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
    """Write take.json: the app's keys, then ours: the first row's timecode, and whether the recording was ended rather
    than cut off.

    The file is replaced whole. Raises TakeError.
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
    """What a take.json beside a take of so many rows says wrongly: whether Unreal's ingest minds, and what. None beside
    it: nothing."""
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
"""Every one of them is required by the ingest of takes."""
_SAID = {int: "a whole number", str: "text", bool: "true or false"}


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _short(value: object) -> str:
    return "missing" if value is None else repr(value)[:40]


def write_audio_json(folder: TakeFolder, *, rate_hz: int, bits: int, channels: int) -> None:
    """Write audio_metadata.json with the app's keys. FormatFlags 12 is Core Audio's "signed integers, packed". Raises
    TakeError."""
    content = {"BitsPerChannel": bits, "ChannelsPerFrame": channels, "FormatFlags": 12, "SampleRate": rate_hz}
    _write_json(folder.path / "audio_metadata.json", content)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    try:
        with whole_file(path) as partial:
            partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise TakeError(f"{path} cannot be written: {error.strerror}") from None


def _plain(text: str) -> str:
    """Letters, marks and digits of any script, hyphens and underscores; each run of anything else is one hyphen."""
    text = unicodedata.normalize("NFC", text)
    return re.sub(
        r"-+", "-", "".join(char if char in "-_" or unicodedata.category(char)[0] in "LMN" else "-" for char in text)
    )


def _shortened(text: str) -> str:
    return text.encode("utf-8", "ignore")[:_LONGEST_PART].decode("utf-8", "ignore").rstrip("-_")
