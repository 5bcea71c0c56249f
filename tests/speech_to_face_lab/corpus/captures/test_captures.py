from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.streaming.features import frame_count
from speech_to_face_lab.corpus.captures import LOADERS, load
from speech_to_face_lab.corpus.captures.curves import rigs
from speech_to_face_lab.corpus.captures.sound import read_sound


def test_a_kind_nobody_wrote_a_loader_for_is_one_line_that_names_the_kinds(tmp_path):
    with pytest.raises(ModelError, match="got kind 'vhs', expected one of arkit, grid, livelink, manifest, vocaset"):
        load("vhs", tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="gone is not there"):
        load("grid", tmp_path / "gone")


@pytest.mark.parametrize("kind", LOADERS)
def test_a_folder_without_recordings_is_an_error_and_not_an_empty_corpus(kind, tmp_path):
    with pytest.raises(ModelError, match="expected"):
        list(load(kind, tmp_path))


def test_sound_of_another_rate_and_two_channels_becomes_16_khz_mono(make_sound):
    samples = read_sound(make_sound("a.wav", seconds=0.5, rate=44_100, channels=2))
    assert samples.dtype == np.int16 and samples.shape == (8000,)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) == 220  # 440 Hz in bins of 2 Hz
    assert abs(samples).max() == pytest.approx(0.5 * 32768, rel=0.02)


def test_16_bit_sound_at_16_khz_is_not_altered(make_sound):
    import soundfile

    path = make_sound("a.wav")
    assert np.array_equal(read_sound(path), soundfile.read(path, dtype="int16")[0])


@pytest.mark.parametrize("content", [b"", b"no sound at all"])
def test_a_file_that_is_no_sound_is_one_line_with_its_name(content, tmp_path):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(ModelError, match=r"sound .*a\.wav") as caught:
        read_sound(tmp_path / "a.wav")
    assert "\n" not in str(caught.value)


def test_rigs_speak_of_known_channels_only():
    for rig, dead in rigs()["dead"].items():
        assert set(dead) < set(MOUTH_32), rig
        assert "jawOpen" not in dead


@pytest.fixture(scope="module")
def development_data() -> Path:
    folder = os.environ.get("LIVELINK_BRIDGE_DATA")
    if not folder:
        pytest.skip(
            "no development data: set LIVELINK_BRIDGE_DATA to a folder of manifest*.json to read its real recordings"
        )
    return Path(folder)


def test_real_recordings_with_curves_are_finite_in_range_and_held_out_as_marked(development_data):
    import json

    rows = json.loads((development_data / "manifest.json").read_text(encoding="utf-8"))
    read = list(load("manifest", development_data / "manifest.json"))
    assert [capture.name for capture in read] == [row["id"] for row in rows]
    assert [capture.held_out for capture in read] == [row["split"] == "val" for row in rows]
    for capture in read:
        assert capture.curves is not None and capture.live is not None
        assert capture.curves.shape == (frame_count(len(capture.samples)), 32), capture.name
        assert np.isfinite(capture.curves).all() and capture.curves.min() >= 0 and capture.curves.max() <= 1, (
            capture.name
        )
        assert capture.curves[:, MOUTH_32.index("jawOpen")].std() > 0.01, capture.name
        assert {word.text for word in capture.words}.isdisjoint({"sil", "sp"})


def test_real_recordings_with_timed_phones_are_held_out_and_their_phones_are_readable(development_data):
    import json

    from speech_to_face.phones import CLASSES
    from speech_to_face_lab.corpus.captures.textgrid import timed_phones

    rows = json.loads((development_data / "manifest_speech.json").read_text(encoding="utf-8"))
    read = list(load("manifest", development_data / "manifest_speech.json"))
    assert [capture.held_out for capture in read] == ["phones" in row for row in rows]
    for row, capture in zip(rows, read, strict=True):
        assert capture.curves is None and capture.live is None and capture.rig == ""
        if "phones" in row:
            phones = timed_phones(development_data / row["phones"])
            assert {phone.name for phone in phones} <= set(CLASSES)
            assert len({phone.name for phone in phones}) > 8
            assert phones[-1].end_s == pytest.approx(len(capture.samples) / 16_000, abs=0.6)
