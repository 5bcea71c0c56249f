import re
import shutil
import subprocess
from importlib.resources import files

import pytest
import yaml

from speech_to_face.phones import CLASSES, Phone, classes_of, split_ipa, timed
from speech_to_face_lab.corpus.__main__ import voice_rows
from speech_to_face_lab.corpus.engines import engine, espeak
from speech_to_face_lab.corpus.text import texts

TABLES = yaml.safe_load(files("speech_to_face").joinpath("phones.yaml").read_text(encoding="utf-8"))
NO_LIPS = {"ʔ"}
FESTIVAL_VOICES = {row["voice"]: row["table"] for row in voice_rows() if row["engine"] == "festival"}
ESPEAK_VOICES = {row["voice"].partition("+")[0]: row["language"] for row in voice_rows() if row["engine"] == "espeak"}


def test_every_table_speaks_of_known_classes_only():
    for name in {row["table"] for row in voice_rows()}:
        for symbol, classes in TABLES[name].items():
            assert isinstance(symbol, str), f"{name}: {symbol!r} was read as {type(symbol).__name__}; quote it"
            assert set(classes.split()) <= set(CLASSES), f"{name}: {symbol}"


def festival(script: str) -> str:
    """What it prints; it goes on after an error in a script."""
    return subprocess.run(
        ["festival", "--pipe"], input=script, capture_output=True, text=True, check=False, timeout=60
    ).stdout


def test_no_festival_voice_that_is_here_has_a_phone_outside_its_table():
    if shutil.which("festival") is None:
        pytest.skip("festival is not installed")
    voices = sorted(set(re.findall(r"[\w-]+", festival("(print (voice.list))"))) & set(FESTIVAL_VOICES))
    if not voices:
        pytest.skip("festival has no voice (Debian: apt install festvox-kallpc16k)")
    phones = "(print (mapcar car (cadr (assoc 'phones (PhoneSet.description '(phones))))))"
    for voice in voices:
        symbols = re.findall(r'[^\s()"]+', festival(f"(voice_{voice}) {phones}"))
        assert len(symbols) > 20, voice
        assert not [symbol for symbol in symbols if not classes_of(symbol, FESTIVAL_VOICES[voice])], voice


@pytest.mark.parametrize("voice", sorted(ESPEAK_VOICES))
def test_every_ipa_symbol_espeak_says_in_its_languages_has_a_class(voice, monkeypatch):
    if not engine("espeak").available():
        pytest.skip("libespeak-ng is not installed")
    symbols: set[str] = set()

    def keep(rows, _):
        symbols.update(symbol for symbol, _, _ in rows)
        return []

    monkeypatch.setattr(espeak, "timed", keep)
    list(engine("espeak").speak(voice, "ipa", texts(ESPEAK_VOICES[voice], 25, 0)))
    assert len(symbols) > 15
    assert not {symbol for symbol in symbols if symbol and not split_ipa(symbol)} - NO_LIPS
    assert not {symbol for symbol in symbols if "(" in symbol}, "a change of language is no phone"


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("tʃ", ["SH"]),
        ("aɪ", ["AA", "IH"]),
        ("ɑː", ["AA"]),
        ("tɕh", ["SH"]),
        ("ph", ["PB"]),
        ("ʔ", []),
        ("yɛ", ["YY", "EH"]),
        ("ɔ̃", ["AO"]),
        ("mʲ", ["M"]),
        ("ʲ", ["J"]),
        ("ʉː", ["UW"]),
        ("onɡ", ["OW", "NG"]),
    ],
)
def test_ipa_is_split_by_its_longest_entries_and_marks_are_passed_over(text, classes):
    assert split_ipa(text) == classes


MARKED = [
    ("o1", "italian", ["OW"]),
    ("m:", "finnish", ["M"]),
    ("r~*", "czech", ["SH"]),
    ("ow", "cmu", ["OW", "UH"]),
    ("O1", "catalan", ["AO"]),
    ("ksh", "indic", ["KG", "SH"]),
]


@pytest.mark.parametrize(("symbol", "table", "classes"), MARKED)
def test_marks_of_stress_and_length_fall_away(symbol, table, classes):
    assert classes_of(symbol, table) == classes


def test_a_symbol_no_table_lists_is_an_error_and_not_a_gap():
    with pytest.raises(KeyError):
        classes_of("qq", "cmu")


def test_diphthongs_share_their_time_and_equal_neighbours_merge():
    phones = timed([("", 0, 0.1), ("pau", 0.1, 0.2), ("aw", 0.2, 0.4), ("uh", 0.4, 0.5), ("b", 0.5, 0.5)], "cmu")
    assert phones == [Phone("SIL", 0, 0.2), Phone("AA", 0.2, pytest.approx(0.3)), Phone("UH", pytest.approx(0.3), 0.5)]


def test_a_glottal_stop_lengthens_what_came_before_it():
    assert timed([("a", 0, 1), ("ʔ", 1, 2)], "ipa") == [Phone("AA", 0, 2)]
