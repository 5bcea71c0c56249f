"""Festival: one batch process per voice; `utt.save.segs` writes the end time of every segment."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import soundfile

from speech_to_face.phones import timed
from speech_to_face_lab.corpus.engines import Utterance, at_16k, tempo

ENCODING = {
    "italian": "iso-8859-1", "catalan": "iso-8859-1", "finnish": "iso-8859-15", "czech": "iso-8859-2",
    "russian": "utf-8", "indic": "utf-8",
}  # fmt: skip
"""Festival voices read bytes, each in the encoding it was written for."""
BATCH = 40
"""Texts of one process: a process that dies or hangs on one text loses no more than these."""
LONGEST_S = 600.0
"""Time limit of a process, seconds."""

SCRIPT = """(voice_{voice})
(set! own_stretch (or (Parameter.get 'Duration_Stretch) 1))
(define (say text base stretch)
  (Parameter.set 'Duration_Stretch (* stretch own_stretch))
  (let ((utt (utt.synth (eval (list 'Utterance 'Text text)))))
    (utt.save.wave utt (string-append base ".wav") 'riff)
    (utt.save.segs utt (string-append base ".seg"))))
"""


class Festival:
    """festival, a batch process at a time."""

    def available(self) -> bool:
        """Whether the program is installed."""
        return shutil.which("festival") is not None

    def speak(self, voice: str, table: str, texts: Sequence[str]) -> Iterator[Utterance]:
        """See `Engine`."""
        for at in range(0, len(texts), BATCH):
            with tempfile.TemporaryDirectory() as folder:
                yield from _say(voice, table, texts[at : at + BATCH], Path(folder))


def _say(voice: str, table: str, texts: Sequence[str], folder: Path) -> Iterator[Utterance]:
    lines = [
        f'(say "{text.translate({34: None, 92: None})}" "{folder}/{i}" {1 / tempo(i):.3f})'
        for i, text in enumerate(texts)
    ]
    script = folder / "say.scm"
    script.write_bytes((SCRIPT.format(voice=voice) + "\n".join(lines)).encode(ENCODING.get(table, "ascii"), "ignore"))
    with suppress(subprocess.TimeoutExpired):  # the texts before the hang are kept
        subprocess.run(["festival", "-b", str(script)], capture_output=True, check=False, timeout=LONGEST_S)
    for i, text in enumerate(texts):
        wav, seg = folder / f"{i}.wav", folder / f"{i}.seg"
        if wav.exists() and seg.exists():
            samples, rate = soundfile.read(wav, dtype="float32")
            yield Utterance(text, at_16k(samples, rate), tuple(timed(segments(seg.read_text("latin-1")), table)))


def segments(text: str) -> list[tuple[str, float, float]]:
    """(symbol, start_s, end_s) rows of an Xwaves label file: after the line "#", end time, colour, name."""
    rows, start = [], 0.0
    for line in text.split("\n#\n", 1)[-1].removeprefix("#\n").splitlines():
        end, _, symbol = line.split()
        rows.append((symbol, start, float(end)))
        start = float(end)
    return rows


def engine() -> Festival:
    """The engine."""
    return Festival()
