"""Mixtures of speaking styles."""

from __future__ import annotations

import pytest

from speech_to_face.base import ModelError
from speech_to_face.styles import style_shares

KNOWN = ("anna", "ben")


@pytest.mark.parametrize(
    ("style", "shares"),
    [
        (None, [0, 0, 1]),
        ("ben", [0, 1, 0]),
        ("0.3:anna,0.7:ben", [0.3, 0.7, 0]),
        ("1:anna, 3:ben", [0.25, 0.75, 0]),
        ("anna,ben", [0.5, 0.5, 0]),
        ("anna,3:anna", [1, 0, 0]),
        ("1e6:anna,1e6:ben", [0.5, 0.5, 0]),
    ],
)
def test_shares_are_scaled_to_one(style: str | None, shares: list[float]) -> None:
    assert style_shares(style, KNOWN) == pytest.approx(shares)


@pytest.mark.parametrize("share", ["0", "-1", "much", "nan", "inf", "1e300", "1e-300"])
def test_a_share_that_would_lose_the_mixture_is_refused(share: str) -> None:
    with pytest.raises(ModelError, match=f"got share '{share}', expected a number above 0"):
        style_shares(f"{share}:anna,ben", KNOWN)


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("bne", "did you mean 'ben'"),
        ("carl", "expected one of anna, ben"),
        ("", "unknown style ''"),
        ("ben,", "unknown style ''"),
    ],
)
def test_an_unknown_style_is_told_what_there_is(style: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        style_shares(style, KNOWN)


def test_a_model_without_styles_says_so() -> None:
    with pytest.raises(ModelError, match="this model knows no styles"):
        style_shares("anna", ())
