"""A whole recording converted: progress, interruptions, takes that cannot be written."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from livelink_bridge.errors import SinkError
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES
from livelink_bridge.session.offline import convert_file
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.testing.stand_ins import LoudnessModel

JAW = CHANNELS_61.index("JawOpen")
TAIL = HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES
NOWHERE = Outputs((), "Talker")


def test_converting_reports_its_progress_and_makes_the_folder(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros(8000 * 35), 8000)
    parts: list[float] = []
    convert_file(
        tmp_path / "long.flac", tmp_path / "new" / "long.csv", LoudnessModel(), Face(), on_progress=parts.append
    )
    assert parts == pytest.approx([10 / 35, 20 / 35, 30 / 35, 1.0])
    assert len(read_take(tmp_path / "new" / "long.csv").values) == 35 * 60 + TAIL


def test_an_interrupted_conversion_leaves_no_file(voice, tmp_path):
    def interrupt(_part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_file(voice, tmp_path / "out" / "take.csv", LoudnessModel(), Face(), on_progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_take_that_cannot_be_written_is_one_line(voice, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        convert_file(voice, tmp_path / "file" / "take.csv", LoudnessModel(), Face())
