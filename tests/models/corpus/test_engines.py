import ctypes.util
import shutil

import numpy as np
import pytest

from models.corpus.engines import SAMPLE_RATE, engine, festival, flite

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


def test_flites_printed_segments_become_rows():
    assert flite.segments("pau:0.1 b:0.25 aa:0.4 ") == [("pau", 0.0, 0.1), ("b", 0.1, 0.25), ("aa", 0.25, 0.4)]


def test_festivals_label_file_becomes_rows():
    assert festival.segments("#\n0.22 100 pau\n0.31 100 b\n") == [("pau", 0.0, 0.22), ("b", 0.22, 0.31)]


def test_availability_follows_what_is_installed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    assert not any(engine(name).available() for name in VOICES)
