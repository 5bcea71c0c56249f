import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.character.character import Character
from arkit_mapping.liveliness import Liveliness
from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.face.character_watch import CharacterFile
from livelink_bridge.face.face import Face
from livelink_bridge.testing.stand_ins import ManualClock

JAW, SMILE, BLINK = (CHANNELS_61.index(name) for name in ("JawOpen", "MouthSmileLeft", "EyeBlinkLeft"))
SPEECH = np.zeros((1200, 61), np.float32)
SPEECH[:, JAW] = np.clip(np.sin(np.arange(1200) / 8), 0, 1) * 0.5
LEVELS = np.full(1200, -25, np.float32)


def lively(**options) -> Face:
    return Face(liveliness=Liveliness(3), mood=Mood.parse("happy:0.6"), **options)


def test_a_plain_face_is_what_was_predicted():
    np.testing.assert_array_equal(Face().push(SPEECH, LEVELS), SPEECH)


def test_a_face_lives_and_feels_besides_speaking():
    shown = lively().push(SPEECH, LEVELS)
    assert shown[:, BLINK].max() > 0.8
    assert shown[:, SMILE].mean() > 0.1
    np.testing.assert_allclose(shown[:, JAW], SPEECH[:, JAW], atol=0.05)


@pytest.mark.parametrize("chunk", [1, 7, 500])
def test_chunks_of_any_size_give_the_same_face(chunk):
    whole, face = lively().push(SPEECH, LEVELS), lively()
    parts = [face.push(SPEECH[at : at + chunk], LEVELS[at : at + chunk]) for at in range(0, 1200, chunk)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_reset_begins_the_same_life_again():
    face = lively()
    first = face.push(SPEECH, LEVELS)
    face.reset()
    np.testing.assert_array_equal(face.push(SPEECH, LEVELS), first)


def test_the_mood_may_change_while_it_speaks():
    face = Face(Character())
    before = face.push(SPEECH[:60], LEVELS[:60])
    face.set_mood(Mood.parse("happy:1"))
    after = face.push(SPEECH[60:180], LEVELS[60:180])
    assert before[:, SMILE].max() == 0
    assert after[0, SMILE] < 0.05 < after[-1, SMILE]
    face.set_mood(Mood())
    assert face.push(SPEECH[180:300], LEVELS[180:300])[-1, SMILE] == 0


def test_a_character_that_is_saved_applies_from_the_next_frame_on(tmp_path):
    path, clock = tmp_path / "ada.yaml", ManualClock()
    path.write_text("gain: {JawOpen: 0.5}\nclosure: arkit\n", encoding="utf-8")
    face = Face(CharacterFile(path, clock))
    assert (face.push(SPEECH, LEVELS)[:, JAW].max(), face.closure) == (pytest.approx(0.25, abs=1e-3), "arkit")
    path.write_text("gain: {JawOpen: 1.5}\n", encoding="utf-8")
    clock.advance(1.0)
    assert (face.push(SPEECH, LEVELS)[:, JAW].max(), face.closure) == (pytest.approx(0.75, abs=1e-3), "auto")
