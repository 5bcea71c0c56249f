"""The sheet of viseme classes: what is drawn is what the coefficients say."""

from pathlib import Path

import numpy as np
import pytest
from cases import case
from PIL import Image

from arkit_mapping.channels import MOUTH_32
from speech_to_face.phones import CLASSES
from speech_to_face_lab.corpus import sheet
from speech_to_face_lab.corpus.portrait import TEETH, Mouth, draw, edges
from speech_to_face_lab.corpus.sheet import EXAMPLES, leading, middle

DOCS = Path(__file__).parents[3] / "docs"


def face(**channels: float) -> np.ndarray:
    mouth = np.zeros(32, np.float32)
    for name, value in channels.items():
        for column in (c for c in MOUTH_32 if c == name or c in (name + "Left", name + "Right")):
            mouth[MOUTH_32.index(column)] = value
    return mouth


def gap(mouth: np.ndarray) -> float:
    outline = edges(Mouth.of(mouth))
    return float((outline["lower inner"] - outline["upper inner"])[:, 1].max())


def width(mouth: np.ndarray) -> float:
    outline = edges(Mouth.of(mouth))["upper outer"]
    return float(outline[-1, 0] - outline[0, 0])


def white(mouth: np.ndarray) -> float:
    """Share of the picture that is teeth."""
    pixels = np.asarray(draw(mouth, 120), int)
    return float((np.abs(pixels - np.array(TEETH)).max(-1) < 25).mean())


def test_every_class_has_words_and_a_picture_of_its_own():
    assert set(EXAMPLES) == set(CLASSES) and len(set(EXAMPLES.values())) == len(CLASSES)
    pictures = {draw(middle(name), 60).tobytes() for name in CLASSES}
    assert len(pictures) == len(CLASSES)


@pytest.mark.parametrize("name", ["SIL", "PB", "M"])
def test_closed_lips_are_drawn_closed(name):
    assert gap(middle(name)) < 0.02 and white(middle(name)) == 0


def test_f_shows_the_upper_teeth_over_a_thin_lower_lip():
    f, rest = Mouth.of(middle("FV")), Mouth.of(face())
    assert white(middle("FV")) > 0.003 and 0.02 < gap(middle("FV")) < gap(middle("S"))
    assert f.lower < 0.6 * rest.lower and f.upper > 0.9 * rest.upper


def test_open_spread_and_round_mouths_look_it():
    gaps = {name: gap(middle(name)) for name in CLASSES}
    widths = {name: width(middle(name)) for name in CLASSES}
    assert max(gaps, key=lambda name: gaps[name]) in ("AA", "AE") and gaps["AA"] > 2 * gaps["S"]
    assert widths["W"] < 0.6 * widths["SIL"] < widths["SIL"] < widths["IY"]
    assert widths["UW"] < 0.75 * widths["SIL"] and widths["SH"] < 0.9 * widths["S"]
    assert white(middle("S")) > 0.02 and white(middle("SH")) > 0.005 and white(middle("UW")) < 0.002


def test_a_smile_lifts_the_corners_and_a_frown_lowers_them():
    def corner(mouth):
        return float(edges(Mouth.of(mouth))["upper outer"][0, 1])

    assert corner(face(mouthSmile=0.5)) < corner(face()) < corner(face(mouthFrown=0.5)), "y is down"


def test_one_side_moves_alone_and_sideways_channels_shift_the_mouth():
    outline = edges(Mouth.of(face(mouthSmileLeft=0.5)))["upper outer"]
    assert outline[-1, 0] > 1.2 and outline[0, 0] == pytest.approx(-1), "the face's left is the picture's right"
    assert edges(Mouth.of(face(mouthLeft=0.2)))["upper outer"][:, 0].mean() > 0.1
    jaw = edges(Mouth.of(face(jawOpen=0.3, jawLeft=0.3)))
    assert jaw["lower outer"][60, 0] > 0.1 and jaw["upper outer"][60, 0] == pytest.approx(0)


def test_every_channel_but_the_ones_unseen_from_the_front_changes_the_picture():
    for name in MOUTH_32:
        with case(name):
            open_mouth = face(jawOpen=0.3)
            moved = open_mouth.copy()
            moved[MOUTH_32.index(name)] = 0.6
            assert draw(moved, 80).tobytes() != draw(open_mouth, 80).tobytes()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_ends_of_the_range_can_be_drawn(value):
    outline = edges(Mouth.of(np.full(32, value, np.float32)))
    assert all(np.isfinite(points).all() for points in outline.values())
    assert draw(np.full(32, value, np.float32), 60).size[0] == 60


def test_leading_channels_come_largest_first_and_pairs_once():
    mouth = face(jawOpen=0.3, mouthSmile=0.2, mouthLeft=0.05, cheekPuff=0.01)
    mouth[MOUTH_32.index("mouthSmileLeft")] = 0.24
    found = leading(mouth)
    assert [name for name, _ in found] == ["jawOpen", "smile", "mouthLeft"]
    assert [value for _, value in found] == pytest.approx([0.3, 0.22, 0.05])


def test_the_command_writes_a_small_picture_and_the_one_in_the_docs_is_of_this_table(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["sheet", "--out", str(tmp_path / "new" / "visemes.png")])
    sheet.main()
    made = tmp_path / "new" / "visemes.png"
    assert made.stat().st_size <= 400_000
    new, kept = (np.asarray(Image.open(path).convert("RGB"), int) for path in (made, DOCS / "visemes.png"))
    assert new.shape == kept.shape
    assert np.abs(new - kept).mean() < 0.5, (
        "make it again: python -m speech_to_face_lab.corpus.sheet --out docs/visemes.png"
    )
