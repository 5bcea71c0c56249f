"""Texts, voices and the corpus on disk."""

import json
from collections import Counter

import numpy as np
import pytest
from cases import case

from speech_to_face.phones import Phone, split_ipa
from speech_to_face_lab.corpus import __main__ as corpus
from speech_to_face_lab.corpus import text
from speech_to_face_lab.corpus.__main__ import build, voice_rows
from speech_to_face_lab.corpus.engines import ENGINES, SAMPLE_RATE, Utterance, VoiceError, engine
from speech_to_face_lab.corpus.store import read_voice, voices, write_voice
from speech_to_face_lab.corpus.text import languages, texts

RECORDED = ("flite", "festival")


def test_there_are_a_hundred_voices_ten_languages_and_twenty_hours():
    rows = voice_rows()
    assert len({row["name"] for row in rows}) == len(rows) >= 100
    minutes = Counter()
    for row in rows:
        minutes[row["language"]] += row["minutes"]
    assert len(minutes) >= 10 and sum(minutes.values()) >= 20 * 60
    assert [language for language, _ in minutes.most_common(2)] == ["english", "mandarin"]


def test_recorded_voices_say_more_than_formant_ones():
    kinds = Counter()
    for row in voice_rows():
        kinds[row["engine"] in RECORDED] += row["minutes"]
    least = min(row["minutes"] for row in voice_rows() if row["engine"] in RECORDED)
    assert kinds[True] > kinds[False] and least > max(
        row["minutes"] for row in voice_rows() if row["engine"] == "espeak"
    )


def test_a_row_of_the_voices_is_whole():
    for row in voice_rows():
        with case(row):
            assert (
                row["engine"] in ENGINES
                and row["language"] in languages()
                and row["licence"]
                and 0 < row["minutes"] <= 120
            )
            assert row["name"].isprintable() and not set(row["name"]) & set(" /.+@"), "a name is a file's name"
            if row["engine"] == "espeak":
                _, _, numbers = row["voice"].partition("@")
                speed, _, pitch = numbers.partition("/")
                assert 140 <= int(speed) <= 190 and 30 <= int(pitch or 50) <= 70


def test_texts_are_the_same_for_a_seed_and_differ_between_seeds():
    for language in languages():
        with case(language):
            assert texts(language, 20, seed=3) == texts(language, 20, seed=3)
            assert texts(language, 20, seed=3) != texts(language, 20, seed=4)


def test_mandarin_is_numbered_pinyin():
    assert all(syllable.strip(",.?")[-1] in "1234" for text in texts("mandarin", 20, 0) for syllable in text.split())


def test_mandarin_has_every_syllable_and_espeak_reads_each_as_one():
    plain, _ = text._pinyin()
    assert len(set(plain)) == len(plain) > 370 and {"ma", "shi", "zhuang", "lv", "er", "yue", "bo"} <= set(plain)
    if not engine("espeak").available():
        pytest.skip("libespeak-ng is not installed")
    said = engine("espeak").speak("cmn-latn-pinyin", "ipa", [f"{syllable}1" for syllable in plain])
    long = [u.text for u in said if len([p for p in u.phones if p.name != "SIL"]) > len(split_ipa("tʃuaiŋ"))]
    assert not long, "read as letters"


def test_english_has_every_kind_of_text_and_many_lips():
    said = texts("english", 2000, 0)
    for wanted in (
        str.istitle,
        str.isupper,
        lambda t: t.endswith("?"),
        lambda t: any(c.isdigit() for c in t),
        lambda t: "..." in t,
    ):
        assert sum(map(wanted, said)) > 20
    assert len(set(" ".join(said).lower().split())) > 1000 or not text.DICTIONARY.exists()
    lips = sum("".join(said).lower().count(x) for x in "pbmfvw") / sum(c.isalpha() for c in "".join(said))
    assert lips > 0.14, "running English has 0.12"


def test_texts_do_without_a_dictionary(monkeypatch, tmp_path):
    monkeypatch.setattr(text, "DICTIONARY", tmp_path / "none")
    for cached in (text._dictionary, text._names):
        cached.cache_clear()
    assert len(texts("english", 200, 0)) == 200
    for cached in (text._dictionary, text._names):
        cached.cache_clear()


def tone(seconds: float = 1.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 200 * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def test_a_voice_comes_back_as_it_was_written(tmp_path):
    said = [Utterance(str(i), tone(0.5 + i) * (i + 1) / 10, (Phone("AA", 0.0, 0.5 + i),)) for i in range(3)]
    seconds = write_voice(tmp_path, "v", {"licence": "MIT"}, said)
    clips = read_voice(tmp_path, "v")
    assert seconds == pytest.approx(sum(len(u.samples) for u in said) / SAMPLE_RATE)
    assert [(c.text, len(c.samples), c.phones) for c in clips] == [(u.text, len(u.samples), u.phones) for u in said]
    assert all(np.abs(c.samples).max() == pytest.approx(0.7 * 32768, rel=0.01) for c in clips), (
        "every utterance at the same peak"
    )


def test_a_voice_that_was_not_finished_does_not_count(tmp_path):
    def broken():
        yield Utterance("a", tone(), ())
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_voice(tmp_path, "v", {}, broken())
    assert voices(tmp_path) == []


class Voices:
    """An engine of tones that counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def available(self) -> bool:
        return True

    def speak(self, voice, table, some):
        self.asked.append(voice)
        if voice == "none":
            raise VoiceError("tones has no voice 'none'")
        for said in some:
            yield Utterance(said, tone(1.0 + len(said) % 3), (Phone("AA", 0.0, 1.0),))


def row(name: str) -> dict:
    return {
        "name": name,
        "engine": "tones",
        "voice": name,
        "table": "ipa",
        "language": "italian",
        "minutes": 0.2,
        "licence": "MIT",
    }


@pytest.fixture
def tones(monkeypatch) -> Voices:
    made = Voices()
    monkeypatch.setattr(corpus, "engine", lambda _: made)
    return made


def test_building_goes_on_where_it_stopped_and_comes_to_the_same(tones, tmp_path):
    build(tmp_path / "once", [row("a"), row("b")])
    build(tmp_path / "twice", [row("a")])
    (tmp_path / "twice" / "b.part.flac").write_bytes(b"half a voice")
    tones.asked.clear()
    build(tmp_path / "twice", [row("a"), row("b")])
    assert set(tones.asked) == {"b"}
    for name in ("a", "b"):
        first, second = (read_voice(tmp_path / folder, name) for folder in ("once", "twice"))
        assert [c.text for c in first] == [c.text for c in second]
        assert 12 <= sum(len(c.samples) for c in first) / SAMPLE_RATE < 16


def test_voices_and_seeds_have_texts_of_their_own(tones, tmp_path):
    build(tmp_path, [row("a"), row("b")])
    build(tmp_path / "other", [row("a")], seed=1)
    said = [
        [c.text for c in read_voice(*where)] for where in ((tmp_path, "a"), (tmp_path, "b"), (tmp_path / "other", "a"))
    ]
    assert said[0] != said[1] and said[0] != said[2]


def test_progress_is_told_and_a_missing_voice_is_left_out(tones, tmp_path, capsys):
    build(tmp_path, [row("a"), row("none"), row("b")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1/3 a: 0.2 min (0.00 of 0.01 h, ") and lines[0].endswith(" min left)")
    assert lines[1] == "2/3 none: left out: tones has no voice 'none'"
    assert voices(tmp_path) == ["a", "b"]


def test_an_engine_that_says_nothing_ends_its_voice_and_not_the_build(tones, tmp_path, capsys):
    tones.speak = lambda *_: iter(())
    build(tmp_path, [row("a")])
    assert "left out: tones spoke none of 40 texts" in capsys.readouterr().out


def test_the_manifest_names_licences_and_seconds(tones, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "voice_rows", lambda: [row("a") | {"engine": "espeak"}])
    monkeypatch.setattr("sys.argv", ["corpus", "--out", str(tmp_path), "--scale", "0.5"])
    corpus.main()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest == [row("a") | {"engine": "espeak", "seconds": manifest[0]["seconds"]}]
    assert 6 <= manifest[0]["seconds"] < 10
