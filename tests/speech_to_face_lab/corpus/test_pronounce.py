import ctypes.util

import pytest

from speech_to_face.phones import CLASSES
from speech_to_face_lab.corpus import pronounce as pronouncing
from speech_to_face_lab.corpus.pronounce import BRITISH, PINYIN, SPANISH, PronounceError, from_arpabet, pronounce


@pytest.fixture
def espeak():
    if ctypes.util.find_library("espeak-ng") is None:
        pytest.skip("libespeak-ng is not installed")


@pytest.fixture
def mandarin(espeak):
    pytest.importorskip("pypinyin")


def said(transcript: str, *voice: str) -> dict[str, list[str]]:
    return {word.text: [" ".join(variant) for variant in word.variants] for word in pronounce(transcript, *voice)}


def test_words_become_phone_classes_and_punctuation_goes(espeak):
    assert said("Blue - cups, 'em!") == {"blue": ["PB L UW"], "cups": ["KG AH PB S"], "'em": ["EH M"]}


def test_capital_letters_do_not_spell_a_word_out(espeak):
    assert said("BLUE") == said("blue")


def test_a_single_letter_is_said_as_a_letter_in_the_accent_asked_for(espeak):
    assert said("f z")["f"] == ["EH FV"]
    assert said("z")["z"] == ["S IY"]
    assert said("z", BRITISH)["z"] == ["S EH TD"]
    assert said("a")["a"] == ["EH IH", "AH"]


def test_digits_are_read_as_a_number_and_stay_one_word(espeak):
    assert said("25 maps")["25"] == ["TD W EH N TD IY FV AA IH FV"]


def test_short_words_may_be_weak_and_a_tapped_t_is_a_t(espeak):
    assert "AH FV" in said("of")["of"] and "TH AH" in said("the")["the"]
    assert said("better")["better"] == ["PB EH TD ER"]


def test_words_are_not_joined_with_their_neighbours(espeak):
    assert [
        word.text for word in pronounce("some of the red is going to be it")
    ] == "some of the red is going to be it".split()


def test_every_mandarin_character_is_a_syllable_and_tones_say_nothing(mandarin):
    assert said("调高绿", PINYIN) == {"调": ["TD J AA UW"], "高": ["KG AA UW"], "绿": ["L YY"]}


def test_a_character_with_several_readings_is_read_in_its_phrase(mandarin):
    assert said("银行", PINYIN)["行"] == ["KG AA NG"]
    assert said("行人", PINYIN)["行"] == ["SH IY NG"]


def test_latin_words_inside_mandarin_are_english(mandarin):
    assert said("打开Maps", PINYIN)["maps"] == ["M AE PB S"]


def test_spanish_is_read_by_its_own_rules(espeak):
    assert said("que", SPANISH)["que"] == ["KG EH"]


@pytest.mark.parametrize("transcript", ["", " ... ", "日本の"])
def test_what_cannot_be_read_is_one_clear_line(espeak, transcript):
    with pytest.raises(PronounceError) as raised:
        pronounce(transcript)
    assert "\n" not in str(raised.value) and str(raised.value)


def test_an_absent_library_is_named(monkeypatch):
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    pronouncing._library.cache_clear()
    pronouncing.ipa.cache_clear()
    with pytest.raises(PronounceError, match="libespeak-ng1"):
        pronounce("blue")


def test_canonical_phones_lose_stress_and_place():
    words = from_arpabet("DH_B EH0_I N_E | HH_B IY1_E | TH_B IY_I M_E | P_B AY0_E", "then he theme pie")
    assert [word.text for word in words] == ["then", "he", "theme", "pie"]
    assert [word.variants[0] for word in words] == [
        ("TH", "EH", "N"),
        ("H", "IY"),
        ("TH", "IY", "M"),
        ("PB", "AA", "IH"),
    ]


def test_canonical_phones_that_do_not_fit_are_refused():
    with pytest.raises(PronounceError, match="2 words for a transcript of 1"):
        from_arpabet("DH_B | HH_B", "then")
    with pytest.raises(PronounceError, match="'qq'"):
        from_arpabet("QQ_B", "then")


def test_weak_forms_name_known_classes():
    names = {name for forms in pronouncing._weak_forms().values() for form in forms for name in form.split()}
    assert names <= set(CLASSES) - {"SIL"}
