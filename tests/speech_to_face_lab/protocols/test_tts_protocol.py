"""The synthetic corpus as subjects: who speaks, and how each of them moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.phones import Phone
from speech_to_face_lab.corpus import store
from speech_to_face_lab.corpus.engines import Utterance
from speech_to_face_lab.corpus.visemes import curves, sealed
from speech_to_face_lab.protocols import tts
from speech_to_face_lab.protocols.clips import genders
from speech_to_face_lab.protocols.personas import GROUPS, persona

PHONES = (
    Phone("SIL", 0, 0.1),
    Phone("AA", 0.1, 0.4),
    Phone("PB", 0.4, 0.55),
    Phone("IY", 0.55, 0.8),
    Phone("M", 0.8, 1.0),
)
NAMES = ["awb", "slt", "espeak-f2", "espeak-max", "kal", "anna"]


def write(folder: Path, voice: str, utterances: int = 2) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    store.write_voice(
        folder, voice, {"name": voice}, [Utterance(f"text {i}", noise, PHONES) for i in range(utterances)]
    )


def test_one_speaker_may_have_several_voices() -> None:
    assert tts.speaker("flite-slt") == tts.speaker("festival-slt") == "slt"
    assert tts.speaker("festival-hi") == tts.speaker("festival-te") == "nsk"
    assert tts.speaker("espeak-en-gb-f3") == tts.speaker("espeak-es-f3") == "espeak-f3"


def test_every_voice_of_the_corpus_has_a_speaker_with_a_gender() -> None:
    rows = yaml.safe_load((Path(tts.__file__).parents[1] / "corpus" / "voices.yaml").read_text(encoding="utf-8"))
    names = [
        f"{row['name']}-{voice.partition('+')[2].partition('@')[0]}" if "voices" in row else row["name"]
        for row in rows
        for voice in row.get("voices", [""])
    ]
    assert len(names) > 100
    found = {tts.gender(tts.speaker(name)) for name in names}
    assert found == {"female", "male"}


def test_known_voices_have_the_gender_that_they_sound_like() -> None:
    assert [tts.gender(name) for name in ("slt", "awb", "espeak-f2", "espeak-m2", "lp")] == [
        "female",
        "male",
        "female",
        "male",
        "female",
    ]


def test_a_voice_that_nobody_knows_is_told() -> None:
    with pytest.raises(ModelError, match="'flite-new' has no known speaker"):
        tts.speaker("flite-new")
    with pytest.raises(ModelError, match="'f2' is not known"):
        tts.gender("f2")


def test_clips_have_their_speaker_and_its_own_way_of_moving(tmp_path: Path) -> None:
    for voice in ("flite-slt", "festival-slt", "flite-awb"):
        write(tmp_path, voice)
    clips = tts.clips(tmp_path)
    assert [clip.name for clip in clips][:3] == ["flite-awb-0", "flite-awb-1", "festival-slt-0"]
    assert genders(clips) == {"awb": "male", "slt": "female"}
    assert {(clip.rate, clip.frames, len(clip.samples)) for clip in clips} == {(60, 60, 16_000)}
    assert clips[0].phones == PHONES
    first = {clip.subject: clip.curves for clip in clips[::-1]}
    assert first["awb"] is not None and first["slt"] is not None
    assert np.abs(first["awb"] - first["slt"]).max() > 0.02


def test_speech_can_be_limited_by_subject_and_length(tmp_path: Path) -> None:
    for voice in ("flite-slt", "festival-slt", "flite-awb"):
        write(tmp_path, voice, 4)
    clips = tts.clips(tmp_path, subjects=["slt"], seconds=3)
    assert [clip.name for clip in clips] == ["festival-slt-0", "flite-slt-0", "festival-slt-1"], "voices take turns"
    with pytest.raises(ModelError, match="no voice of subject 'rms', expected one of awb, slt"):
        tts.clips(tmp_path, subjects=["rms"])


def test_a_folder_without_voices_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no voices there"):
        tts.clips(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_persona_stays_within_what_is_said_of_it(name: str) -> None:
    own = persona(name)
    assert own.gain.min() >= 0.8 and own.gain.max() <= 1.25
    assert own.offset.min() >= 0 and own.offset.max() <= 0.04
    assert 0 < np.count_nonzero(own.offset) <= 8
    assert len(set(own.gain.tolist())) == len(GROUPS)


def test_a_persona_follows_from_the_name_alone() -> None:
    assert np.array_equal(persona("awb").gain, persona("awb").gain)
    assert not np.array_equal(persona("awb").gain, persona("rms").gain)
    assert persona("slt").gain[MOUTH_32.index("jawOpen")] == pytest.approx(1.09423, abs=1e-4), "on every machine"


def test_groups_hold_every_channel_once() -> None:
    bases = [name.removesuffix("Left").removesuffix("Right") for name in MOUTH_32]
    named = [name for group in GROUPS for name in group]
    assert len(named) == len(set(named))
    assert all((full in named) != (base in named and base != full) for full, base in zip(MOUTH_32, bases, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_sealed_lips_stay_sealed_whoever_speaks(name: str) -> None:
    mouth, closed = persona(name).applied(curves(PHONES, 60)), sealed(PHONES, 60) == 1
    assert closed.sum() > 8
    gap = mouth[:, MOUTH_32.index("jawOpen")] - mouth[:, MOUTH_32.index("mouthClose")]
    assert np.abs(gap[closed]).max() < 1e-6
    lifted = [MOUTH_32.index(f"mouth{which}{side}") for which in ("LowerDown", "UpperUp") for side in ("Left", "Right")]
    assert mouth[closed][:, lifted].max() == 0
    assert gap[~closed].max() > 0.1, "and open lips open"
