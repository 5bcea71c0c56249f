"""Ways of speaking that a checkpoint knows by name, and mixtures of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError

LEAST_SHARE, MAX_SHARE = 1e-6, 1e6
"""Limits of one style's share in a mixture; beyond them a share, or all the others, would be lost in rounding."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """Face and style of one voice."""

    reference: str | Path | None = None
    """Picture of the face the mouth images are drawn over; None: the checkpoint's own."""
    style: str | None = None
    """A name from the checkpoint's `styles`, or a mixture, "0.3:anna,0.7:ben"; None: no style in particular."""


def style_shares(style: str | None, styles: Sequence[str]) -> NDArray[np.float32]:
    """float32 (len(styles) + 1,): weights of the rows of a style table; they sum to 1. The last row is the unknown
    style.

    A mixture is convex (CodeTalker's interpolation of styles): shares are positive, and scaled to sum to 1. Raises
    ModelError.
    """
    shares = np.zeros(len(styles) + 1, np.float32)
    if style is None:
        shares[-1] = 1
        return shares
    for part in style.split(","):
        share, _, name = part.strip().rpartition(":")
        shares[_row(name.strip(), styles)] += _share(share, style)
    return np.asarray(shares / shares.sum(), np.float32)


def _row(name: str, styles: Sequence[str]) -> int:
    if name in styles:
        return styles.index(name)
    near = get_close_matches(name, styles, 1)
    known = ", ".join(styles) or "none: this model knows no styles"
    raise ModelError(
        f"unknown style {name!r}: " + (f"did you mean {near[0]!r}?" if near else f"expected one of {known}")
    )


def _share(text: str, whole: str) -> float:
    try:
        share = float(text) if text else 1.0
    except ValueError:
        share = 0.0
    if not LEAST_SHARE <= share <= MAX_SHARE:
        raise ModelError(
            f"style {whole!r}: got share {text!r}, expected a number above 0, up to a million, as in 0.3:anna,0.7:ben"
        )
    return share
