"""One audio file to one take."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from batches import RATE_HZ, RECIPE, loudness, tone

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character
from arkit_mapping.takes.csv import read_take
from livelink_bridge.batch.job import (
    Recipe,
    clear_partials,
    convert_one,
    is_disk_full,
    load_context,
    sha256_of,
    stamp_of,
)
from livelink_bridge.errors import SinkError
from livelink_bridge.testing.stand_ins import LoudnessModel
from speech_to_face.base import ModelError

BLINK = CHANNELS_61.index("EyeBlinkLeft")


def take(sound: Path, out: Path, recipe: Recipe = RECIPE) -> bytes:
    outcome = convert_one(sound, out, recipe, loudness(recipe))
    assert outcome.error is None
    assert (outcome.sound_sha256, outcome.take_sha256) == (sha256_of(sound), sha256_of(out))
    assert (outcome.sound_stamp, outcome.take_stamp) == (stamp_of(sound), stamp_of(out))
    return out.read_bytes()


def test_a_take_depends_on_the_sound_and_on_nothing_around_it(tmp_path: Path) -> None:
    one = tone(tmp_path / "one.wav", 8)
    other = Path(shutil.copy(one, tmp_path / "another name.wav"))
    assert take(one, tmp_path / "a.csv") == take(other, tmp_path / "deep/b.csv")
    assert read_take(tmp_path / "a.csv").times_s[0] == 0


def test_two_sounds_blink_at_different_times_and_another_seed_moves_them(tmp_path: Path) -> None:
    one, other = tone(tmp_path / "one.wav", 8), tone(tmp_path / "other.wav", 8, step=0.21)
    blinks = [
        read_take(tmp_path / "it.csv").values[:, BLINK]
        for sound, recipe in [(one, RECIPE), (other, RECIPE), (one, replace(RECIPE, seed=1))]
        if take(sound, tmp_path / "it.csv", recipe)
    ]
    assert all(blink.max() > 0.5 for blink in blinks)
    assert not np.array_equal(blinks[0], blinks[1]) and not np.array_equal(blinks[0], blinks[2])


def test_an_outcome_says_what_the_sound_was_like(tmp_path: Path) -> None:
    outcome = convert_one(tone(tmp_path / "a.wav", 3), tmp_path / "a.csv", RECIPE, loudness(RECIPE))
    assert outcome.seconds == pytest.approx(3.0)
    assert outcome.poses == len(read_take(tmp_path / "a.csv").values)
    assert -16 < outcome.level_dbfs < -12 and 0.5 < outcome.speech <= 1.0
    assert max(bytes.fromhex(outcome.curves.jaw)) > 100
    assert outcome.closures is None and outcome.closure_score is None


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"no sound\n" * 50, "is not audio"), (None, "no such file")]
)
def test_a_bad_sound_is_an_outcome_on_one_line_and_no_take(tmp_path: Path, content: bytes | None, says: str) -> None:
    sound = tmp_path / "bad.wav"
    if content is not None:
        sound.write_bytes(content)
    outcome = convert_one(sound, tmp_path / "out/bad.csv", RECIPE, loudness(RECIPE))
    assert outcome.error is not None and says in outcome.error and "\n" not in outcome.error and not outcome.no_room
    assert not list(tmp_path.rglob("*.csv*"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_with_the_name_of_a_sound_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert "is not a file" in str(
        convert_one(tmp_path / "pipe.wav", tmp_path / "o.csv", RECIPE, loudness(RECIPE)).error
    )


def test_a_sound_that_grows_while_it_is_converted_leaves_no_take(tmp_path: Path) -> None:
    sound = tone(tmp_path / "a.wav", 1)

    def grow(_part: float) -> None:
        with sound.open("ab") as file:
            file.write(b"more")

    outcome = convert_one(sound, tmp_path / "a.csv", RECIPE, loudness(RECIPE), grow)
    assert "changed while it was converted" in str(outcome.error) and not (tmp_path / "a.csv").exists()


def test_a_bug_is_reported_and_fails_only_one_file(tmp_path: Path) -> None:
    class Broken(LoudnessModel):
        def stream(self) -> object:  # type: ignore[override]
            raise IndexError("off by one")

    context = replace(loudness(RECIPE), model=Broken())
    outcome = convert_one(tone(tmp_path / "a.wav", 1), tmp_path / "a.csv", RECIPE, context)
    assert "this is a bug: IndexError: off by one" in str(outcome.error)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_distinguished_from_other_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (full := tmp_path / "full").symlink_to("/dev/full")
    monkeypatch.setattr("arkit_mapping.takes.csv.partial_path", lambda _path: full)
    outcome = convert_one(tone(tmp_path / "a.wav", 2), tmp_path / "a.csv", RECIPE, loudness(RECIPE))
    assert outcome.no_room and "No space left" in str(outcome.error)
    outcome = convert_one(tmp_path / "a.wav", tmp_path / "a.wav/a.csv", RECIPE, loudness(RECIPE))
    assert outcome.error and not outcome.no_room


def test_a_full_disk_is_found_behind_other_errors() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise SinkError("take cannot be written") from error
    except SinkError as error:
        assert is_disk_full(error)
    assert not is_disk_full(SinkError("take cannot be written"))


def test_what_a_dead_process_left_of_one_take_is_removed_and_no_others(tmp_path: Path) -> None:
    for name in (
        ".a.csv.12-0123abcd.partial",
        ".a.csv.7-00000000.partial",
        ".b.csv.12-0123abcd.partial",
        "a.csv",
        ".a.csv.partial",
    ):
        (tmp_path / name).write_text("x")
    clear_partials(tmp_path / "a.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.csv.partial", ".b.csv.12-0123abcd.partial", "a.csv"]


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "1"},
        {"character_sha256": "1"},
        {"mood": "sad"},
        {"liveliness": False},
        {"seed": 1},
        {"tongue": True},
        {"style": "broad"},
        {"reference_sha256": "1"},
        {"head_motion": True},
        {"version": "2"},
    ],
    ids=str,
)
def test_whatever_changes_takes_changes_the_key(change: dict[str, object]) -> None:
    assert replace(RECIPE, **change).key() != RECIPE.key()  # type: ignore[arg-type]


def test_what_changes_no_take_leaves_the_key_and_a_recipe_travels(tmp_path: Path) -> None:
    moved = replace(RECIPE, model=str(tmp_path), device="cuda", scored=True, character=Character(gain={"JawOpen": 2.0}))
    assert moved.key() == RECIPE.key()
    assert pickle.loads(pickle.dumps(moved)) == moved


def test_the_recipes_character_is_applied(tmp_path: Path) -> None:
    sound = tone(tmp_path / "a.wav", 1)
    take(sound, tmp_path / "a.csv", replace(RECIPE, character=Character(limits={"JawOpen": (0.0, 0.1)})))
    assert read_take(tmp_path / "a.csv").values[:, CHANNELS_61.index("JawOpen")].max() == pytest.approx(0.1)


def test_the_shipped_models_lips_are_scored_where_that_is_asked(tmp_path: Path) -> None:
    recipe = replace(RECIPE, model="pmmtalk-live", scored=True)
    sentence = Path("livelink_bridge/demo/sentence.flac").resolve()
    samples, rate = soundfile.read(sentence, frames=3 * RATE_HZ)
    soundfile.write(tmp_path / "a.wav", samples, rate)
    outcome = convert_one(tmp_path / "a.wav", tmp_path / "a.csv", recipe, load_context(recipe))
    assert outcome.closures is not None and outcome.closures > 0 and outcome.closure_score is not None
    with pytest.raises(ModelError, match="unknown model"):
        load_context(replace(recipe, model="nobody"))


def test_a_sound_that_ends_early_gives_no_take_unless_that_is_allowed(tmp_path: Path) -> None:
    sound, out = tone(tmp_path / "a.wav", 3), tmp_path / "a.csv"
    sound.write_bytes(sound.read_bytes()[: 44 + 2 * RATE_HZ])
    outcome = convert_one(sound, out, RECIPE, loudness(RECIPE))
    assert outcome.error == f"{sound} ends early: 1.0 of 3.0 s; --allow-cut takes what there is"
    assert not out.exists()
    allowed = replace(RECIPE, allow_cut=True)
    outcome = convert_one(sound, out, allowed, loudness(allowed))
    assert (outcome.error, outcome.seconds) == (None, pytest.approx(1.0))
    assert "ends early: 1.0 of 3.0 s; what there is is taken" in outcome.warnings
    assert allowed.key() == RECIPE.key()
