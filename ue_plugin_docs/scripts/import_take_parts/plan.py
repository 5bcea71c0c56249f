"""What one take becomes in Unreal: asset names, subject, audio file and the placed rows."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .copied.cells import TakeError
from .copied.names import imported_subject, named, no_sound, plain_stem, sound_beside
from .take import RATE, Take, placed_at, read_take, timecode


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
    """Asset names of the Level Sequence and the Sound Wave; the latter is empty without audio."""
    sound_frames: int
    """Length of the audio in sixtieths of a second, rounded up."""
    notes: tuple[str, ...]

    @property
    def first_frame(self) -> int:
        """Frame of the first row in the sequence."""
        return round(self.take.ticks[0])

    @property
    def frames(self) -> int:
        """Frames from the first row to the end of face or audio, whichever is longer."""
        return max(math.ceil(self.take.ticks[-1]) + 1 - self.first_frame, self.sound_frames)


def make_plan(csv: Path, *, subject: str | None = None, keep_timecode: bool = False, with_sound: bool = True,
              rate: str | None = None) -> Plan:  # fmt: skip
    """Plan the import of one take.

    Parameters
    ----------
    csv : the take's file
    subject : the Live Link subject of the sequence; None takes the take's own
    keep_timecode : place the first row at its time of day, else at 0
    with_sound : import the audio file beside the take
    rate : what FF counts; None finds it out

    Raises
    ------
    TakeError
        If the take cannot be imported correctly.
    """
    take = read_take(csv, rate)
    notes = list(take.notes)
    asked = subject or named(csv)[2]
    wanted = clean(asked)
    if wanted != asked:
        notes.append(
            f"the subject {asked!r} cannot stand in an asset's name: "
            f"choose {wanted!r} on the MetaHuman for this sequence"
        )
    name = asset_name(csv, wanted)
    wav, silent = _sound(csv) if with_sound else (None, "")
    if silent:
        notes.append(f"silent: {silent}")
    placed = placed_at(take, float(round(take.ticks[0])) if keep_timecode else 0.0)
    if len(placed.rows) > len(take.rows):
        notes.append(f"{len(placed.rows) - len(take.rows)} neutral rows added, so that no importer takes it for 30 fps")
    return Plan(
        csv, wav, placed, wanted, name, "SW" + name[2:] if wav else "", sound_frames(wav) if wav else 0, tuple(notes)
    )


def _sound(csv: Path) -> tuple[Path | None, str]:
    """The .wav beside a take, or None and the reason."""
    wav = sound_beside(csv)
    if wav is None:
        return None, no_sound(csv)
    if wav.suffix.lower() != ".wav":
        return None, f"{wav.name} is no .wav; ffmpeg -i {wav.name} {plain_stem(csv.stem)}.wav makes one"
    return wav, ""


def sound_frames(wav: Path) -> int:
    """Read the length of a .wav from its header: sixtieths of a second, rounded up. RIFF and RF64."""
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


def asset_name(csv: Path, subject: str) -> str:
    """Name the sequence so that the importer reads exactly this subject from it. TakeError if no name does."""
    slate, number, _ = named(csv)
    slate = clean(slate or plain_stem(csv.stem)).replace("_", "-")
    for name in (f"LS_{clean(plain_stem(csv.stem))}", f"LS-{slate}_take_{number or 1}_{subject}"):
        if imported_subject(name) == subject:
            return name
    raise TakeError(
        f"no asset name gives the subject {subject!r}: it ends like a calibrated take; give another with --subject"
    )


def clean(name: str) -> str:
    """Replace the characters that Unreal does not allow in an asset name by hyphens."""
    return re.sub(r"[\s\"',/.:|&!~@#(){}\[\]=;^%$`\\<>?*+]+", "-", name).strip("-") or "take"


def described(plan: Plan, dest: str) -> Iterator[str]:
    """The plan as lines for the user."""
    at = timecode(plan.first_frame) if plan.first_frame else "the beginning"
    yield f"{plan.csv} -> {dest}/{plan.sequence}"
    yield f"  subject {plan.subject}, {len(plan.take.rows)} rows, {plan.frames / RATE:.2f} s from {at}"
    if plan.wav:
        yield f"  audio {plan.wav.name}, {plan.sound_frames / RATE:.2f} s -> {dest}/{plan.sound}"
    yield from (f"  note: {note}" for note in plan.notes)
