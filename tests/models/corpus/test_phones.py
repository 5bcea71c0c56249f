from importlib.resources import files

import pytest
import yaml

from models.corpus.phones import CLASSES, Phone, classes_of, split_ipa, timed

TABLES = yaml.safe_load(files("models.corpus").joinpath("phones.yaml").read_text(encoding="utf-8"))


def test_every_table_speaks_of_known_classes_only():
    for name in ("cmu", "italian", "finnish", "czech", "ipa"):
        for symbol, classes in TABLES[name].items():
            assert isinstance(symbol, str), f"{name}: {symbol!r} was read as {type(symbol).__name__}; quote it"
            assert set(classes.split()) <= set(CLASSES), f"{name}: {symbol}"


@pytest.mark.parametrize(
    ("text", "classes"),
    [("tʃ", ["SH"]), ("aɪ", ["AA", "IH"]), ("ɑː", ["AA"]), ("tɕh", ["SH"]), ("ph", ["PB"]), ("ʔ", []), ("yɛ", ["YY", "EH"]), ("ɔ̃", ["AO"])],
)
def test_ipa_is_split_by_its_longest_entries_and_marks_are_passed_over(text, classes):
    assert split_ipa(text) == classes


MARKED = [("o1", "italian", ["OW"]), ("m:", "finnish", ["M"]), ("r~*", "czech", ["SH"]), ("ow", "cmu", ["OW", "UH"])]


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
