"""A plain drawing of the lower face from 32 mouth coefficients, from the front.

For people to look at: the network's own drawings are in `speech_to_face.networks.pmmtalk.faces`. Lengths are in half
widths of a neutral mouth, x to the right of the picture (the face's own left), y down, the seam of the closed lips at
0. Movements are exaggerated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from arkit_mapping.channels import MOUTH_32

Points = NDArray[np.float64]
"""(points, 2): x, y."""
Colour = tuple[int, int, int]

SKIN: Colour = (240, 208, 186)
SHADE: Colour = (205, 160, 138)
LIP: Colour = (196, 92, 92)
UPPER_LIP: Colour = (176, 76, 80)
SEAM: Colour = (104, 34, 42)
INSIDE: Colour = (66, 18, 24)
TONGUE: Colour = (208, 104, 110)
TEETH: Colour = (252, 250, 244)
GAPS: Colour = (205, 200, 192)

JAW_DROP = 1.85
"""How far a fully open jaw moves down."""
UPPER_EDGE, LOWER_EDGE = 0.06, -0.02
"""Where the rows of teeth end while the jaw is shut; the upper ones stand a little before the lower ones."""
SUPERSAMPLED = 4
WIDE, LOW, HIGH = 2.2, 2.6, 1.3
"""What the picture shows: this far to the sides, down and up."""
ACROSS = np.linspace(-1, 1, 121)


@dataclass(frozen=True, slots=True)
class Mouth:
    """The drawing's own measures."""

    corners: tuple[float, float, float, float]
    """x and y of the corner on the left of the picture, x and y of the one on the right."""
    rounding: float
    pucker: float
    rise: float
    """Inner edge of the upper lip above the seam."""
    fall: float
    """Inner edge of the lower lip below the seam."""
    upper: float
    lower: float
    """Thickness of the lips."""
    jaw: float
    aside: float
    press: float
    puff: float
    fold: float
    sneer: float

    @classmethod
    def of(cls, coefficients: NDArray[np.float32]) -> Mouth:
        """coefficients: (32,) in the order of MOUTH_32."""
        c = {name: float(value) for name, value in zip(MOUTH_32, coefficients, strict=True)}
        both = {name[:-4]: (value + c[name[:-4] + "Right"]) / 2 for name, value in c.items() if name.endswith("Left")}
        pucker, funnel, jaw = c["mouthPucker"], c["mouthFunnel"], JAW_DROP * c["jawOpen"]
        apart = max(0.0, jaw - JAW_DROP * c["mouthClose"])
        thin = 1 - 0.9 * both["mouthPress"]
        full = 1 + 0.5 * funnel + 0.35 * pucker
        return cls(
            corners=(*_corner(c, "Right", apart), *_corner(c, "Left", apart)),
            rounding=min(1.0, 1.1 * (pucker + funnel)),
            pucker=pucker,
            rise=1.2 * both["mouthUpperUp"] + 0.16 * funnel + 0.08 * c["mouthShrugUpper"] * (apart > 0),
            fall=max(
                0.0,
                apart
                + 0.9 * both["mouthLowerDown"]
                + 0.14 * funnel
                - 0.22 * c["mouthRollLower"]
                - 0.1 * c["mouthShrugLower"],
            ),
            upper=0.25 * full * thin * (1 - 1.8 * min(0.5, c["mouthRollUpper"])) * (1 + 0.6 * c["mouthShrugUpper"]),
            lower=0.36
            * full
            * thin
            * (1 - 1.7 * min(0.5, c["mouthRollLower"]))
            * (1 + 0.6 * c["mouthShrugLower"] + c["jawForward"]),
            jaw=jaw,
            aside=c["jawLeft"] - c["jawRight"],
            press=both["mouthPress"],
            puff=c["cheekPuff"],
            fold=both["mouthSmile"] + both["cheekSquint"] + 0.6 * both["mouthDimple"],
            sneer=both["noseSneer"],
        )


def _corner(c: dict[str, float], side: str, apart: float) -> tuple[float, float]:
    """x and y of the corner on the face's `side`; an open jaw draws corners in and down."""
    out = 1 + 0.55 * c["mouthStretch" + side] + 0.5 * c["mouthSmile" + side] + 0.4 * c["mouthDimple" + side]
    out += -0.62 * c["mouthPucker"] - 0.32 * c["mouthFunnel"] - 0.08 * apart
    down = 0.9 * c["mouthFrown" + side] - 0.75 * c["mouthSmile" + side] + 0.22 * apart
    shift = 0.8 * (c["mouthLeft"] - c["mouthRight"])
    return (out if side == "Left" else -out) + shift, down


def draw(coefficients: NDArray[np.float32], width: int = 240) -> Image.Image:
    """RGB picture, `width` pixels wide, of (32,) coefficients in the order of MOUTH_32."""
    return _Canvas(width).face(Mouth.of(coefficients))


def edges(mouth: Mouth) -> dict[str, Points]:
    """Outlines of both lips, outer and inner, from the left of the picture to the right."""
    inner = 0.95 - 0.3 * mouth.rounding
    bow = 1 - 0.2 * np.exp(-((ACROSS / 0.13) ** 2)) + 0.06 * np.exp(-(((np.abs(ACROSS) - 0.3) / 0.16) ** 2))
    return {
        "upper outer": _arch(mouth, 1.0, -(mouth.rise + mouth.upper * bow)),
        "upper inner": _arch(mouth, inner, np.full_like(ACROSS, -mouth.rise)),
        "lower inner": _arch(mouth, inner, np.full_like(ACROSS, mouth.fall)),
        "lower outer": _arch(mouth, 1.0, np.full_like(ACROSS, mouth.fall + mouth.lower)),
    }


def _arch(mouth: Mouth, width: float, height: Points) -> Points:
    """A curve between the corners: flat where lips are spread, half an ellipse where they are round."""
    left_x, left_y, right_x, right_y = mouth.corners
    centre, half = (left_x + right_x) / 2, (right_x - left_x) / 2
    corner = np.where(ACROSS < 0, left_y, right_y)
    bulge = (1 - ACROSS**2) ** (0.85 - 0.35 * mouth.rounding)
    sideways = 0.5 * mouth.aside * (height > 0) * bulge
    return np.stack(
        [centre + half * width * ACROSS + sideways, corner * np.abs(ACROSS) ** 1.5 * width + height * bulge], 1
    )


class _Canvas:
    """An enlarged picture with the drawing's lengths."""

    def __init__(self, width: int) -> None:
        self.size = (width, round(width * (LOW + HIGH) / (2 * WIDE)))
        self.scale = SUPERSAMPLED * width / (2 * WIDE)
        self.picture = Image.new("RGB", (self.size[0] * SUPERSAMPLED, self.size[1] * SUPERSAMPLED), SKIN)
        self.pen = ImageDraw.Draw(self.picture)

    def face(self, mouth: Mouth) -> Image.Image:
        self._around(mouth)
        outline = edges(mouth)
        self._area([outline["upper outer"], outline["upper inner"][::-1]], UPPER_LIP)
        self._area([outline["lower inner"], outline["lower outer"][::-1]], LIP)
        self._shine(mouth, outline)
        self._opening(mouth, outline)
        self._lines(mouth, outline)
        return self.picture.resize(self.size, Image.Resampling.LANCZOS)

    def _around(self, mouth: Mouth) -> None:
        """Nose, cheeks, the folds of a smile, and a chin that goes with the jaw."""
        lift = 0.35 * mouth.sneer
        for side in (-1, 1):
            self._line(
                _bow((side * 0.36, -1.2 - lift), (side * 0.5, -0.98 - lift), (side * 0.2, -0.9 - lift)), SHADE, 0.05
            )
            cheek = 1.9 + 3.5 * mouth.puff
            self._line(
                _bow((side * 1.95, -1.35), (side * cheek, 0.1), (side * 1.35, 1.5 + 0.6 * mouth.jaw)), SHADE, 0.05
            )
            deep = min(1.0, 3 * mouth.fold + 2 * mouth.sneer)
            if deep > 0.15:
                reach = (side * (1.25 + 0.3 * mouth.fold), 0.2)
                self._line(_bow((side * 0.66, -0.95), (side * (1.1 + mouth.fold), -0.6), reach), SHADE, 0.055 * deep)
        chin = 1.5 + 0.6 * mouth.jaw
        aside = 0.8 * mouth.aside
        self._line(_bow((-1.35 + aside, chin - 0.05), (aside, chin + 1.0), (1.35 + aside, chin - 0.05)), SHADE, 0.05)
        crease = mouth.fall + mouth.lower + 0.3
        self._line(_bow((-0.3 + aside, crease), (aside, crease + 0.12), (0.3 + aside, crease)), SHADE, 0.035)

    def _shine(self, mouth: Mouth, outline: dict[str, Points]) -> None:
        """A lighter stripe along the lower lip: how thick it is, and that it is round."""
        middle = slice(38, 83)
        stripe = 0.55 * outline["lower inner"][middle] + 0.45 * outline["lower outer"][middle]
        self._line(stripe, (222, 136, 130), min(0.09, 0.3 * mouth.lower))

    def _opening(self, mouth: Mouth, outline: dict[str, Points]) -> None:
        """What is seen between the lips: dark, tongue, lower teeth, upper teeth."""
        if mouth.rise + mouth.fall < 0.015:
            return
        hole = Image.new("L", self.picture.size, 0)
        ImageDraw.Draw(hole).polygon(self._pixels([outline["upper inner"], outline["lower inner"][::-1]]), fill=255)
        inside = _Canvas(self.size[0])
        inside.pen.rectangle((0, 0, *inside.picture.size), fill=INSIDE)
        low = LOWER_EDGE + 0.75 * mouth.jaw + 0.35 * mouth.pucker
        inside.pen.ellipse(inside._box(0, low + 0.35, 0.62, 0.42 + 0.1 * mouth.jaw), fill=TONGUE)
        inside.teeth(mouth.aside * 0.5, low, low + 0.5)
        high = UPPER_EDGE - 0.45 * mouth.pucker  # lips pushed out stand before the teeth and hide them
        inside.teeth(0.0, high - 0.6, high)
        self.picture.paste(inside.picture, mask=hole)

    def teeth(self, x: float, top: float, bottom: float) -> None:
        """A row of teeth, narrower to the sides."""
        widths = np.array([0.17, 0.15, 0.14, 0.13, 0.12, 0.11])
        at = np.concatenate([[0], np.cumsum(widths)])
        self.pen.rectangle((*self._point(x - at[-1], top), *self._point(x + at[-1], bottom)), fill=TEETH)
        for side in (-1, 1):
            for place in at:
                self._line(np.array([(x + side * place, top), (x + side * place, bottom)]), GAPS, 0.018)
        for edge in (top, bottom):
            self._line(np.array([(x - at[-1], edge), (x + at[-1], edge)]), GAPS, 0.025)

    def _lines(self, mouth: Mouth, outline: dict[str, Points]) -> None:
        """Seam or inner edges, and the marks that pressing leaves at the corners."""
        if mouth.rise + mouth.fall < 0.015:
            self._line(outline["lower inner"], SEAM, 0.045 + 0.06 * mouth.press)
        else:
            self._line(outline["upper inner"], SEAM, 0.03)
            self._line(outline["lower inner"], SEAM, 0.03)
        left_x, left_y, right_x, right_y = mouth.corners
        if mouth.press > 0.1:
            for x, y, side in ((left_x, left_y, -1), (right_x, right_y, 1)):
                mark = _bow((x + side * 0.08, y - 0.2), (x + side * 0.2, y), (x + side * 0.08, y + 0.2))
                self._line(mark, SHADE, 0.12 * min(0.5, mouth.press))

    def _area(self, sides: Iterable[Points], colour: Colour) -> None:
        self.pen.polygon(self._pixels(sides), fill=colour)

    def _line(self, points: Points, colour: Colour, thickness: float) -> None:
        self.pen.line(self._pixels([points]), fill=colour, width=max(1, round(thickness * self.scale)), joint="curve")

    def _pixels(self, sides: Iterable[Points]) -> list[tuple[float, float]]:
        return [self._point(float(x), float(y)) for points in sides for x, y in points]

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return (x + WIDE) * self.scale, (y + HIGH) * self.scale

    def _box(self, x: float, y: float, half_width: float, half_height: float) -> tuple[float, float, float, float]:
        return (*self._point(x - half_width, y - half_height), *self._point(x + half_width, y + half_height))


def _bow(start: tuple[float, float], pull: tuple[float, float], end: tuple[float, float]) -> Points:
    """A quadratic curve."""
    t = np.linspace(0, 1, 40)[:, None]
    return np.asarray(
        (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(pull) + t**2 * np.array(end), np.float64
    )
