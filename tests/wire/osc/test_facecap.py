from arkit_mapping import ARKIT_52
from livelink_bridge.wire.osc.facecap import SHAPES, messages


def test_face_caps_numbers_are_a_permutation_of_the_52() -> None:
    assert sorted(SHAPES) == sorted(ARKIT_52)
    assert SHAPES.index("jawOpen") == 24 and SHAPES.index("mouthClose") == 36 and SHAPES.index("tongueOut") == 51


def test_a_message_of_angles_comes_whole_if_one_of_them_is_asked_for() -> None:
    assert [each.values for each in messages([54])] == [(53, 52, 54)]
    assert messages([]) == []
