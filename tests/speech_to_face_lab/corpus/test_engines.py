import ctypes.util
import os
import shutil

import numpy as np
import pytest
import soundfile

from speech_to_face_lab.corpus.engines import SAMPLE_RATE, TEMPI, VoiceError, engine, espeak, festival, flite, tempo

NEEDS = {"espeak": "libespeak-ng", "flite": "flite", "festival": "festival"}
VOICES = {"espeak": ("en-us+f3@160", "ipa"), "flite": ("slt", "cmu"), "festival": ("kal_diphone", "cmu")}


@pytest.fixture(params=sorted(VOICES))
def spoken(request):
    if not engine(request.param).available():
        pytest.skip(f"{NEEDS[request.param]} is not installed")
    return list(engine(request.param).speak(*VOICES[request.param], ["Bob saw my map.", "Few people."]))


def test_phones_cover_the_sound_in_order_and_name_what_was_said(spoken):
    assert [said.text for said in spoken] == ["Bob saw my map.", "Few people."]
    for said in spoken:
        ends = [phone.end_s for phone in said.phones]
        assert ends == sorted(ends) and all(p.start_s < p.end_s for p in said.phones)
        assert abs(ends[-1] - len(said.samples) / SAMPLE_RATE) < 0.3
    names = [phone.name for phone in spoken[0].phones if phone.name != "SIL"]
    assert names[0] == "PB" and "S" in names and names.count("M") == 2 and names[-1] == "PB"


def test_phone_times_fit_the_sound(spoken):
    """An s is hiss: most of its energy lies above 3 kHz; the vowel after it is not."""
    said = spoken[0]

    def high_share(name: str, after: float) -> float:
        phone = next(p for p in said.phones if p.name == name and p.start_s >= after)
        part = said.samples[int((phone.start_s + 0.02) * SAMPLE_RATE) : int((phone.end_s - 0.02) * SAMPLE_RATE)]
        power = np.abs(np.fft.rfft(part)) ** 2
        return float(power[int(len(power) * 3 / 8) :].sum() / power.sum())

    hiss = next(p for p in said.phones if p.name == "S")
    assert high_share("S", 0) > 0.5 > 0.2 > high_share("AO", hiss.start_s)


def test_texts_are_spoken_at_several_speeds(spoken, request):
    """The second text is said at TEMPI[1]; alone it is the first of its call and said at the voice's own speed."""
    name = request.node.callspec.params["spoken"]
    alone = next(iter(engine(name).speak(*VOICES[name], ["Few people."])))

    def length(said) -> float:
        return sum(phone.end_s - phone.start_s for phone in said.phones if phone.name != "SIL")

    assert length(spoken[1]) == pytest.approx(length(alone) / TEMPI[1], rel=0.08)
    assert tempo(len(TEMPI) + 1) == TEMPI[1]


def test_the_same_call_says_the_same(spoken, request):
    """A corpus can be built again. espeak-ng's flutter runs on from call to call, hence the 5 ms."""
    name = request.node.callspec.params["spoken"]
    again = list(engine(name).speak(*VOICES[name], [said.text for said in spoken]))
    for first, second in zip(spoken, again, strict=True):
        assert [p.name for p in first.phones] == [p.name for p in second.phones]
        np.testing.assert_allclose([p.end_s for p in first.phones], [p.end_s for p in second.phones], atol=0.005)


def test_a_voice_espeak_does_not_have_is_named():
    if not engine("espeak").available():
        pytest.skip("libespeak-ng is not installed")
    with pytest.raises(VoiceError, match="'xx-none'"):
        next(engine("espeak").speak("xx-none@165", "ipa", ["a"]))


def test_a_higher_pitch_is_higher():
    if not engine("espeak").available():
        pytest.skip("libespeak-ng is not installed")

    def hz(voice: str) -> float:
        said = next(engine("espeak").speak(voice, "ipa", ["Ah."]))
        part = said.samples[1500:3500]
        ahead = np.correlate(part, part, "full")[len(part) - 1 :]
        return SAMPLE_RATE / (60 + int(ahead[60:200].argmax()))

    assert hz("en-us+f2@165/70") > 1.15 * hz("en-us+f2@165/40")


RATE = 1000


def test_espeaks_events_become_rows_that_cover_the_sound():
    assert espeak.rows_of([(100, "b"), (200, "a"), (200, "x")], 300) == [("", 0, 100), ("b", 100, 200), ("x", 200, 300)]
    assert espeak.rows_of([], 300) == [("", 0, 300)]


def sound(*levels: float) -> np.ndarray:
    return np.repeat(np.array(levels, np.float32), 50)


def test_the_quiet_before_a_stop_is_its_closure_and_a_long_one_is_a_pause():
    rows = [("a", 0, 50), ("", 50, 100), ("p", 100, 150), ("a", 150, 200), ("", 200, 350), ("p", 350, 400)]
    given = espeak.blanks_given(rows, sound(0.5, 0, 0.1, 0.5, 0, 0, 0, 0.1), RATE)
    assert [symbol for symbol, _, _ in given] == ["a", "p", "p", "a", "", "p"]
    assert [row[1:] for row in given] == [row[1:] for row in rows], "times stay"


def test_a_sounding_blank_is_a_link_that_goes_to_a_vowel_before_it_or_to_what_follows():
    rows = [
        ("i", 0, 50),
        ("", 50, 100),
        ("a", 100, 150),
        ("p", 150, 200),
        ("", 200, 250),
        ("r", 250, 300),
        ("", 300, 350),
    ]
    given = espeak.blanks_given(rows, sound(0.5, 0.4, 0.5, 0.05, 0.1, 0.3, 0), RATE)
    assert [symbol for symbol, _, _ in given] == ["i", "i", "a", "p", "r", "r", ""]


def test_a_closure_begins_where_the_sound_before_it_ends():
    rows = [("a", 0, 100), ("p", 100, 150), ("a", 150, 200), ("", 200, 250)]
    begun = espeak.closures_begun(rows, sound(0.5, 0, 0.1, 0.5, 0))
    assert begun == [("a", 0, 50), ("p", 50, 150), ("a", 150, 200), ("", 200, 250)]


def test_espeaks_lips_are_closed_in_the_silence_of_a_p():
    """Between two vowels the sound stops for the closure; that time is the stop's and not the vowel's."""
    if not engine("espeak").available():
        pytest.skip("libespeak-ng is not installed")
    said = next(engine("espeak").speak("en-us+m1@165", "ipa", ["A paper upper."]))
    silent = np.flatnonzero(np.abs(said.samples) < 1e-4) / SAMPLE_RATE
    for phone in (p for p in said.phones[1:] if p.name in ("AA", "AE", "AH", "EH", "IH", "ER")):
        assert ((silent > phone.start_s + 0.003) & (silent < phone.end_s - 0.003)).sum() < 40


def test_a_vowel_begins_earlier_after_a_nasal_but_not_after_a_stop():
    rows = [("m", 0, 100), ("ɑː", 100, 200), ("p", 200, 300), ("a", 300, 400), ("l", 400, 420), ("i", 420, 500)]
    begun = espeak.vowels_begun(rows, RATE)
    assert [start for _, start, _ in begun] == [0, 80, 200, 300, 400, 410], "never more than half of what came before"
    assert all(a[2] == b[1] for a, b in zip(begun, begun[1:], strict=False))


def test_flite_failing_on_one_text_costs_that_text(monkeypatch):
    done = type("Done", (), {"returncode": 1, "stdout": ""})
    monkeypatch.setattr(flite.subprocess, "run", lambda *_, **__: done)
    assert list(engine("flite").speak("slt", "cmu", ["a", "b"])) == []


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Makes a shell script the command `name`; said.wav lies beside it."""
    soundfile.write(tmp_path / "said.wav", np.zeros(4800, np.float32), SAMPLE_RATE)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def install(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\nhere={tmp_path}\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    return install


def test_flite_hanging_on_one_text_costs_that_text(stand_in, monkeypatch):
    stand_in(
        "flite",
        'case "$*" in *hang*) exec sleep 60;; esac\nfor out; do :; done\ncp "$here/said.wav" "$out"\necho '
        "pau:0.1 b:0.3",
    )
    monkeypatch.setattr(flite, "LONGEST_S", 1.0)
    assert [said.text for said in engine("flite").speak("slt", "cmu", ["bob", "hang", "map"])] == ["bob", "map"]


def test_festival_hanging_on_a_text_costs_the_rest_of_its_batch(stand_in, monkeypatch):
    stand_in(
        "festival",
        'to=$(dirname "$2")\ncp "$here/said.wav" "$to/0.wav"\nprintf "#\\n0.3 100 b\\n" > "$to/0.seg"\nexec sleep 60',
    )
    monkeypatch.setattr(festival, "LONGEST_S", 1.0)
    monkeypatch.setattr(festival, "BATCH", 2)
    said = list(engine("festival").speak("kal_diphone", "cmu", ["one", "hang", "three"]))
    assert [utterance.text for utterance in said] == ["one", "three"], "the first of each batch"
    assert [phone.name for phone in said[0].phones] == ["PB"]


def test_flites_printed_segments_become_rows():
    assert flite.segments("pau:0.1 b:0.25 aa:0.4 ") == [("pau", 0.0, 0.1), ("b", 0.1, 0.25), ("aa", 0.25, 0.4)]


def test_festivals_label_file_becomes_rows():
    assert festival.segments("#\n0.22 100 pau\n0.31 100 b\n") == [("pau", 0.0, 0.22), ("b", 0.22, 0.31)]


def test_availability_follows_what_is_installed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    assert not any(engine(name).available() for name in VOICES)
