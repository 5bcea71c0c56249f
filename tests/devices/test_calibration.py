from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from livelink_bridge.audio.noise_gate import Thresholds
from livelink_bridge.devices.calibration import calibrate, load, save
from livelink_bridge.errors import SourceError

RATE = 48_000


def noise(dbfs, seconds=2.0, seed=0):
    return (np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * 10 ** (dbfs / 20)).astype(np.float32)


def test_the_gate_opens_between_the_room_and_the_voice():
    found = calibrate(noise(-60), noise(-30, seed=1), RATE)
    assert found.open_dbfs == pytest.approx(-50, abs=1)
    assert found.close_dbfs == pytest.approx(found.open_dbfs - 3, abs=0.11)


def test_a_voice_hardly_above_the_room_is_nearer_to_it():
    assert calibrate(noise(-40), noise(-31, seed=1), RATE).open_dbfs == pytest.approx(-37, abs=1)


def test_clicks_in_the_room_do_not_count():
    room = noise(-60)
    room[1000:1400] = 0.5
    assert calibrate(room, noise(-30, seed=1), RATE).open_dbfs == pytest.approx(-50, abs=1)


def test_digital_silence_is_a_room():
    assert calibrate(np.zeros(2 * RATE, np.float32), noise(-30), RATE) == Thresholds(-80, -83)


def test_a_voice_less_than_6_db_above_the_room_is_refused():
    with pytest.raises(
        SourceError, match=r"\(-36 dBFS\) lies 3\.\d dB above the room .* expected at least 6 dB above it; move closer"
    ):
        calibrate(noise(-40), noise(-36, seed=1), RATE)


def test_a_voice_softer_than_the_room_lies_below_it():
    with pytest.raises(
        SourceError,
        match=r"\(-50 dBFS\) lies 1\d\.\d dB below the room \(-\d\d dBFS\), expected at least 6 dB above it",
    ):
        calibrate(noise(-40), noise(-50, seed=1), RATE)


def test_a_voice_that_clips_is_refused():
    with pytest.raises(SourceError, match="samples at full scale, expected none; turn the microphone's level down"):
        calibrate(noise(-60), np.clip(noise(3), -1, 1), RATE)


@pytest.mark.parametrize(("room_s", "voice_s", "what"), [(0.9, 2, "room"), (2, 0.5, "voice"), (0, 2, "room")])
def test_too_little_sound_is_refused(room_s, voice_s, what):
    with pytest.raises(SourceError, match=f"s of {what}, expected 2 s"):
        calibrate(noise(-60, room_s), noise(-30, voice_s), RATE)


def test_each_device_keeps_its_own(tmp_path):
    save("USB マイク", Thresholds(-50, -53), tmp_path)
    save("built-in", Thresholds(-40, -43), tmp_path)
    assert load("USB マイク", tmp_path) == Thresholds(-50, -53)
    assert load("built-in", tmp_path) == Thresholds(-40, -43)
    assert load("another", tmp_path) is None
    assert {path.name for path in tmp_path.iterdir()} - {"calibration.json.lock"} == {"calibration.json"}


DAMAGED = [
    b"{",
    b"[]",
    b'{"m": 5}',
    b'{"m": {"open_dbfs": -40}}',
    b'{"m": {"open_dbfs": NaN, "close_dbfs": -50}}',
    b"\xff\xfe",
    b'{"m": {"open_dbfs": 9, "close_dbfs": 0}}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_one_warning_and_nothing_known(tmp_path, caplog, content):
    (tmp_path / "calibration.json").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert load("m", tmp_path) is None
    assert len(caplog.records) == 1 and "calibrated again" in caplog.text
    save("m", Thresholds(-50, -53), tmp_path)
    assert load("m", tmp_path) == Thresholds(-50, -53)


def test_no_file_is_no_warning(tmp_path, caplog):
    assert load("m", tmp_path) is None
    assert not caplog.records


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        save("m", Thresholds(), tmp_path / "file" / "folder")
    assert "every session" in caplog.text


def test_the_place_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path))
    save("m", Thresholds(-50, -53))
    assert json.loads((tmp_path / "calibration.json").read_text()) == {"m": {"open_dbfs": -50.0, "close_dbfs": -53.0}}
    assert load("m") == Thresholds(-50, -53)
