"""Files that hold less audio than their headers declare: every kind that libsndfile writes."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_to_face.audio_files import CutError, RecordingError, open_recording
from tests.speech_to_face.audio_files.conftest import RATE, SECONDS, cut, read

UNDECLARED = {"PAF", "PVF", "IRCAM", "XI"}
"""Kinds that declare no length, so that a cut cannot be seen."""
REFUSED = {"HTK", "RAW", "SD2"}
"""Kinds that libsndfile does not open any more once they are cut, or not at all from one file."""
ODD_ONES = {("VOC", "PCM_U8"), ("WAV", "MPEG_LAYER_III")}
"""The first is refused as malformed once it is cut, the second cannot be written."""
CANNOT_BE_WRITTEN = {"MPEG_LAYER_I", "MPEG_LAYER_II", "DWVW_12"}
"""By libsndfile."""
UNKNOWN_LENGTH = {"OGG", "VOC"}
"""It shows that they are cut, not how long they were."""
CODINGS = {
    kind: [
        coding
        for coding in soundfile.available_subtypes(kind)
        if (kind, coding) not in ODD_ONES and coding not in CANNOT_BE_WRITTEN
    ]
    for kind in soundfile.available_formats()
    if kind not in UNDECLARED | REFUSED
}


@pytest.mark.parametrize("kind", CODINGS)
def test_a_whole_file_of_any_kind_is_read_whole(write, kind):
    for coding in CODINGS[kind]:
        path = write("voice.bin", format=kind, subtype=coding)
        assert 0 <= len(read(path)) - SECONDS * RATE < 1024, coding


@pytest.mark.parametrize("kind", CODINGS)
def test_a_cut_file_of_any_kind_says_how_much_there_is(write, kind):
    for coding in CODINGS[kind]:
        path = cut(write("voice.bin", format=kind, subtype=coding), 0.6)
        with pytest.raises(CutError) as failure:
            open_recording(path)
        said = str(failure.value)
        assert re.fullmatch(rf"{re.escape(str(path))} ends early[:,] .*; --allow-cut takes what there is", said), coding
        if kind not in UNKNOWN_LENGTH:
            held_s, declared_s = map(float, re.findall(r"([\d.]+) of ([\d.]+) s", said)[0])
            assert held_s / declared_s == pytest.approx(0.6, abs=0.1), coding
            assert declared_s == pytest.approx(SECONDS * (2 if kind == "WVE" else 1), abs=0.3), (
                coding
            )  # which plays at 8 kHz


@pytest.mark.parametrize("kind", CODINGS)
def test_what_there_is_of_a_cut_file_can_be_taken(write, kind):
    for coding in CODINGS[kind]:
        path = write("voice.bin", format=kind, subtype=coding)
        whole = read(path)
        part = read(cut(path, 0.6), allow_cut=True)
        assert 0.3 * len(whole) < len(part) < len(whole) * (1.01 if kind == "SDS" else 0.75), coding
        same = min(len(part), round(0.3 * len(whole)))
        np.testing.assert_array_equal(part[:same], whole[:same], coding)


@pytest.mark.parametrize("kind", sorted(UNDECLARED))
def test_a_kind_without_a_declared_length_is_read_as_far_as_it_goes(write, kind):
    path = cut(
        write("voice.bin", format=kind, subtype="DPCM_16" if kind == "XI" else "PCM_16" if kind != "PVF" else "PCM_32"),
        0.6,
    )
    assert 0.5 < len(read(path)) / (SECONDS * RATE) < 0.65


def test_a_cut_wav_is_said_in_seconds(write):
    path = cut(write("line.wav"), 0.6)
    with pytest.raises(CutError, match=r"line\.wav ends early: 1\.8 of 3\.0 s; --allow-cut takes what there is$"):
        open_recording(path)
    recording = open_recording(path, allow_cut=True)
    assert recording.warnings == [f"{path} ends early: 1.8 of 3.0 s; what there is is taken"]
    recording.close()


def test_seconds_that_look_the_same_get_digits(write):
    path = write("line.wav")
    path.write_bytes(path.read_bytes()[: -2 * RATE // 50])
    with pytest.raises(CutError, match=r"2\.98 of 3\.00 s"):
        open_recording(path)


def test_a_wav_without_any_of_its_audio_is_said_to_have_none(write):
    path = write("line.wav")
    path.write_bytes(path.read_bytes()[:44])
    for allowed in (False, True):
        with pytest.raises(CutError, match="nothing of its audio is there"):
            open_recording(path, allow_cut=allowed)


@pytest.mark.parametrize("extra", [8, 36, 44])
def test_a_header_that_counts_itself_is_no_cut(write, extra):
    path = write("line.wav")
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", 2 * round(SECONDS * RATE) + extra)
    path.write_bytes(bytes(data))
    assert len(read(path)) == SECONDS * RATE


@given(at=st.integers(44, 44 + 2 * 16000))
@settings(max_examples=60, deadline=None)
def test_wherever_a_wav_is_cut_either_all_but_10_ms_is_there_or_it_is_said(tmp_path_factory, at):
    folder = tmp_path_factory.mktemp("cut")
    sound = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)
    soundfile.write(folder / "a.wav", sound, 16000)
    (folder / "a.wav").write_bytes((folder / "a.wav").read_bytes()[:at])
    held = (at - 44) // 2
    if held >= 16000 - 160:
        assert len(read(folder / "a.wav")) == held
    else:
        with pytest.raises(CutError):
            open_recording(folder / "a.wav")
        if held:
            assert len(read(folder / "a.wav", allow_cut=True)) == held


@given(part=st.floats(0.2, 0.98))
@settings(max_examples=40, deadline=None)
def test_wherever_a_flac_is_cut_whole_blocks_are_left(tmp_path_factory, part):
    folder = tmp_path_factory.mktemp("cut")
    sound = (0.3 * np.random.default_rng(1).standard_normal(40_000)).astype(np.float32)
    soundfile.write(folder / "a.flac", sound, 16000)
    whole = read(folder / "a.flac")
    cut(folder / "a.flac", part)
    with pytest.raises(CutError):
        open_recording(folder / "a.flac")
    left = read(folder / "a.flac", allow_cut=True, piece=1000)
    assert len(left) % 4096 == 0 or len(left) == len(whole)
    assert abs(len(left) / len(whole) - part) < 0.15
    np.testing.assert_array_equal(left, whole[: len(left)])


def test_an_mp3_is_the_same_however_it_is_read(write):
    path = write("line.mp3")
    np.testing.assert_array_equal(read(path, piece=1000), read(path, piece=1 << 20))


def test_reading_an_mp3_says_nothing_on_the_terminal(write, capfd):
    path = write("line.mp3")
    read(path, piece=1000)
    cut(path, 0.6)
    read(path, piece=1000, allow_cut=True)
    assert capfd.readouterr() == ("", "")


def test_an_alac_whose_table_is_lost_cannot_be_read_and_says_how_much_is_there(tmp_path: Path):
    path = tmp_path / "line.caf"
    path.write_bytes(
        b"caff\0\1\0\0"
        + b"desc"
        + struct.pack(">qd4sIIIII", 32, 16000.0, b"alac", 0, 0, 4096, 1, 16)
        + b"data"
        + struct.pack(">qI", 4 + 1000, 0)
        + bytes(500)
    )
    with pytest.raises(RecordingError, match=r"ends early, 50% of it is there, and cannot be read"):
        open_recording(path)
