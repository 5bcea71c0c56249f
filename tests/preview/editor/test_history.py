"""Steps back and forth, and drags that are one step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from livelink_bridge.preview.editor.history import STEPS, History


def test_undo_and_redo_go_through_the_same_values():
    history = History("a")
    for value in "bcd":
        history.change(value)
    assert [history.undo(), history.undo(), history.undo()] == ["c", "b", "a"]
    assert not history.can_undo
    assert [history.redo(), history.redo(), history.redo()] == ["b", "c", "d"]
    assert not history.can_redo


def test_at_either_end_undo_and_redo_leave_the_present_value():
    history = History(1)
    assert (history.undo(), history.redo(), history.present) == (1, 1, 1)


def test_a_change_after_undo_forgets_what_was_undone():
    history = History(1)
    history.change(2)
    history.undo()
    history.change(3)
    assert not history.can_redo
    assert history.undo() == 1


def test_a_drag_is_one_step_however_many_values_it_gives():
    history = History(0)
    for value in range(1, 50):
        history.change(value, "JawOpen gain")
    assert history.undo() == 0
    assert history.redo() == 49


def test_a_drag_of_another_slider_or_after_letting_go_is_a_step_of_its_own():
    history = History(0)
    history.change(1, "JawOpen gain")
    history.change(2, "JawOpen offset")
    history.settle()
    history.change(3, "JawOpen offset")
    assert [history.undo(), history.undo(), history.undo()] == [2, 1, 0]


def test_a_drag_after_undo_does_not_swallow_the_step_before():
    history = History(0)
    history.change(1, "gain")
    history.change(2, "offset")
    history.undo()
    history.change(5, "gain")
    assert [history.undo(), history.undo()] == [1, 0]


def test_a_value_equal_to_the_present_one_is_no_step():
    history = History(1)
    history.change(1)
    assert not history.can_undo


def test_no_more_than_so_many_steps_are_kept():
    history = History(0)
    for value in range(1, 2 * STEPS):
        history.change(value)
    undone = 0
    while history.can_undo:
        history.undo()
        undone += 1
    assert (undone, history.present) == (STEPS, STEPS - 1)


@given(st.lists(st.sampled_from(["change", "undo", "redo"]), max_size=60))
def test_it_agrees_with_a_list_and_a_position(wishes):
    history, known, at = History(0), [0], 0
    for value, wish in enumerate(wishes, 1):
        if wish == "change":
            history.change(value)
            known, at = [*known[: at + 1], value], at + 1
        elif wish == "undo":
            history.undo()
            at = max(0, at - 1)
        else:
            history.redo()
            at = min(len(known) - 1, at + 1)
        assert history.present == known[at]
        assert (history.can_undo, history.can_redo) == (at > 0, at < len(known) - 1)
