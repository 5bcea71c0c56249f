"""Reference faces and drawn mouths: the input and the target of the pseudo-image branch.

A face is either a picture that the user chose or a drawing with random skin, lips and proportions. A mouth is
rasterised from coefficients over the reference's own mouth crop; it is simple, but shows how the coefficients change an
outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError

CROP = (54, 90, 30, 66)
"""Rows and columns of the mouth crop in a 96 x 96 reference face: lower middle, where a centred portrait has its
mouth."""


@dataclass(frozen=True, slots=True)
class Look:
    """Appearance of drawn faces, one row a face."""

    skin: Tensor
    lips: Tensor
    """Colours (faces, 3) in [0, 1]."""
    width: Tensor
    thickness: Tensor
    height: Tensor
    """Mouth half width, lip thickness and vertical place (faces,), in half crops."""


def default_look() -> Look:
    """The look of the default face: one row of each value."""
    one = torch.ones(1)
    return Look(
        torch.tensor([[0.80, 0.62, 0.53]]), torch.tensor([[0.70, 0.36, 0.34]]), 0.55 * one, 0.14 * one, 0.0 * one
    )


def random_look(faces: int, generator: torch.Generator) -> Look:
    """Random faces of all complexions, a new one for each window."""
    u = torch.rand(faces, 9, generator=generator)
    skin = (0.25 + 0.65 * u[:, :1]) * torch.tensor([1.0, 0.78, 0.66]) * (0.9 + 0.2 * u[:, 1:4])
    lips = skin * torch.tensor([0.9, 0.6, 0.62]) * (0.85 + 0.3 * u[:, 4:5])
    return Look(skin.clamp(0, 1), lips.clamp(0, 1), 0.45 + 0.2 * u[:, 5], 0.10 + 0.08 * u[:, 6], 0.3 * (u[:, 7] - 0.5))


def draw_reference(look: Look, size: int = 96) -> Tensor:
    """(faces, 3, size, size): an oval head with eyes, nose and a closed mouth where `crop_mouth` looks for it."""
    y, x = _grid(size)
    picture = torch.full((len(look.width), 3, size, size), 0.5)
    picture = _paint(picture, _soft(1 - (x / 0.72) ** 2 - (y / 0.95) ** 2, 8), look.skin)
    for side in (-0.3, 0.3):
        picture = _paint(picture, _soft(1 - ((x - side) / 0.12) ** 2 - ((y + 0.2) / 0.07) ** 2, 4), look.skin * 0.25)
    picture = _paint(picture, 0.3 * _soft(1 - (x / 0.08) ** 2 - ((y - 0.1) / 0.2) ** 2, 4), look.skin * 0.8)
    top, bottom, left, right = CROP
    mouth = draw_mouth(look, torch.zeros(len(look.width), len(MOUTH_32)), picture[:, :, top:bottom, left:right])
    picture[:, :, top:bottom, left:right] = mouth
    return picture.clamp(0, 1)


def crop_mouth(reference: Tensor, size: int) -> Tensor:
    """(faces, 3, 96, 96) -> (faces, 3, size, size)"""
    top, bottom, left, right = CROP
    return F.interpolate(
        reference[:, :, top:bottom, left:right], size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )


def draw_mouth(look: Look, mouth: Tensor, crop: Tensor) -> Tensor:
    """Paint the mouth of coefficients (faces, 32) over crops (faces, 3, size, size); one row of `look` a face."""
    c = {name: mouth[:, i, None, None] for i, name in enumerate(MOUTH_32)}

    def both(name: str) -> Tensor:
        return (c[name + "Left"] + c[name + "Right"]) / 2

    y, x = _grid(crop.shape[2])
    spread = (
        1 + 0.25 * both("mouthSmile") + 0.3 * both("mouthStretch") - 0.45 * c["mouthPucker"] - 0.2 * c["mouthFunnel"]
    )
    half = look.width[:, None, None] * spread
    rolled = 0.35 * (c["mouthRollLower"] + c["mouthRollUpper"]) + 0.3 * both("mouthPress")
    lip = look.thickness[:, None, None] * (1 - rolled + 0.35 * c["mouthFunnel"] + 0.25 * c["mouthPucker"])
    gap = (0.6 * (c["jawOpen"] - c["mouthClose"]) + 0.2 * both("mouthLowerDown") + 0.15 * both("mouthUpperUp")).clamp(
        min=0
    )
    down = (
        y
        - look.height[:, None, None]
        - 0.35 * c["jawOpen"]
        + 0.25 * (both("mouthSmile") - both("mouthFrown")) * (x / half) ** 2
    )
    erased = _paint(crop, _soft(1 - (x / 0.85) ** 2 - (y / 0.8) ** 2, 6), look.skin)
    lips = _paint(erased, _soft(1 - (x / half) ** 2 - (down / (gap + lip)) ** 2, 5), look.lips)
    inside = _soft(1 - (x / (0.85 * half)) ** 2 - (down / (gap + 0.02)) ** 2, 5) * (gap / 0.08).clamp(max=1)
    dark = _paint(lips, inside, look.skin * 0.12)
    return _paint(dark, inside * _soft(-(down + 0.35 * gap) / 0.06, 1), torch.full_like(look.skin, 0.85)).clamp(0, 1)


def load_reference(path: Path, size: int = 96) -> Tensor:
    """(1, 3, size, size) in [0, 1]: the picture's centre square. Raises ModelError for a file that is not a picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            side = min(picture.size)
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            square = picture.convert("RGB").resize((size, size), box=(left, top, left + side, top + side))
    except FileNotFoundError as error:
        raise ModelError(
            f"reference face {path}: no such file; give a picture (png, jpg) of a face, looking ahead"
        ) from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ModelError(
            f"reference face {path}: not a readable picture; give a png or jpg of a face, looking ahead"
        ) from error
    pixels: NDArray[np.float32] = np.asarray(square, np.float32) / np.float32(255)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


def _grid(size: int) -> tuple[Tensor, Tensor]:
    at = (torch.arange(size) + 0.5) / size * 2 - 1
    return at[:, None], at[None, :]


def _soft(inside: Tensor, sharpness: float) -> Tensor:
    return torch.sigmoid(sharpness * 2 * inside)


def _paint(picture: Tensor, mask: Tensor, colour: Tensor) -> Tensor:
    mask = mask[:, None] if mask.dim() == 3 else mask[None, None]
    return picture + mask * (colour[:, :, None, None] - picture)
