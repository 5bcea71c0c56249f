import ctypes.util
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech_to_face.base import ModelError
from speech_to_face.phones import CLASSES, INDEX, Phone
from speech_to_face_lab.corpus import align as aligning
from speech_to_face_lab.corpus import pronounce as pronouncing
from speech_to_face_lab.corpus.align import AlignError, align, align_corpus, align_words, class_shares, decoded
from speech_to_face_lab.corpus.pronounce import Word
from speech_to_face_lab.corpus.transcripts import Recording, recordings

BOB, MAP = Word("bob", (("PB", "AO", "PB"),)), Word("map", (("M", "AE", "PB"),))


def shares(*spans: tuple[str, int], sure: float = 0.9) -> np.ndarray:
    """Posteriors of spans (class, frames) in order."""
    rows = np.full((sum(n for _, n in spans), len(CLASSES)), (1 - sure) / (len(CLASSES) - 1), np.float32)
    rows[np.arange(len(rows)), np.repeat([INDEX[name] for name, _ in spans], [n for _, n in spans])] = sure
    return np.log(rows)


BOB_MAP = (("SIL", 6), ("PB", 4), ("AO", 8), ("PB", 4), ("SIL", 10), ("M", 5), ("AE", 9), ("PB", 4), ("SIL", 6))


def test_phones_lie_where_the_posteriors_say_with_pauses_around_and_between():
    made = align(shares(*BOB_MAP), [BOB, MAP])
    assert [p.name for p in made.phones] == ["SIL", "PB", "AO", "PB", "SIL", "M", "AE", "PB", "SIL"]
    frames = np.cumsum([n for _, n in BOB_MAP])
    np.testing.assert_allclose([p.end_s for p in made.phones], (frames - 0.5) / 60, atol=1e-6)
    assert made.phones[0].start_s == 0
    assert made.words == (
        ("bob", pytest.approx(5.5 / 60), pytest.approx(21.5 / 60)),
        ("map", pytest.approx(31.5 / 60), pytest.approx(49.5 / 60)),
    )
    assert made.score == pytest.approx(0, abs=1e-6)


def test_pauses_are_optional():
    made = align(shares(("PB", 4), ("AO", 6), ("PB", 4), ("M", 5), ("AE", 6), ("PB", 4)), [BOB, MAP])
    assert [p.name for p in made.phones] == ["PB", "AO", "PB", "M", "AE", "PB"]


def test_the_variant_that_was_said_is_chosen():
    the = Word("the", (("TH", "AH"), ("TH", "IY")))
    made = align(shares(("TH", 4), ("IY", 8), ("M", 4), ("AE", 6), ("PB", 4)), [the, MAP])
    assert [p.name for p in made.phones] == ["TH", "IY", "M", "AE", "PB"]


def test_a_blip_is_not_a_phone():
    """One frame of a class that comes next does not start it early: phones last at least two frames."""
    made = align(shares(("M", 4), ("PB", 1), ("AE", 9), ("PB", 4)), [MAP])
    assert [p.name for p in made.phones] == ["M", "AE", "PB"]
    assert made.phones[-1].end_s - made.phones[-1].start_s == pytest.approx(4 / 60)


def test_a_wrong_transcript_scores_far_below_the_right_one():
    sound = shares(*BOB_MAP)
    wrong = [Word("see", (("S", "IY"),)), Word("you", (("J", "UW"),))]
    assert align(sound, wrong).score < align(sound, [BOB, MAP]).score - 2


def test_a_prior_undoes_a_class_that_is_always_likely():
    rows = np.exp(shares(("SIL", 4), ("M", 6), ("AE", 6), ("PB", 6)))
    rows[4:10, INDEX["SIL"]], rows[4:10, INDEX["M"]] = 0.6, 0.3
    prior = np.full(len(CLASSES), 0.4 / (len(CLASSES) - 1), np.float32)
    prior[INDEX["SIL"]] = 0.6
    plain, divided = (align(np.log(rows), [MAP], p) for p in (None, prior))
    assert plain.words[0][1] > 6 / 60
    assert divided.words[0][1] == pytest.approx(3.5 / 60)


def test_a_transcript_too_long_for_its_sound_is_squeezed_and_then_refused():
    assert len(align(shares(("M", 1), ("AE", 1), ("PB", 1)), [MAP]).phones) == 3
    with pytest.raises(AlignError, match="2 words do not fit into 3 frames"):
        align(shares(("M", 1), ("AE", 1), ("PB", 1)), [BOB, MAP])
    with pytest.raises(AlignError, match="0 frames"):
        align(np.empty((0, len(CLASSES)), np.float32), [MAP])


def test_known_word_times_hold_against_the_posteriors():
    """The same word twice in the sound: the one inside the given time is taken."""
    sound = shares(("M", 6), ("AE", 6), ("PB", 6), ("SIL", 30), ("M", 6), ("AE", 6), ("PB", 6), ("SIL", 6))
    early, late = align_words(sound, [(MAP, 0.0, 0.3)]), align_words(sound, [(MAP, 0.8, 1.1)])
    assert early.words[0][2] == pytest.approx(17.5 / 60)
    assert late.words[0][1:] == (pytest.approx(47.5 / 60), pytest.approx(65.5 / 60))


def test_words_whose_times_leave_no_room_are_refused():
    with pytest.raises(AlignError):
        align_words(shares(("M", 60)), [(MAP, 5.0, 5.5)])


def test_without_a_transcript_the_likeliest_phones_are_heard_and_blips_are_not():
    rows = shares(("SIL", 10), ("M", 8), ("AE", 10), ("S", 1), ("AE", 6), ("SIL", 10))
    made = decoded(rows)
    assert [p.name for p in made.phones] == ["SIL", "M", "AE", "SIL"]
    assert made.phones[-1] == Phone("SIL", pytest.approx(34.5 / 60), pytest.approx(44.5 / 60))
    assert -1 < made.score < 0
    assert decoded(rows[:0]).phones == ()


def test_class_shares_are_a_distribution_that_never_reaches_zero():
    prior = class_shares([shares(("SIL", 30), sure=1 - 1e-6), shares(("M", 10), sure=1 - 1e-6)])
    assert prior.sum() == pytest.approx(1) and prior.min() > 0
    assert prior[INDEX["SIL"]] > 2 * prior[INDEX["M"]]


@pytest.fixture
def corpus(tmp_path):
    """A folder as the real recordings lie in: one clip of every kind."""
    soundfile.write(tmp_path / "a.flac", np.zeros(14_933, np.float32), 16_000)
    common = {"audio": "a.flac", "language": "en", "corpus": "made"}
    phones = "M_B AE0_I P_E"
    people = [common | {"id": f"m{i}", "transcript": "map", "phones_untimed": phones} for i in range(4)]
    people += [common | {"id": "silent"}, common | {"id": "odd", "transcript": "map", "phones_untimed": "QQ_B"}]
    speech = [
        common | {"id": "checked", "transcript": "map", "phones": "a.TextGrid"},
        {"id": "facegood_1", "audio": "a.flac"},
    ]
    (tmp_path / "manifest_people.json").write_text(json.dumps(people), encoding="utf-8")
    (tmp_path / "manifest_speech.json").write_text(json.dumps(speech), encoding="utf-8")
    return tmp_path


def test_every_clip_finds_its_kind_and_clips_for_checking_are_left_out(corpus):
    found, unsaid = recordings(corpus)
    assert [(r.id, r.kind) for r in found] == [
        ("m0", "aligned"),
        ("m1", "aligned"),
        ("m2", "aligned"),
        ("m3", "aligned"),
        ("facegood_1", "decoded"),
    ]
    assert len(unsaid) == 1 and unsaid[0].startswith("odd: ") and "'qq'" in unsaid[0]


def test_a_folder_without_manifests_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"got no manifest\*.json"):
        recordings(tmp_path)


def test_the_worst_share_of_a_corpus_is_not_kept(corpus):
    sure = iter((0.9, 0.5, 0.9, 0.9, 0.9))

    def listen(samples: np.ndarray) -> np.ndarray:
        rows = np.exp(shares(("M", 20), ("AE", 20), ("PB", 16)))
        rows[20:40] = np.exp(shares(("AE" if next(sure) > 0.6 else "S", 20)))
        return np.log(rows)

    clips = align_corpus(recordings(corpus)[0], listen, worst=0.25)
    assert {name: clip["kept"] for name, clip in clips.items()} == {
        "m0": True,
        "m1": False,
        "m2": True,
        "m3": True,
        "facegood_1": True,
    }
    assert [phone[0] for phone in clips["m0"]["phones"]] == ["M", "AE", "PB"] and clips["facegood_1"][
        "kind"
    ] == "decoded"


def test_any_manifest_is_read(tmp_path):
    row = {"id": "mine", "audio": "a.wav", "transcript": "map", "phones_untimed": "M_B AE0_I P_E"}
    (tmp_path / "manifest_mine.json").write_text(json.dumps([row]), encoding="utf-8")
    assert [recording.id for recording in recordings(tmp_path)[0]] == ["mine"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[{", "cannot be read, expected JSON"),
        ("{}", "got dict, expected a list"),
        ('[{"id": "a"}]', "row 0: got keys id, expected id and audio"),
    ],
)
def test_a_damaged_manifest_is_one_clear_line(tmp_path, text, expected):
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=expected) as raised:
        recordings(tmp_path)
    assert "\n" not in str(raised.value)


def test_sound_at_another_rate_in_stereo_is_heard_at_16_khz_mono(tmp_path):
    soundfile.write(tmp_path / "b.flac", np.full((8_000, 2), 0.25, np.float32), 8_000)
    given = []

    def listen(samples: np.ndarray) -> np.ndarray:
        given.append(samples)
        return shares(("M", 20), ("AE", 20), ("PB", 20))

    assert align_corpus([Recording("b", tmp_path / "b.flac", "made", (MAP,), ())], listen, 0.1)["b"]["kept"]
    assert given[0].shape == (16_000,) and given[0].dtype == np.float32
    assert np.median(given[0]) == pytest.approx(0.25, abs=0.01)


def test_missing_sound_is_one_clear_line(tmp_path):
    with pytest.raises(ModelError, match="none.flac: no such file"):
        align_corpus(
            [Recording("b", tmp_path / "none.flac", "made", (MAP,), ())], lambda samples: shares(("SIL", 3)), 0.1
        )


@pytest.fixture
def no_library(monkeypatch):
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    monkeypatch.setattr(
        pronouncing, "_library", pronouncing._library.__wrapped__
    )  # the one already at work stays as it is
    pronouncing.ipa.cache_clear()


def command(monkeypatch, folder: Path, out: Path) -> None:
    monkeypatch.setattr(aligning.checkpoint, "find", Path)
    monkeypatch.setattr("sys.argv", ["align", "--data", str(folder), "--model", str(folder), "--out", str(out)])
    with pytest.raises(SystemExit):
        aligning.main()


def test_without_espeak_the_command_stops_with_one_line_and_writes_nothing(tmp_path, monkeypatch, capsys, no_library):
    rows = [{"id": f"m{i}", "audio": "a.flac", "transcript": "map"} for i in range(3)]
    (tmp_path / "manifest.json").write_text(json.dumps(rows), encoding="utf-8")
    command(monkeypatch, tmp_path, tmp_path / "out.json")
    said = capsys.readouterr()
    assert said.out == "" and said.err.splitlines()[-1].endswith("(Debian: libespeak-ng1)")
    assert not (tmp_path / "out.json").exists()


def test_a_folder_with_nothing_to_align_is_refused_and_nothing_written(tmp_path, monkeypatch, capsys):
    row = {"id": "odd", "audio": "a.flac", "transcript": "map", "phones_untimed": "QQ_B"}
    (tmp_path / "manifest.json").write_text(json.dumps([row]), encoding="utf-8")
    command(monkeypatch, tmp_path, tmp_path / "out.json")
    assert "no recording can be aligned, 1 left out" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_unclear_sound_is_shared_out_by_the_usual_lengths():
    """Where the posteriors say nothing at all, no phone takes everything and leaves the others the least."""
    nothing = shares(("SIL", 22), sure=1 / len(CLASSES))
    lengths = [p.end_s - p.start_s for p in align(nothing, [MAP]).phones if p.name != "SIL"]
    assert len(lengths) == 3
    assert max(lengths) < 2.5 * min(lengths)


def test_timed_words_lose_their_pauses_and_keep_their_times(tmp_path):
    if ctypes.util.find_library("espeak-ng") is None:
        pytest.skip("libespeak-ng is not installed")
    words = [[0.0, 0.5, "sil"], [0.5, 0.8, "map"], [0.8, 0.9, "sp"], [0.9, 1.2, "25"]]
    row = {"id": "grid_1", "audio": "a.flac", "language": "en-GB", "words": words, "transcript": "map 25"}
    (tmp_path / "manifest.json").write_text(json.dumps([row]), encoding="utf-8")
    (found,), unsaid = recordings(tmp_path)
    assert (found.kind, found.times, unsaid) == ("words", ((0.5, 0.8), (0.9, 1.2)), [])
    assert [word.text for word in found.words] == ["map", "25"]
