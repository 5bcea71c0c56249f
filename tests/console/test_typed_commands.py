import pytest

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.console.typed_commands import run_command
from livelink_bridge.face.face import Face

HAPPY = Mood.parse("happy:0.4")


def test_a_typed_mood_is_every_performers_or_that_of_the_one_who_is_named():
    faces = {"Ada": Face(), "Ben": Face()}
    run_command("mood happy:0.4\n", faces)
    assert faces["Ada"].mood == faces["Ben"].mood == HAPPY
    run_command("mood Ben neutral\n", faces)
    assert faces["Ada"].mood == HAPPY and not faces["Ben"].mood.offsets.any()


@pytest.mark.parametrize(
    ("line", "says"),
    [("smile", "expected mood NAME"), ("mood hapy", "did you mean happy"), ("mood Cleo sad", "expected mood")],
)
def test_what_is_not_understood_is_one_line_and_changes_nothing(line, says, caplog):
    faces = {"Ada": Face()}
    run_command(line, faces)
    assert says in caplog.text and len(caplog.records) == 1
    assert not faces["Ada"].mood.offsets.any()


def test_an_empty_line_is_nothing(caplog):
    run_command("\n", {"Ada": Face()})
    assert not caplog.records


def test_a_subject_may_have_a_name_of_several_words_in_any_case():
    faces = {"Ada Lovelace": Face(), "Ben": Face()}
    run_command("mood ada lovelace happy:0.4", faces)
    assert (faces["Ada Lovelace"].mood, faces["Ben"].mood == HAPPY) == (HAPPY, False)
