from pathlib import Path

import numpy as np
import pytest
import soundfile

from livelink_bridge.errors import SourceError, UsageError
from livelink_bridge.sources import open_source
from livelink_bridge.sources.audio_file import WavSource
from livelink_bridge.testing.stand_ins import ManualClock


def read(path: Path | str, block_s: float = 0.1) -> tuple[np.ndarray, int]:
    source = open_source(str(path), clock=ManualClock(), block_s=block_s)
    return np.concatenate([block.samples for block in source.blocks()]), source.sample_rate


@pytest.mark.parametrize(
    ("suffix", "rate", "channels"),
    [("wav", 8000, 1), ("flac", 44100, 2), ("ogg", 48000, 1), ("mp3", 22050, 2), ("aiff", 96000, 6)],
)
def test_whatever_libsndfile_reads_is_read(tmp_path, suffix, rate, channels):
    tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(rate) / rate)
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
    sound, found_rate = read(path)
    assert found_rate == rate
    assert sound.dtype == np.float32
    assert sound.shape[1] == channels
    assert sound.shape[0] == pytest.approx(rate, rel=0.1)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.05)


def test_one_sample_is_a_recording(tmp_path):
    soundfile.write(tmp_path / "short.wav", np.array([0.25]), 16000, subtype="FLOAT")
    sound, _ = read(tmp_path / "short.wav")
    assert sound.tolist() == [[0.25]]


def test_a_long_file_is_read_piece_by_piece(tmp_path):
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 16000, 1, subtype="PCM_U8") as file:
        for _ in range(60):
            file.write(np.zeros(16000 * 60, np.int16))
    source = WavSource(path, clock=ManualClock(), block_s=0.5)
    assert source.duration_s == 3600
    first = next(iter(source.blocks()))
    assert len(first.samples) == 8000
    source.close()


def write_text(path: Path) -> None:
    path.write_text("this is not sound\n" * 50)


def write_header_only(path: Path) -> None:
    soundfile.write(path, np.zeros(0), 16000)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder, expected an audio file"),
        (lambda path: path.touch(), r"is empty \(0 bytes\)"),
        (write_text, "is not audio that can be read"),
        (write_header_only, "holds no audio"),
    ],
    ids=["missing", "folder", "empty", "text", "header only"],
)
def test_what_is_not_a_sound_file_is_named_in_one_line(tmp_path, make, said):
    path = tmp_path / "voice.wav"
    make(path)
    with pytest.raises(SourceError, match=said) as failure:
        open_source(str(path), clock=ManualClock())
    assert str(path) in str(failure.value)
    assert "\n" not in str(failure.value)
    assert failure.value.exit_code == 1


def test_samples_without_a_header_are_named_in_one_line(tmp_path):
    (tmp_path / "voice.raw").write_bytes(bytes(range(1, 200)))
    with pytest.raises(SourceError, match=r"voice\.raw: a \.raw file does not say its sample rate"):
        open_source(str(tmp_path / "voice.raw"), clock=ManualClock())


@pytest.mark.parametrize("rate", [1, 999, 900_000_007])
def test_a_rate_that_nothing_records_at_is_refused_before_anything_is_made_for_it(tmp_path, rate):
    soundfile.write(tmp_path / "silly.wav", np.zeros(100), rate)
    with pytest.raises(SourceError, match=f"{rate} samples a second, expected 1000 to 768000"):
        open_source(str(tmp_path / "silly.wav"), clock=ManualClock())


def test_a_path_the_system_cannot_even_look_at_is_one_line(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        open_source(str(tmp_path / ("x" * 300 + ".wav")), clock=ManualClock())


def test_a_damaged_recording_fails_where_it_breaks(tmp_path):
    path = tmp_path / "voice.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 32000), 16000)
    whole = path.read_bytes()
    third = len(whole) // 3
    path.write_bytes(whole[:third] + bytes(third) + whole[2 * third :])
    source = open_source(str(path), clock=ManualClock())
    try:
        heard = sum(len(block.samples) for block in source.blocks())
    except SourceError as error:
        assert "cannot be read after" in str(error)
    else:
        assert 0 < heard < 32000


def test_a_scheme_may_stand_before_the_path(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(10), 16000)
    assert len(read(f"wav:{tmp_path / 'a.wav'}")[0]) == 10


def test_a_name_with_a_colon_is_a_path_when_it_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write(tmp_path / "take:2.wav", np.zeros(10), 16000)
    assert len(read("take:2.wav")[0]) == 10


def test_an_unknown_scheme_is_a_usage_error():
    with pytest.raises(UsageError, match="'rtsp'.*expected a file, wav:PATH or mic:DEVICE"):
        open_source("rtsp://camera", clock=ManualClock())
