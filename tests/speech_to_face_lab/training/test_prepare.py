"""From a corpus and captures to tracks: labels, seals and mouths belong to the sound they lie beside."""

import json
from concurrent.futures import Future

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import MOUTH_32
from speech_to_face.phones import INDEX, Phone
from speech_to_face.streaming.features import frame_count
from speech_to_face_lab.corpus.augment import NOISES
from speech_to_face_lab.corpus.captures.faces import Faces
from speech_to_face_lab.corpus.visemes import loudness_db
from speech_to_face_lab.tracks import UNKNOWN, read_tracks
from speech_to_face_lab.training import prepare
from speech_to_face_lab.training.data.mixing import power_of
from speech_to_face_lab.training.prepare import faster, grouped, people_track, shown, spoken, voice_track

JAW, CLOSE, SMILE = (MOUTH_32.index(name) for name in ("jawOpen", "mouthClose", "mouthSmileLeft"))


class InTurn:
    """A pool that works at once, in this process."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> "InTurn":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function, *arguments):
        done: Future = Future()
        done.set_result(function(*arguments))
        return done


def prepared(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(prepare, "ProcessPoolExecutor", InTurn)
    monkeypatch.setattr(prepare, "NOISE_SECONDS", 10)
    monkeypatch.setattr("sys.argv", ["prepare", *map(str, arguments)])
    prepare.main()


def row(name: str, more: dict, make_curves: bool) -> dict:
    curves = {"curves": f"{name}.npz", "rig": "mediapipe"} if make_curves else {}
    return {"id": name, "audio": f"{name}.wav", "language": "en", "speaker": name, "licence": "made"} | curves | more


@pytest.fixture(scope="module")
def people(tmp_path_factory, papa_phones, buzz):
    """Three faces (one held out, one without phones) and a voice; the jaw of every face swings once a second."""
    folder = tmp_path_factory.mktemp("people")
    rows = [row("face", {}, True), row("held", {"split": "val"}, True), row("mute", {}, True), row("voice", {}, False)]
    frames = frame_count(len(buzz()))
    swing = 0.3 + 0.3 * np.sin(2 * np.pi * np.arange(frames) / 60)
    for entry in rows:
        soundfile.write(folder / entry["audio"], buzz(), 16_000)
        if "curves" in entry:
            np.savez(folder / entry["curves"], coeffs=swing[:, None], names=np.array(["jawOpen"]), fps=60.0)
    (folder / "manifest.json").write_text(json.dumps(rows), encoding="utf-8")
    said = [[p.name, p.start_s, p.end_s] for p in papa_phones]
    clips = {name: {"kind": "aligned", "kept": True, "phones": said} for name in ("face", "held", "voice")}
    clips["mute"] = {"kind": "decoded", "kept": True, "phones": said}
    (folder / "alignments.json").write_text(json.dumps({"clips": clips}), encoding="utf-8")
    return folder


def agrees(track) -> None:
    """A vowel is loud, has its label and an open mouth; a p is silent and sealed."""
    labels, sealed = np.asarray(track.labels), np.asarray(track.sealed)
    vowel, closed = labels == INDEX["AA"], sealed > 0.99
    assert vowel.any() and closed.any() and not (vowel & closed)[:-1].mean() > 0.1
    power = power_of(np.asarray(track.mel, np.float32)).mean(-1)
    assert np.median(power[vowel]) > 100 * np.median(power[labels == INDEX["PB"]])
    gap = np.asarray(track.curves[:, JAW] - track.curves[:, CLOSE], np.float32)
    assert gap[closed].max() < 0.01 and gap[vowel].max() > 0.1


def test_a_corpus_becomes_tracks_whose_labels_and_seals_agree_with_their_sound(corpus, tmp_path, monkeypatch):
    prepared(monkeypatch, "--corpus", corpus, "--out", tmp_path, "--copies", "2")
    train, held = read_tracks(tmp_path, held=False), read_tracks(tmp_path, held=True)
    assert [t.name for t in train] == ["buzz-0", "buzz-1", "espeak-hum-0", "espeak-hum-1"]
    assert [t.name for t in held] == ["buzz-held", "espeak-hum-held"]
    assert {t.about.group for t in train} == {"recorded", "formant"}
    for track in train + held:
        agrees(track)
    lengths = [len(t.mel) for t in train[:2]]
    assert lengths[0] != lengths[1], "other speeds every time"
    assert min(lengths) > 2 * len(held[0].mel), "one clip in four is held out"


def test_a_second_run_makes_only_what_is_missing(corpus, tmp_path, monkeypatch):
    prepared(monkeypatch, "--corpus", corpus, "--out", tmp_path, "--copies", "1")
    (tmp_path / "buzz-0.json").unlink()
    made = []
    monkeypatch.setattr(prepare, "voice_track", lambda *arguments: made.append(arguments[1:3]) or 0)
    monkeypatch.setattr(prepare, "write_noises", lambda *_: made.append("noises"))
    prepared(monkeypatch, "--corpus", corpus, "--out", tmp_path, "--copies", "1")
    assert made == [("buzz", 0)]


def test_the_same_voice_is_laid_down_the_same_way_again(corpus, tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        voice_track(corpus, "buzz", 0, folder)
    first, second = ((folder / "buzz-0.mel.npy").read_bytes() for folder in (tmp_path / "a", tmp_path / "b"))
    assert first == second


def test_the_noise_bank_is_at_full_level_and_fits_its_type(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "NOISE_SECONDS", 10)
    prepare.write_noises(corpus, tmp_path)
    noise, babble = (np.load(tmp_path / f"{name}.npy") for name in ("noise", "babble"))
    chunks = sum(prepare.OFTEN.get(kind, 1) for kind in NOISES)
    assert (
        noise.dtype == babble.dtype == np.float16
        and noise.shape == (chunks * 600, 160)
        and babble.shape == (24 * 600, 160)
    )
    assert np.isfinite(noise).all() and np.isfinite(babble).all() and noise.min() >= 0
    assert babble.max() > 0.01 and all(noise[at : at + 600].max() > 0.01 for at in range(0, chunks * 600, 600))


def test_captures_become_tracks_of_their_own(corpus, people, tmp_path, monkeypatch):
    more = ("--captures", people, "--alignments", people / "alignments.json", "--real-copies", "2")
    prepared(monkeypatch, "--corpus", corpus, "--out", tmp_path, "--copies", "1", *more)
    real = {t.name: t for t in read_tracks(tmp_path, False) + read_tracks(tmp_path, True) if t.name.startswith("real")}
    assert {"real-mediapipe-0", "real-mediapipe-1", "real-mediapipe-held"} < set(real)
    assert real["real-mediapipe-held"].about.held and real["real-mediapipe-0"].about.rig == "mediapipe"
    agrees(real["real-mediapipe-held"])
    voice = next(t for name, t in real.items() if name.startswith("real-people"))
    assert voice.about.rig == "rules"
    agrees(voice)


def test_faces_without_trusted_phones_have_unknown_labels_and_only_what_was_measured(people, tmp_path):
    groups = grouped(people, people / "alignments.json")
    named = {(capture.name, bool(phones)) for rows in groups.values() for capture, phones in rows}
    assert named == {("face", True), ("held", True), ("mute", False), ("voice", True)}
    rows = [r for r in groups["mediapipe", False] if not r[1]]
    people_track("mediapipe", rows, 0, tmp_path, Faces.of_all([capture for capture, _ in rows]))
    (track,) = read_tracks(tmp_path, held=False)
    mute = np.asarray(track.labels) == UNKNOWN
    assert mute.mean() > 0.5 and not np.asarray(track.sealed)[mute].any()
    assert (
        np.isnan(np.asarray(track.curves)[mute][:, SMILE]).all()
        and not np.isnan(np.asarray(track.curves)[:, JAW]).any()
    )


def test_speech_without_a_face_needs_phones(people, tmp_path):
    table = json.loads((people / "alignments.json").read_text())
    for change in ({"kept": False}, {"kind": "decoded"}):
        row = table["clips"]["voice"] | change
        (tmp_path / "a.json").write_text(json.dumps({"clips": {"voice": row}}), encoding="utf-8")
        names = {capture.name for rows in grouped(people, tmp_path / "a.json").values() for capture, _ in rows}
        assert names == {"face", "held", "mute"}


def test_a_captured_jaw_is_kept_and_its_lips_seal_at_p(people):
    ((capture, phones),) = [
        r for r in grouped(people, people / "alignments.json")["mediapipe", False] if r[0].name == "face"
    ]
    faces = Faces.of_all([capture])
    piece = shown(capture, phones, faces, 1.0, None)
    measured, free = faces.of(capture)[: len(piece.curves), JAW], piece.sealed == 0
    np.testing.assert_allclose(piece.curves[free, JAW], measured[free], atol=1e-6)
    assert np.ptp(measured[free]) > 0.4
    sealed = piece.sealed == 1
    assert np.abs(piece.curves[sealed, JAW] - piece.curves[sealed, CLOSE]).max() < 1e-5
    assert piece.curves[sealed, JAW].max() <= 0.1 + 1e-6 and not np.isnan(piece.curves).any()


def test_a_captured_face_keeps_its_place_at_another_speed(people):
    ((capture, phones),) = [
        r for r in grouped(people, people / "alignments.json")["mediapipe", False] if r[0].name == "face"
    ]
    faces, rate = Faces.of_all([capture]), 1.12
    slow, fast = shown(capture, phones, faces, 1.0, None), shown(capture, phones, faces, rate, None)
    assert len(fast.curves) == pytest.approx(len(slow.curves) / rate, abs=3)
    at = np.minimum(np.round(np.arange(len(fast.labels)) * rate).astype(int), len(slow.labels) - 1)
    assert (fast.labels == slow.labels[at]).mean() > 0.85
    free = (fast.sealed == 0) & (slow.sealed[at] == 0)
    assert np.corrcoef(fast.curves[free, JAW], slow.curves[at][free, JAW])[0, 1] > 0.98


@pytest.mark.parametrize("rate", [0.85, 1.0, 1.18])
def test_spoken_labels_follow_the_speed_of_the_sound(rate, papa_phones, buzz):
    piece = spoken(buzz(), papa_phones, rate, None)
    assert len(piece.samples) == pytest.approx(3.0 * 16_000 / rate, abs=801)
    centre = np.arange(len(piece.labels)) * 16_000 // 60
    loud = np.array([np.abs(piece.samples[max(0, c - 40) : c + 40]).max() > 0.1 for c in centre])
    assert (loud == (piece.labels == INDEX["AA"])).mean() > 0.9


def test_effects_change_the_sound_and_not_the_mouth(papa_phones, buzz, monkeypatch):
    monkeypatch.setattr("speech_to_face_lab.corpus.augment.CODEC_SHARE", 1.0)
    plain, coded = spoken(buzz(), papa_phones, 1.0, None), spoken(buzz(), papa_phones, 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(plain.curves, coded.curves)
    assert plain.samples.shape == coded.samples.shape and np.abs(plain.samples - coded.samples).max() > 1e-3


def test_loudness_is_the_level_around_each_frame():
    sound = np.concatenate([np.zeros(8000), np.full(8000, 0.1)]).astype(np.float32)
    level = loudness_db(sound, 60)
    assert level[:25].max() == pytest.approx(-80) and level[35:] == pytest.approx(-20, abs=0.01)
    assert loudness_db(sound, 70).shape == (70,), "frames past the end are silent, not an error"


def test_phones_at_another_speed_end_earlier():
    assert faster((Phone("AA", 1.0, 2.0),), 2.0) == (Phone("AA", 0.5, 1.0),)


def test_captures_without_alignments_are_refused(corpus, people, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        prepared(monkeypatch, "--corpus", corpus, "--out", tmp_path, "--captures", people)
    assert "--captures and --alignments go together" in capsys.readouterr().err
