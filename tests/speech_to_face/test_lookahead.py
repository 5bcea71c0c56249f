"""Which model a look-ahead means."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from livelink_bridge.session import build
from livelink_bridge.settings.table import LOOKAHEADS_MS, Settings
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.loading import DEFAULT, LOOKAHEADS, with_lookahead
from speech_to_face.networks.pmmtalk.config import Config, save_config


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped models: the default, three frames of delay, and the quick one, one frame."""
    for name, delay in ((DEFAULT, 3), (LOOKAHEADS[33], 1)):
        (tmp_path / name).mkdir()
        save_config(Config(delay=delay), tmp_path / name / checkpoint.CONFIG)
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path)
    return tmp_path


def test_every_lookahead_that_a_user_may_ask_for_names_a_model():
    assert sorted(LOOKAHEADS) == sorted(LOOKAHEADS_MS)


@pytest.mark.usefixtures("shelf")
def test_the_lookahead_picks_the_shipped_model():
    assert with_lookahead(DEFAULT, 33) == "pmmtalk-live-33"
    assert with_lookahead(DEFAULT, 67) == with_lookahead(DEFAULT, None) == "pmmtalk-live"
    assert build.model_name(Settings(lookahead=33)) == "pmmtalk-live-33"


def test_a_lookahead_that_is_not_shipped_names_those_that_are(shelf):
    shutil.rmtree(shelf / LOOKAHEADS[33])
    with pytest.raises(ModelError, match="no model with 33 ms of look-ahead is shipped yet; use --lookahead 67"):
        with_lookahead(DEFAULT, 33)


def test_a_models_own_lookahead_is_taken_unless_another_is_asked_for(shelf):
    quick = str(shelf / LOOKAHEADS[33])
    assert with_lookahead(quick, None) == with_lookahead(quick, 33) == quick
    with pytest.raises(ModelError, match="has 33 ms of look-ahead, got --lookahead 67"):
        with_lookahead(quick, 67)
    with pytest.raises(ModelError, match="has 33 ms"):
        with_lookahead(LOOKAHEADS[33], 67)
