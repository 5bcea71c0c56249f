from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from speech_to_face.base import ModelError
from speech_to_face.phones import CLASSES, Phone
from speech_to_face_lab.corpus.captures.textgrid import Span, Tier, find_tier, read_textgrid, timed_phones

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = "AY1"
    item [2]:
        class = "TextTier"
        name = "notes"
        xmin = 0
        xmax = 1.5
        points: size = 1
        points [1]:
            number = 1e-1
            mark = "says ""I"" 3"
"""
SHORT = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1.5\n<exists>\n2\n'
SHORT += '"IntervalTier"\n"phones"\n0\n1.5\n2\n0\n0.5\n""\n0.5\n1.5\n"AY1"\n'
SHORT += '"TextTier"\n"notes"\n0\n1.5\n1\n0.1\n"says ""I"" 3"\n'
TIERS = (Tier("phones", (Span(0, 0.5, ""), Span(0.5, 1.5, "AY1"))), Tier("notes", (Span(0.1, 0.1, 'says "I" 3'),)))


def write(path, *spans, name="phones"):
    rows = "\n".join(f'{k}\n{k + 1}\n"{text}"' for k, text in enumerate(spans))
    header = (
        'File type = "ooTextFile"\nObject class = '
        f'"TextGrid"\n0\n{len(spans)}\n<exists>\n1\n"IntervalTier"\n"{name}"\n0\n'
    )
    path.write_text(f"{header}{len(spans)}\n{len(spans)}\n{rows}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [LONG, SHORT, SHORT.replace("\n", "\r\n")])
def test_both_forms_in_any_of_praats_encodings_say_the_same(text, encoding, tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(text.encode(encoding))
    assert read_textgrid(path) == TIERS


def test_a_tier_is_found_whatever_speaker_stands_before_its_name():
    assert find_tier((Tier("words", ()), Tier("mary - Phones", ())), ("phones",)) == Tier("mary - Phones", ())


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["", "B", "AY1", "sp"], ["SIL", "PB", "AA", "IH", "SIL"]),
        (["[SIL]", "zh", "ong1", "g", "uo2"], ["SIL", "SH", "OW", "NG", "KG", "UW", "OW"]),
        (["d", "eI", "m", "@", "n", "D", "V"], ["TD", "EH", "IH", "M", "AH", "N", "TH", "AH"]),
        (["m", "ɑ", "n", "tʲ", "ɹ", "aj"], ["M", "AA", "N", "TD", "R", "AA", "IH"]),
    ],
)
def test_the_alphabet_is_the_one_that_has_every_label(labels, classes, tmp_path):
    assert [phone.name for phone in timed_phones(write(tmp_path / "a.TextGrid", *labels))] == classes


def test_diphthongs_share_their_time_equal_neighbours_merge_and_noise_is_a_gap(tmp_path):
    path = write(tmp_path / "a.TextGrid", "P", "B", "spn", "AW1", "sp", "")
    expected = [Phone("PB", 0, 2), Phone("AA", 3, 3.5), Phone("UH", 3.5, 4), Phone("SIL", 4, 6)]
    assert timed_phones(path) == tuple(expected)


def test_an_unknown_symbol_is_one_line_with_the_symbol_and_the_alphabet(tmp_path):
    with pytest.raises(ModelError, match=r"a\.TextGrid: got phone 'QX1', expected one of the arpabet table") as caught:
        timed_phones(write(tmp_path / "a.TextGrid", "B", "AY1", "QX1"))
    assert "\n" not in str(caught.value)


def test_a_file_without_phones_says_which_tier_it_wants(tmp_path):
    with pytest.raises(ModelError, match="no tier of phones"):
        timed_phones(write(tmp_path / "a.TextGrid", "hello", name="words"))


NOT_WHOLE = [
    "",
    "hello",
    '"ooTextFile" "Pitch" 0 1',
    SHORT[:-40],
    SHORT.replace("IntervalTier", "Tier"),
    SHORT.replace('""\n', "0\n"),
]


@pytest.mark.parametrize("text", NOT_WHOLE)
def test_a_file_that_is_no_whole_textgrid_is_one_line(text, tmp_path):
    (tmp_path / "a.TextGrid").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"textgrid .*a\.TextGrid") as caught:
        read_textgrid(tmp_path / "a.TextGrid")
    assert "\n" not in str(caught.value)


def test_every_symbol_table_speaks_of_known_classes_only():
    tables = yaml.safe_load(
        files("speech_to_face_lab.corpus.captures").joinpath("symbols.yaml").read_text(encoding="utf-8")
    )
    for name, table in tables.items():
        for symbol, classes in table.items():
            assert isinstance(symbol, str), f"{name}: {symbol!r} was read as {type(symbol).__name__}; quote it"
            assert set(classes.split()) <= set(CLASSES), f"{name}: {symbol}"
