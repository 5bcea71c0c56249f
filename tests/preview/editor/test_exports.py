"""What leaves a session is what the command line would have written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character, load_character
from arkit_mapping.character.smoothing import Smoothing
from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import read_take
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.face.face import Face
from livelink_bridge.preview.clip.clip import AS_PREDICTED, Clip, analyse
from livelink_bridge.preview.editor import exports
from livelink_bridge.preview.editor.character_edit import Adjustments
from livelink_bridge.preview.editor.exports import export, save_character
from livelink_bridge.session.offline import convert_file
from livelink_bridge.testing.stand_ins import LoudnessModel

WORN = Adjustments.from_character(
    Character(gain={"JawOpen": 1.3}, smoothing={"mouth": Smoothing(4, 30)}, offset={"BrowInnerUp": 0.1})
)


def sound(folder: Path, seconds: float = 1.5) -> tuple[Path, Clip]:
    import soundfile

    path = folder / "line.wav"
    samples = np.random.default_rng(1).uniform(-0.2, 0.2, round(seconds * 16000)).astype(np.float32)
    soundfile.write(path, samples, 16000)
    return path, analyse(path, LoudnessModel(), Face(AS_PREDICTED), folder / "session")


def take(frames: int = 90, start_s: float = 3600.0) -> Clip:
    values = np.random.default_rng(2).random((frames, 61), np.float32)
    return Clip("line.csv", "take", None, frames / 60, values, start_s=start_s)


@pytest.mark.parametrize("seconds", [0.2, 1.5])
def test_a_take_is_byte_for_byte_what_convert_writes_with_this_character(tmp_path, seconds):
    path, clip = sound(tmp_path, seconds)
    convert_file(path, tmp_path / "wanted.csv", LoudnessModel(), Face(WORN.character()))
    seen: list[float] = []
    assert export(clip, WORN, tmp_path / "new" / "out.csv", on_progress=seen.append) == []
    assert (tmp_path / "new" / "out.csv").read_bytes() == (tmp_path / "wanted.csv").read_bytes()
    assert seen and seen[-1] == 1.0


def test_an_exported_take_passes_takes_check(tmp_path):
    export(sound(tmp_path)[1], WORN, tmp_path / "out.csv")
    assert [found for found in check_take(tmp_path / "out.csv") if found.level != "note"] == []


def test_a_take_that_was_opened_keeps_its_timecode_and_gets_no_tail(tmp_path):
    clip = take()
    export(clip, Adjustments(), tmp_path / "out.csv")
    again = read_take(tmp_path / "out.csv")
    assert again.times_s[0] == 3600.0 and len(again.values) == 90
    np.testing.assert_allclose(again.values, clip.predicted, atol=1e-7)


def test_solo_and_mute_are_not_exported_and_that_is_said(tmp_path):
    clip = take()
    notes = export(clip, Adjustments().with_solo("jaw").with_muted("brows"), tmp_path / "out.csv")
    assert len(notes) == 1 and "Solo and mute" in notes[0]
    np.testing.assert_allclose(read_take(tmp_path / "out.csv").values, clip.predicted, atol=1e-7)


def test_an_animated_face_has_the_adjusted_weights(tmp_path):
    pytest.importorskip("pygltflib", reason="glTF needs it")
    clip = sound(tmp_path)[1]
    notes = export(clip, WORN, tmp_path / "out.glb")
    assert (tmp_path / "out.glb").read_bytes()[:4] == b"glTF" and isinstance(notes, list)
    export(clip, WORN, tmp_path / "out.json")
    frames = json.loads((tmp_path / "out.json").read_text())["frames"]
    jaw = CHANNELS_61.index("JawOpen")
    wanted = WORN.apply(clip.predicted)
    np.testing.assert_allclose([frame["values"][jaw] for frame in frames[: len(wanted)]], wanted[:, jaw], atol=1e-6)


def test_an_hour_is_too_long_for_a_glb_and_said_before_anything_is_made(tmp_path):
    long = Clip("long.wav", "sound", None, 3600.0, np.zeros((10, 61), np.float32))
    with pytest.raises(UsageError, match="expected at most 10 for a .glb"):
        export(long, WORN, tmp_path / "out.glb")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept_unless_forced(tmp_path):
    (tmp_path / "out.csv").write_text("mine")
    (tmp_path / "it.yaml").write_text("mine")
    for write in (
        lambda **options: export(take(), WORN, tmp_path / "out.csv", **options),
        lambda **options: export(sound(tmp_path)[1], WORN, tmp_path / "out.csv", **options),
        lambda **options: save_character(WORN, tmp_path / "it.yaml", **options),
    ):
        with pytest.raises(SinkError, match="exists and was not changed"):
            write()
        write(force=True)
        (tmp_path / "out.csv").write_text("mine")


@pytest.mark.parametrize("name", ["out.fbx", "out", "out.csv.exe"])
def test_another_ending_is_said(tmp_path, name):
    with pytest.raises(UsageError, match="expected .csv"):
        export(take(), WORN, tmp_path / name)


def test_an_export_that_is_ended_leaves_nothing(tmp_path):
    class TabClosed(Exception):
        pass

    def closed(_part: float) -> None:
        raise TabClosed

    clip = sound(tmp_path)[1]
    for name in ("out.csv", "out.json"):
        with pytest.raises(TabClosed):
            export(clip, WORN, tmp_path / "e" / name, on_progress=closed)
        assert list((tmp_path / "e").iterdir()) == []


def test_no_poses_are_said(tmp_path):
    with pytest.raises(UsageError, match="has no poses"):
        export(take(0), WORN, tmp_path / "out.json")


def test_a_character_is_saved_and_read_back(tmp_path):
    save_character(WORN, tmp_path / "it.yaml")
    poses = np.random.default_rng(1).random((30, 61), np.float32)
    np.testing.assert_array_equal(load_character(tmp_path / "it.yaml").stream().push(poses), WORN.apply(poses))
    with pytest.raises(UsageError, match="expected .yaml"):
        save_character(WORN, tmp_path / "it.txt")


def test_rows_are_given_a_minute_at_a_time():
    clip = Clip("long.wav", "sound", None, 150.0, np.zeros((9000, 61), np.float32))
    assert [len(piece) for piece in exports.rows(clip, Adjustments())] == [3600, 3600, 1800, 29]
