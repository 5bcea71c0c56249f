"""Sounds and takes as clips: the poses that `convert` writes, in bounded memory, with the command line's errors."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character
from arkit_mapping.character.smoothing import Smoothing
from arkit_mapping.liveliness import Liveliness
from arkit_mapping.liveliness.moods import Mood
from arkit_mapping.takes.csv import read_take, write_take
from livelink_bridge.analysis.phones import Segment
from livelink_bridge.errors import BridgeError, SourceError
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import tail
from livelink_bridge.preview.clip import clip as clips
from livelink_bridge.preview.clip.clip import AS_PREDICTED, Clip, analyse
from livelink_bridge.preview.editor.character_edit import Adjustments
from livelink_bridge.session.offline import convert_file
from livelink_bridge.testing.stand_ins import LoudnessModel

JAW = CHANNELS_61.index("JawOpen")


class Ear:
    """Hears one m, and how many samples there were."""

    def __init__(self) -> None:
        self.samples = 0

    def listen(self) -> Ear:
        self.samples = 0
        return self

    def push(self, samples: np.ndarray) -> None:
        self.samples += len(samples)

    def finish(self) -> tuple[Segment, ...]:
        return (Segment("M", 0.0, self.samples / 16000),)


def noise(path: Path, seconds: float = 2.0, rate: int = 16000, channels: int = 1, subtype: str | None = None) -> Path:
    count = round(seconds * rate)
    loud = 0.1 * (1 + np.sin(np.arange(count) / rate * 20))
    sound = np.random.default_rng(1).uniform(-1, 1, (count, channels)) * loud[:, None]
    soundfile.write(path, sound.astype(np.float32), rate, subtype)
    return path


def opened(path: Path, folder: Path, face: Face | None = None, **options: object) -> Clip:
    return analyse(path, LoudnessModel(), face or Face(AS_PREDICTED), folder, **options)  # type: ignore[arg-type]


WORN = [
    Character(),
    Character(
        gain={"JawOpen": 1.3, "EyeBlinkLeft": 0.8},
        offset={"BrowInnerUp": 0.1},
        curve={"MouthFunnel": 1.5},
        smoothing={"mouth": Smoothing(4, 30), "head": Smoothing(5, 20)},
        symmetry={"all": 0.4},
    ),
]


@pytest.mark.parametrize("worn", WORN)
@pytest.mark.parametrize(
    "rate, channels, seconds", [(16000, 1, 2.0), (44100, 2, 12.3), (48000, 1, 0.01), (96000, 2, 1.7)]
)
def test_the_poses_are_those_of_convert_to_the_last_bit(tmp_path, worn, rate, channels, seconds):
    path = noise(tmp_path / "it.wav", seconds, rate, channels)
    mood = Mood.parse("happy")
    convert_file(path, tmp_path / "it.csv", LoudnessModel(), Face(worn, liveliness=Liveliness(7), mood=mood))
    clip = opened(path, tmp_path / "session", Face(AS_PREDICTED, liveliness=Liveliness(7), mood=mood))
    adjusted = Adjustments.from_character(worn).apply(clip.predicted)
    wanted = read_take(tmp_path / "it.csv").values
    assert len(clip.predicted) == max(1, round(np.ceil(seconds * 60 - 1e-6)))
    found = np.concatenate([adjusted, tail(adjusted[-1])])
    np.testing.assert_allclose(found, wanted[: len(found)], atol=1e-9)


def test_the_same_file_twice_gives_the_same_poses_with_one_face(tmp_path):
    face = Face(AS_PREDICTED, liveliness=Liveliness(7))
    path = noise(tmp_path / "it.wav")
    one, two = (opened(path, tmp_path / "session", face).predicted for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not one.flags.writeable


@pytest.mark.parametrize("name, rate, channels", [("a.wav", 44100, 2), ("a.flac", 96000, 1), ("a.ogg", 44100, 2)])
def test_what_the_browser_plays_is_a_plain_wav_in_the_session_s_folder(tmp_path, name, rate, channels):
    clip = opened(noise(tmp_path / name, 1.5, rate, channels), tmp_path / "session")
    info = soundfile.info(clip.sound)
    assert clip.sound.parent == tmp_path / "session"
    assert (info.format, info.subtype, info.channels, info.samplerate) == ("WAV", "PCM_16", 1, min(rate, 48000))
    assert info.duration == pytest.approx(clip.duration_s, abs=1e-4) and clip.duration_s == pytest.approx(1.5)
    assert len(clip.predicted) == 90 and (clip.name, clip.kind) == (name, "sound")
    heard = soundfile.read(clip.sound)[0]
    assert abs(heard).max() == pytest.approx(max(abs(clip.peaks.tile(0, 0)).max(), abs(heard).max()), abs=0.2)


def test_phones_visemes_and_waveform_come_with_it(tmp_path):
    ear = Ear()
    clip = opened(noise(tmp_path / "it.wav", 2.0, 44100, 2), tmp_path / "session", recognizer=ear)
    assert clip.phones == (Segment("M", 0.0, 2.0),) and clip.visemes == (Segment("p b m", 0.0, 2.0),)
    assert ear.samples == 32000 and clip.peaks.duration_s == 2.0 and clip.notes == ()


def test_a_model_without_phones_is_a_note_and_no_track(tmp_path):
    clip = opened(noise(tmp_path / "it.wav"), tmp_path / "session")
    assert clip.phones == clip.visemes == ()
    assert len(clip.notes) == 1 and clip.notes[0].startswith("There is no phone track") and clip.notes[0].endswith(".")


def test_progress_rises_to_one(tmp_path):
    seen: list[float] = []
    opened(noise(tmp_path / "it.wav", 25), tmp_path / "session", on_progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) == 3


def test_silence_and_sound_that_is_no_number_are_taken_as_convert_takes_them(tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.array([np.nan, np.inf, -np.inf, 0.5] * 8000, np.float32), 16000, "FLOAT")
    convert_file(tmp_path / "nan.wav", tmp_path / "it.csv", LoudnessModel(), Face())
    clip = opened(tmp_path / "nan.wav", tmp_path / "session")
    np.testing.assert_allclose(clip.predicted, read_take(tmp_path / "it.csv").values[: len(clip.predicted)], atol=1e-9)
    soundfile.write(tmp_path / "still.wav", np.zeros(16000, np.int16), 16000)
    still = opened(tmp_path / "still.wav", tmp_path / "session")
    assert not still.predicted.any() and any("silent" in note for note in still.notes)


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("a.wav", b"", "is empty"),
        ("a.wav", b"RIFF0000WAVEjunk", "not audio"),
        ("a.mp3", b"\0" * 400, "not audio"),
        ("a.raw", b"\0" * 400, "raw"),
    ],
)
def test_files_that_are_no_sound_are_the_command_line_s_errors_and_leave_nothing(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=words) as ours:
        opened(tmp_path / name, tmp_path / "session")
    with pytest.raises(SourceError) as theirs:
        convert_file(tmp_path / name, tmp_path / "it.csv", LoudnessModel(), Face())
    assert str(ours.value) == str(theirs.value)
    assert not (tmp_path / "session").exists() or not list((tmp_path / "session").iterdir())


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        opened(tmp_path / "none.wav", tmp_path / "session")


def test_a_file_that_breaks_halfway_leaves_nothing(tmp_path, monkeypatch):
    path = noise(tmp_path / "it.wav", 30)
    blocks = clips.WavSource.blocks

    def torn(self: clips.WavSource) -> Iterator[object]:
        for number, block in enumerate(blocks(self)):
            if number == 2:
                raise SourceError("it.wav: cannot be read after 20.0 s: torn")
            yield block

    monkeypatch.setattr(clips.WavSource, "blocks", torn)
    with pytest.raises(SourceError, match="after 20.0 s"):
        opened(path, tmp_path / "session")
    assert list((tmp_path / "session").iterdir()) == []


def test_the_caller_that_watches_can_end_it_and_nothing_is_left(tmp_path):
    class TabClosed(Exception):
        pass

    def closed(_part: float) -> None:
        raise TabClosed

    with pytest.raises(TabClosed):
        opened(noise(tmp_path / "it.wav", 15), tmp_path / "session", on_progress=closed)
    assert list((tmp_path / "session").iterdir()) == []


def test_a_recording_longer_than_two_hours_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(clips, "MAX_S", 2.0)
    opened(noise(tmp_path / "fits.wav", 2.0), tmp_path / "session")
    with pytest.raises(SourceError, match="lasts longer than"):
        opened(noise(tmp_path / "long.wav", 2.5), tmp_path / "session")


def test_memory_is_that_of_the_poses(tmp_path):
    rate, minutes = 8000, 2
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(rate * 60 * minutes, np.int16), rate)
    opened(noise(tmp_path / "warm.wav"), tmp_path / "session")
    tracemalloc.start()
    try:
        clip = opened(path, tmp_path / "session")
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert clip.predicted.nbytes == minutes * 3600 * 61 * 4
    assert held < clip.predicted.nbytes + 1.5e6
    assert most < 1.3 * clip.predicted.nbytes + 12e6, "a block of 10 s is at work beside the poses"


def test_a_take_is_opened_with_its_sound_and_timecode(tmp_path):
    values = np.random.default_rng(1).random((120, 61), np.float32)
    write_take(tmp_path / "take.csv", values, start_s=3600.5)
    noise(tmp_path / "take.wav", 2.0, 44100)
    clip = opened(tmp_path / "take.csv", tmp_path / "session", recognizer=Ear())
    assert (clip.kind, clip.name, clip.start_s, clip.duration_s) == ("take", "take.csv", 3600.5, 2.0)
    np.testing.assert_allclose(clip.predicted, values, atol=1e-6)
    assert soundfile.info(clip.sound).frames == 88200 and clip.phones and clip.notes == ()


def test_a_take_without_sound_has_neither_waveform_nor_phones(tmp_path):
    write_take(tmp_path / "take.csv", np.zeros((90, 61), np.float32))
    clip = opened(tmp_path / "take.csv", tmp_path / "session")
    assert clip.sound is None and clip.peaks is None and clip.phones == ()


def test_a_take_with_gaps_is_evened_out_and_said(tmp_path):
    write_take(tmp_path / "take.csv", np.linspace(0, 1, 120, dtype=np.float32)[:, None] * np.ones((1, 61), np.float32))
    lines = (tmp_path / "take.csv").read_text().splitlines(keepends=True)
    (tmp_path / "take.csv").write_text("".join(lines[:40] + lines[70:]))
    clip = opened(tmp_path / "take.csv", tmp_path / "session")
    assert len(clip.predicted) == 120 and "1 gap" in clip.notes[0]
    np.testing.assert_allclose(clip.predicted[:, JAW], np.linspace(0, 1, 120), atol=1e-3)


def test_a_take_of_another_rate_lasts_as_long_as_its_timecode_says_and_is_said(tmp_path):
    write_take(tmp_path / "take.csv", np.zeros((96, 61), np.float32))
    lines = (tmp_path / "take.csv").read_text().splitlines()
    rows = [f"10:00:{at // 24:02}:{at % 24:02}," + line.split(",", 1)[1] for at, line in enumerate(lines[1:])]
    (tmp_path / "take.csv").write_text("\n".join([lines[0], *rows]))
    clip = opened(tmp_path / "take.csv", tmp_path / "session")
    assert len(clip.predicted) == 1 + int(95 / 24 * 60) and "FF of its timecode counts 24 a second" in clip.notes[0]
    assert len(opened(tmp_path / "take.csv", tmp_path / "session", take_rate="48").predicted) == 1 + int(
        (3 + 23 / 48) * 60
    )


@pytest.mark.parametrize("text", ["", "hello\n", "Timecode,BlendShapeCount,JawOpen\n00:00:00:00.000,1,0.5\n"])
def test_a_csv_that_is_no_take_is_one_line(tmp_path, text):
    (tmp_path / "take.csv").write_text(text)
    with pytest.raises(BridgeError, match="^[^\n]*take.csv[^\n]*$"):
        opened(tmp_path / "take.csv", tmp_path / "session")


def test_a_take_with_a_wrong_timecode_or_far_too_large_is_refused(tmp_path, monkeypatch):
    write_take(tmp_path / "take.csv", np.zeros((90, 61), np.float32))
    text = (tmp_path / "take.csv").read_text().replace("\n00:00:01:29", "\n09:00:01:29")
    (tmp_path / "take.csv").write_text(text)
    with pytest.raises(SourceError, match="by its timecode"):
        opened(tmp_path / "take.csv", tmp_path / "session")
    monkeypatch.setattr(clips, "MAX_TAKE_BYTES", 1000)
    with pytest.raises(SourceError, match="expected at most"):
        opened(tmp_path / "take.csv", tmp_path / "session")


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "session").write_text("a file")
    with pytest.raises(BridgeError, match="cannot be written to"):
        opened(noise(tmp_path / "it.wav"), tmp_path / "session")
