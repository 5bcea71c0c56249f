"""Live Link Face takes as Level Sequences with their sound, for the Unreal editor. Needs nothing but this file.

In the editor, with the plugins Live Link Face Importer, Python Editor Script Plugin and Sequencer Scripting on, type into the
Output Log's Cmd line:

    py "C:/bridge/ue_plugin_docs/scripts/import_take.py" C:/takes --dest /Game/Takes

Anywhere else, with any Python from 3.9, the same command says what it would do and what is wrong with each take:

    python import_take.py takes --dry-run

Unreal's own importer makes the sequence. What it gets is a copy of the take in which its traps are out of the way: the first row
at the sequence's beginning instead of at the time of day, sixtieths in FF, no row at which it would stop, at least one FF over 30
so that no version takes it for 30 fps, and a name from which it reads the subject that is meant. Then the sound is laid beside it.

Unreal's API is used under the names of its Python API documentation. This has been run against a small stand-in for that API only
(tests/ue_plugin_docs), not in an editor.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import re
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE = 60
"""What FF of a timecode counts, whatever the take's own rate."""
DAY = 24 * 3600 * RATE
KINDS = ("_cal", "_neutral", "_raw")
"""Endings of the three files of a calibrated take; the first holds the face that is meant."""


class TakeError(Exception):
    """A take that cannot be imported, in one line."""


@dataclass(frozen=True)
class Take:
    """The rows of a take, as text but for their times."""

    header: tuple[str, ...]
    """Column names; the first two are Timecode and BlendShapeCount."""
    ticks: tuple[float, ...]
    """Sixtieths of a second since midnight of the first row's day, rising."""
    rows: tuple[tuple[str, ...], ...]
    """The cells of each row from the second on."""
    notes: tuple[str, ...]
    """What was mended in reading."""


@dataclass(frozen=True)
class Plan:
    """What one take becomes."""

    csv: Path
    wav: Path | None
    take: Take
    """With its times in the sequence."""
    subject: str
    sequence: str
    sound: str
    """Asset names; the latter empty without sound."""
    sound_frames: int
    """The sound's length in sixtieths, rounded up."""
    notes: tuple[str, ...]

    @property
    def first_frame(self) -> int:
        return round(self.take.ticks[0])

    @property
    def frames(self) -> int:
        """From the first row to the end of what lasts longer, face or sound."""
        return max(math.ceil(self.take.ticks[-1]) + 1 - self.first_frame, self.sound_frames)


def find_takes(path: Path) -> list[Path]:
    """The takes under a path: the file itself, or every .csv of a folder that begins as a take does.

    Of a calibrated take's files only the calibrated one.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*.csv") if _begins_as_take(file))
    if not found:
        raise TakeError(f"{path} is no file, and no folder with a .csv in it that begins with Timecode,BlendShapeCount")
    names = {file.with_suffix("") for file in found}
    return [file for file in found if not _has_better(file.with_suffix(""), names)]


def _has_better(name: Path, names: set[Path]) -> bool:
    """Whether the same take's calibrated file is there too, or for its raw and neutral ones the plain file."""
    plain = name.with_name(plain_stem(name.name))
    calibrated = plain.with_name(plain.name + "_cal")
    return name != calibrated and (calibrated in names or (name != plain and plain in names))


def plain_stem(stem: str) -> str:
    """A take's name without the ending of a calibrated take's files."""
    for kind in KINDS:
        if stem.lower().endswith(kind):
            return stem[: -len(kind)]
    return stem


def _begins_as_take(file: Path) -> bool:
    with open(file, encoding="utf-8-sig", errors="replace") as lines:
        return lines.readline(200).lower().startswith("timecode,blendshapecount,")


def read_take(path: Path) -> Take:
    """The take in a file. Raises TakeError with the line at which Unreal's importer would stop or read something else."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TakeError(f"{path.name} cannot be read as text: {error}") from None
    header = tuple(name.strip() for name in "".join(lines[:1]).split(","))
    if [name.lower() for name in header[:2]] != ["timecode", "blendshapecount"] or len(header) < 3:
        raise TakeError(f"{path.name}, line 1: got {','.join(header)[:40]!r}, expected Timecode,BlendShapeCount,EyeBlinkLeft,...")
    moments, rows = [], []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            cells = tuple(cell.strip() for cell in line.split(","))
            _check_cells(cells, header, path.name, number)
            moments.append(_moment(cells[0], path.name, number))
            rows.append(cells[1:])
    if not rows:
        raise TakeError(f"{path.name} has no row after the header")
    return _timed(header, moments, rows, path.name)


def _check_cells(cells: tuple[str, ...], header: tuple[str, ...], name: str, number: int) -> None:
    if len(cells) != len(header) or "" in cells:
        filled = sum(map(bool, cells))
        raise TakeError(f"{name}, line {number}: got {filled} filled cells, expected {len(header)}; importers stop at such a row")
    bad = next((cell for cell in cells[2:] if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", cell, re.ASCII | re.I)), None)
    if bad is not None:
        raise TakeError(f"{name}, line {number}: got {bad[:40]!r}, expected a number")


def _moment(text: str, name: str, number: int) -> tuple[int, float]:
    """Whole seconds of the day, and FF.mmm."""
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)", text, re.ASCII)
    hours, minutes, seconds = map(int, match.groups()[:3]) if match else (24, 0, 0)
    if match is None or not (hours < 24 and minutes < 60 and seconds < 60 and float(match[4]) < RATE):
        raise TakeError(f"{name}, line {number}: got timecode {text[:40]!r}, expected HH:MM:SS:FF.mmm, non-drop, FF below {RATE}")
    return 3600 * hours + 60 * minutes + seconds, float(match[4])


def _timed(header: tuple[str, ...], moments: list[tuple[int, float]], rows: list[tuple[str, ...]], name: str) -> Take:
    """Rows with rising times. Thirtieths become sixtieths, rows past midnight go on counting, of two rows at one time the later counts."""
    notes = []
    thirtieths = max(ff for _, ff in moments) <= RATE / 2 and len({second for second, _ in moments}) > 2
    if thirtieths:
        notes.append("FF counts thirtieths: doubled, since older importers read sixtieths")
    kept: dict[float, tuple[str, ...]] = {}
    day, last = 0, -1.0
    for (second, ff), row in zip(moments, rows):  # noqa: B905 - both have one entry a row; `strict` is newer than Unreal 5.3's Python
        tick = second * RATE + ff * (2 if thirtieths else 1) + day
        if tick < last - DAY / 2:
            day, tick = day + DAY, tick + DAY
            notes.append("runs over midnight: the rows after it are kept at the end")
        if tick < last:
            raise TakeError(f"{name}: timecode goes back by {(last - tick) / RATE:.3f} s, expected it to rise")
        kept[tick], last = row, tick
    return Take(header, tuple(kept), tuple(kept.values()), tuple(notes))


def sound_beside(csv: Path) -> Path | None:
    """The .wav of the take's name beside it."""
    wav = csv.with_name(plain_stem(csv.stem) + ".wav")
    return wav if wav.is_file() else None


def sound_frames(wav: Path) -> int:
    """A .wav's length in sixtieths of a second, rounded up, from its header alone; RIFF and RF64."""
    with open(wav, "rb") as file:
        kind, _, form = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        if kind not in (b"RIFF", b"RF64") or form != b"WAVE":
            raise TakeError(f"{wav.name} is no .wav file")
        bytes_a_second, long_size = 0, 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                size = long_size if kind == b"RF64" and size == 0xFFFFFFFF else size
                if bytes_a_second:
                    return -(-size * RATE // bytes_a_second)
                break
            body = file.read(size + size % 2)
            if name == b"fmt ":
                bytes_a_second = struct.unpack_from("<I", body, 8)[0]
            elif name == b"ds64":
                long_size = struct.unpack_from("<Q", body, 8)[0]
    raise TakeError(f"{wav.name} holds no sound: no fmt and data in it")


def imported_subject(name: str) -> str:
    """The subject that Unreal's importer makes of an asset's name (LiveLinkFaceImporterFactory.cpp, CreateSubjectString).

    The ending of a calibrated take goes. Of more than three parts between underscores the first goes, and all up to and with the
    first number; if nothing is left, nothing goes.
    """
    for kind in ("_cal", "_raw", "_neutral"):
        name = name[: -len(kind)] if name.lower().endswith(kind) else name
    parts = name.split("_")
    if len(parts) > 3:
        numbers = [at for at, part in enumerate(parts) if at and re.fullmatch(r"(?=.)[+-]?\d*\.?\d*", part, re.ASCII)]
        rest = parts[numbers[0] + 1 :] if numbers else []
        name = "_".join(rest) if rest else name
    return name


def take_names(csv: Path) -> tuple[str, str, str]:
    """Slate, number and subject: of take.json where there is one, else of the file's name; a name of another form is all three's."""
    try:
        card = json.loads(csv.with_name("take.json").read_text(encoding="utf-8"))
        return str(card["slate"]), str(int(card["take"])), str(card["subject"])
    except (OSError, ValueError, KeyError, TypeError):
        stem = plain_stem(csv.stem)
        match = re.fullmatch(r"(.+?)_(\d+)_(.+)", stem, re.ASCII)
        return (match[1], match[2], match[3]) if match else (stem, "1", stem)


def asset_name(csv: Path, subject: str) -> str:
    """A name for the sequence from which the importer reads just this subject."""
    slate, number, _ = take_names(csv)
    for name in (f"LS_{clean(plain_stem(csv.stem))}", f"LS-{clean(slate).replace('_', '-')}_take_{number}_{subject}"):
        if imported_subject(name) == subject:
            return name
    raise TakeError(f"no asset name gives the subject {subject!r}: it ends like a calibrated take; give another with --subject")


def clean(name: str) -> str:
    """A name with hyphens for what no asset's name may hold."""
    return re.sub(r"[\s\"',/.:|&!~@#(){}\[\]=;^%$`\\<>?*+]+", "-", name).strip("-") or "take"


def make_plan(csv: Path, *, subject: str | None = None, keep_timecode: bool = False, with_sound: bool = True) -> Plan:
    """What would become of a take. TakeError for what cannot be imported as meant."""
    take = read_take(csv)
    notes = list(take.notes)
    asked = subject or take_names(csv)[2]
    wanted = clean(asked)
    if wanted != asked:
        notes.append(f"the subject {asked!r} cannot stand in an asset's name: choose {wanted!r} on the MetaHuman for this sequence")
    name = asset_name(csv, wanted)
    wav = sound_beside(csv) if with_sound else None
    if wav is None and with_sound:
        notes.append(f"no {plain_stem(csv.stem)}.wav beside it: silent")
    placed = placed_at(take, float(round(take.ticks[0])) if keep_timecode else 0.0)
    if len(placed.rows) > len(take.rows):
        notes.append(f"{len(placed.rows) - len(take.rows)} neutral rows added, so that no importer takes it for 30 fps")
    return Plan(csv, wav, placed, wanted, name, "SW" + name[2:] if wav else "", sound_frames(wav) if wav else 0, tuple(notes))


def placed_at(take: Take, first: float) -> Take:
    """The take with its first row at this sixtieth, and neutral rows after its end until one FF is over 30."""
    ticks, rows = [tick - take.ticks[0] + first for tick in take.ticks], list(take.rows)
    neutral = (rows[-1][0], *("0.0000000000" for _ in take.header[2:]))
    while not any(round(tick % RATE, 3) > RATE / 2 for tick in ticks):
        ticks.append(ticks[-1] + 1)
        rows.append(neutral)
    return Take(take.header, tuple(ticks), tuple(rows), take.notes)


def csv_text(take: Take) -> str:
    """The take as a file for the importer. Hours go on past 23, which it reads as such."""
    header = ",".join(("Timecode", "BlendShapeCount", *take.header[2:]))
    return "\n".join((header, *(f"{timecode(tick)},{','.join(row)}" for tick, row in zip(take.ticks, take.rows)), ""))  # noqa: B905


def timecode(tick: float) -> str:
    """HH:MM:SS:FF.mmm of so many sixtieths."""
    thousandths = round(tick * 1000)
    seconds, ff = divmod(thousandths, RATE * 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{ff / 1000:06.3f}"


def described(plan: Plan, dest: str) -> Iterator[str]:
    """The plan in lines."""
    at = timecode(plan.first_frame) if plan.first_frame else "the beginning"
    yield f"{plan.csv} -> {dest}/{plan.sequence}"
    yield f"  subject {plan.subject}, {len(plan.take.rows)} rows, {plan.frames / RATE:.2f} s from {at}"
    if plan.wav:
        yield f"  sound {plan.wav.name}, {plan.sound_frames / RATE:.2f} s -> {dest}/{plan.sound}"
    yield from (f"  note: {note}" for note in plan.notes)


class Editor:
    """The few calls to Unreal, by the names of its Python API reference; LiveLinkFaceImporterFactory by the plugin's source."""

    def __init__(self, unreal: Any) -> None:
        if not hasattr(unreal, "LiveLinkFaceImporterFactory"):
            raise TakeError("the plugin Live Link Face Importer is off: Edit > Plugins, enable it, restart the editor")
        self._unreal = unreal
        self._assets = unreal.get_editor_subsystem(unreal.EditorAssetSubsystem)

    def make(self, plan: Plan, dest: str, *, replace: bool) -> None:
        """Import face and sound, and save both. TakeError if an asset is there already or Unreal imports nothing."""
        for name in filter(None, (plan.sequence, plan.sound)):
            self._make_room(f"{dest}/{name}", replace)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, plan.sequence + ".csv")
            copy.write_bytes(csv_text(plan.take).encode())
            sequence = self._import(copy, dest, plan.sequence, self._unreal.LiveLinkFaceImporterFactory())
        sequence.set_display_rate(self._unreal.FrameRate(RATE, 1))
        if plan.wav:
            self._lay(sequence, self._import(plan.wav, dest, plan.sound, None), plan)
        sequence.set_playback_start(plan.first_frame)
        sequence.set_playback_end(plan.first_frame + plan.frames)
        self._assets.save_loaded_asset(sequence)

    def _make_room(self, path: str, replace: bool) -> None:
        if not self._assets.does_asset_exist(path):
            return
        if not replace:
            raise TakeError(f"{path} is there already; --replace deletes it first")
        if not self._assets.delete_asset(path):
            raise TakeError(f"{path} could not be deleted; something may hold it open")

    def _import(self, file: Path, dest: str, name: str, factory: Any) -> Any:
        task = self._unreal.AssetImportTask()
        settings = {"filename": str(file.resolve()), "destination_path": dest, "destination_name": name, "automated": True, "save": True}
        for key, value in (settings if factory is None else {**settings, "factory": factory}).items():
            task.set_editor_property(key, value)
        self._unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
        made = list(task.get_editor_property("imported_object_paths"))
        asset = self._assets.load_asset(made[0]) if made else None
        if asset is None:
            raise TakeError(f"Unreal imported nothing of {file.name}: see the lines of LogLiveLinkFaceImporter in the Output Log")
        return asset

    def _lay(self, sequence: Any, sound: Any, plan: Plan) -> None:
        """The sound on an audio track, its first sample at the first row."""
        section = sequence.add_track(self._unreal.MovieSceneAudioTrack).add_section()
        section.set_editor_property("sound", sound)
        section.set_range(plan.first_frame, plan.first_frame + plan.sound_frames)


def main(arguments: list[str], unreal: Any = None) -> int:
    """0 all done, 1 something could not be imported. `unreal` is the editor's module; without it this is a dry run."""
    given = _parser().parse_args(arguments)
    dry = given.dry_run or unreal is None
    dest = "/" + given.dest.strip("/")
    failures = 0
    try:
        editor = None if dry else Editor(unreal)
        files = [file for path in given.takes for file in find_takes(path)]
    except TakeError as error:
        _say(unreal, f"error: {error}", wrong=True)
        return 1
    for file in files:
        try:
            plan = make_plan(file, subject=given.subject, keep_timecode=given.keep_timecode, with_sound=not given.no_sound)
            if editor:
                editor.make(plan, dest, replace=given.replace)
            for line in described(plan, dest):
                _say(unreal, line)
        except TakeError as error:
            failures += 1
            _say(unreal, f"error: {file}: {error}", wrong=True)
    _say(unreal, f"{len(files) - failures} of {len(files)} takes {'would be imported (dry run)' if dry else 'imported'}")
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="import_take.py", description="Live Link Face takes as Level Sequences with their sound.")
    parser.add_argument("takes", nargs="+", type=Path, help="a take's .csv, or a folder with takes in it")
    parser.add_argument("--dest", default="/Game/Takes", help="content folder of the assets (default %(default)s)")
    parser.add_argument("--subject", help="the Live Link subject that the sequence plays as; default the take's own")
    parser.add_argument("--keep-timecode", action="store_true", help="place the take at its time of day instead of at the beginning")
    parser.add_argument("--no-sound", action="store_true", help="leave the sound out")
    parser.add_argument("--replace", action="store_true", help="delete assets of the same names first")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done; always so outside Unreal")
    return parser


def _say(unreal: Any, line: str, *, wrong: bool = False) -> None:
    if unreal is None:
        (sys.stderr if wrong else sys.stdout).write(line + "\n")
    else:
        (unreal.log_error if wrong else unreal.log)(line)


if __name__ == "__main__":
    try:
        import unreal as _unreal  # type: ignore[import-not-found]
    except ImportError:
        sys.exit(main(sys.argv[1:]))
    with contextlib.suppress(SystemExit):  # of a wrong option, which has been told; the editor must not end with it
        main(sys.argv[1:], _unreal)
