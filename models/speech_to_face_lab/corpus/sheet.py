"""A sheet of all viseme classes: `python -m speech_to_face_lab.corpus.sheet --out docs/visemes.png`.

Every class as it stands in the middle of a phone that lasts, holds included, with words that have it and the channels
that move most.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face.phones import CLASSES, Phone
from speech_to_face_lab.corpus import portrait
from speech_to_face_lab.corpus.visemes import curves

EXAMPLES: dict[str, str] = {
    "SIL": "(silence)",
    "AA": "father, hot",
    "AE": "cat",
    "AH": "cup, about",
    "EH": "bed",
    "IH": "sit",
    "IY": "see",
    "AO": "law",
    "OW": "go",
    "UH": "book",
    "UW": "food",
    "YY": "French lune",
    "OE": "French peu",
    "ER": "bird",
    "PB": "pie, buy",
    "M": "my",
    "FV": "fine, vine",
    "TH": "thin, this",
    "TD": "tie, die",
    "N": "no",
    "L": "low",
    "S": "see, zoo",
    "SH": "she, chin, joy",
    "R": "red",
    "RR": "Spanish perro",
    "KG": "key, go",
    "NG": "sing",
    "W": "we",
    "J": "yes",
    "H": "he",
}
COLUMNS, PICTURE = 6, 212
"""Pixels of a picture's width."""
MARGIN, TEXT = 10, 70
SHOWN, LEAST = 4, 0.03
"""Number of channels that are named, and from which value."""
SIDEWAYS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Channels whose names end in a direction, not a side of the face."""
INK, PALE = (28, 28, 32), (96, 96, 104)


def middle(name: str) -> NDArray[np.float32]:
    """float32 (32,): the mouth in the middle of a second of class `name`."""
    return np.asarray(curves([Phone(name, 0.0, 1.0)], FRAME_RATE)[FRAME_RATE // 2], np.float32)


def leading(mouth: NDArray[np.float32]) -> list[tuple[str, float]]:
    """The channels that move most, pairs as their mean, lips without their "mouth"; largest first."""
    values: dict[str, float] = {}
    for name, value in zip(MOUTH_32, mouth, strict=True):
        base = name if name in SIDEWAYS else name.removesuffix("Left").removesuffix("Right")
        values[base] = values.get(base, 0.0) + float(value) / (1 if base == name else 2)
    moving = [(_short(name), value) for name, value in values.items() if value >= LEAST]
    return sorted(moving, key=lambda pair: -pair[1])[:SHOWN]


def _short(name: str) -> str:
    """mouthLowerDown -> lowerDown"""
    plain = name.removeprefix("mouth")
    return name if name in SIDEWAYS else plain[0].lower() + plain[1:]


def sheet() -> Image.Image:
    """RGB picture of all classes, in the order of CLASSES."""
    pictures = {name: portrait.draw(middle(name), PICTURE) for name in CLASSES}
    wide, high = PICTURE + MARGIN, pictures[CLASSES[0]].height + TEXT + MARGIN
    rows = -(-len(CLASSES) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * wide + MARGIN, rows * high + MARGIN), (255, 255, 255))
    for i, name in enumerate(CLASSES):
        _cell(page, pictures[name], name, (MARGIN + i % COLUMNS * wide, MARGIN + i // COLUMNS * high))
    return page


def _cell(page: Image.Image, picture: Image.Image, name: str, corner: tuple[int, int]) -> None:
    x, y = corner
    page.paste(picture, corner)
    pen, top = ImageDraw.Draw(page), y + picture.height + 4
    large, small = ImageFont.load_default(19), ImageFont.load_default(12)
    pen.text((x, top), name, INK, large)
    pen.text((x + pen.textlength(name, large) + 10, top + 6), EXAMPLES[name], INK, ImageFont.load_default(14))
    values = [f"{channel} {value:.2f}" for channel, value in leading(middle(name))] or ["at rest"]
    for line, part in enumerate((values[:2], values[2:])):
        pen.text((x, top + 27 + 16 * line), "   ".join(part), PALE, small)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="picture to write (png)")
    chosen = parser.parse_args()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    page = sheet().quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    page.save(chosen.out, optimize=True)
    print(f"{len(CLASSES)} classes: {chosen.out}")


if __name__ == "__main__":
    main()
