"""Edits of takes carry the sound: cut to the same moments, with its time reference, both files or none."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer

from arkit_mapping.takes.csv import read_take, write_take
from arkit_mapping.whole_file import parse_partial
from livelink_bridge.commands.files import takes
from livelink_bridge.errors import SinkError
from livelink_bridge.takes import pair
from livelink_bridge.takes.discovery import find_take
from livelink_bridge.testing.takes import app_take, face

RATE_HZ = 48000
START_S = 36000.25
"""Time of day of the takes here."""


def say(*arguments: object) -> int:
    command = typer.main.get_command(takes.build())
    return int(
        command.main(args=[str(argument) for argument in arguments], prog_name="takes", standalone_mode=False) or 0
    )


def ramp(seconds: float, rate_hz: int = RATE_HZ, channels: int = 1) -> np.ndarray:
    """int32 samples, each of which says where it stands; the lowest 8 bits are 0, as 24 bits are."""
    at = np.arange(round(seconds * rate_hz)) % (1 << 23)
    return (np.repeat(at[:, None], channels, 1) << 8).astype(np.int32)


def take(
    folder: Path,
    rows: int = 180,
    *,
    name: str = "line",
    subtype: str = "PCM_24",
    rate_hz: int = RATE_HZ,
    channels: int = 1,
) -> Path:
    """A take of 60 rows a second with a sound that lasts 0.2 s longer."""
    write_take(folder / f"{name}.csv", face(rows), start_s=START_S)
    soundfile.write(folder / f"{name}.wav", ramp(rows / 60 + 0.2, rate_hz, channels), rate_hz, subtype=subtype)
    return folder / f"{name}.csv"


def heard(wav: Path) -> np.ndarray:
    """Where in the ramp each sample is."""
    return soundfile.read(wav, dtype="int32", always_2d=True)[0][:, 0] >> 8


def time_reference(wav: Path) -> int:
    data = wav.read_bytes()
    at = data.index(b"bext") + 8
    return int(struct.unpack_from("<Q", data, at + 338)[0])


@pytest.mark.parametrize(("start", "end"), [("1", "2"), ("0.5", "2.5"), ("10:00:01:15", "10:00:02:45")])
def test_trim_cuts_the_sound_at_the_rows_own_samples(tmp_path: Path, start: str, end: str) -> None:
    source = take(tmp_path)
    say("trim", source, "-o", tmp_path / "part.csv", "--start", start, "--end", end)
    whole, part = read_take(source), read_take(tmp_path / "part.csv")
    first = round(float(part.times_s[0] - whole.times_s[0]) * RATE_HZ)
    samples = heard(tmp_path / "part.wav")
    np.testing.assert_array_equal(
        samples, first + np.arange(round((float(part.times_s[-1] - part.times_s[0]) + 1 / 60) * RATE_HZ))
    )
    assert time_reference(tmp_path / "part.wav") == round(float(part.times_s[0]) * RATE_HZ)
    assert find_take(tmp_path / "part.csv").sound == tmp_path / "part.wav"


def test_without_an_end_the_sound_goes_on_to_its_own_end(tmp_path: Path) -> None:
    say("trim", take(tmp_path), "-o", tmp_path / "part.csv", "--start", "1")
    np.testing.assert_array_equal(heard(tmp_path / "part.wav"), np.arange(RATE_HZ, round(3.2 * RATE_HZ)))


@pytest.mark.parametrize("rate_hz", [44100, 16000])
def test_cuts_between_samples_are_the_nearest_sample_and_the_reference_is_of_the_day(
    tmp_path: Path, rate_hz: int
) -> None:
    say("trim", take(tmp_path, rate_hz=rate_hz), "-o", tmp_path / "part.csv", "--start", "0.55")
    first = float(read_take(tmp_path / "part.csv").times_s[0])
    assert heard(tmp_path / "part.wav")[0] == round((first - START_S) * rate_hz)
    assert time_reference(tmp_path / "part.wav") == round(first * rate_hz)


def test_channels_and_16_bits_are_kept_to_the_last_bit(tmp_path: Path) -> None:
    source = take(tmp_path, channels=2)
    noise = np.random.default_rng(0).integers(-32768, 32768, (3 * RATE_HZ, 2)).astype(np.int16)
    soundfile.write(source.with_suffix(".wav"), noise, RATE_HZ, subtype="PCM_16")
    say("resample", source, "-o", tmp_path / "even.csv", "--rate", "30")
    same, _ = soundfile.read(tmp_path / "even.wav", dtype="int16")
    np.testing.assert_array_equal(same, noise)
    assert soundfile.info(tmp_path / "even.wav").subtype == "PCM_16"


def test_the_lowest_and_the_highest_sample_of_24_bits_are_kept(tmp_path: Path) -> None:
    source = take(tmp_path)
    ends = np.array([-(1 << 23), (1 << 23) - 1, -1, 0, 1] * 1000, np.int32) << 8
    soundfile.write(source.with_suffix(".wav"), ends, RATE_HZ, subtype="PCM_24")
    say("export", source, "-o", tmp_path / "same.csv")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "same.wav", dtype="int32")[0], ends)


def test_resample_keeps_the_whole_sound_and_a_compressed_one_becomes_a_wav(tmp_path: Path) -> None:
    source = take(tmp_path)
    soundfile.write(tmp_path / "line.flac", ramp(3.2), RATE_HZ, subtype="PCM_24")
    source.with_suffix(".wav").unlink()
    say("resample", source, "-o", tmp_path / "even.csv")
    np.testing.assert_array_equal(heard(tmp_path / "even.wav"), np.arange(round(3.2 * RATE_HZ)))


def test_merge_carries_the_sound_of_the_mouth_cut_to_what_both_have(tmp_path: Path) -> None:
    mouth, upper = take(tmp_path, name="mouth"), tmp_path / "upper.csv"
    write_take(upper, face(60), start_s=START_S + 1)
    say("merge", mouth, upper, "-o", tmp_path / "both.csv")
    np.testing.assert_array_equal(heard(tmp_path / "both.wav"), RATE_HZ + np.arange(RATE_HZ))
    assert time_reference(tmp_path / "both.wav") == round((START_S + 1) * RATE_HZ)


def test_a_take_of_the_app_without_rows_at_first_is_cut_by_its_timecode(tmp_path: Path) -> None:
    times_s = app_take(tmp_path / "S_1_Anna.csv", face(180), lost=range(40, 70))
    soundfile.write(tmp_path / "S_1_Anna.wav", ramp(3.2), RATE_HZ, subtype="PCM_24")
    say("trim", tmp_path / "S_1_Anna.csv", "-o", tmp_path / "part.csv", "--start", "1")
    first = next(at for at in times_s if at >= times_s[0] + 1)
    assert heard(tmp_path / "part.wav")[0] == round((first - times_s[0]) * RATE_HZ)


def test_a_take_without_sound_stays_one_and_gets_no_strangers(tmp_path: Path) -> None:
    source = take(tmp_path)
    say("trim", source, "-o", tmp_path / "silent.csv", "--start", "1", "--no-sound")
    assert find_take(tmp_path / "silent.csv").sound is None
    soundfile.write(tmp_path / "other.wav", np.zeros(100), RATE_HZ)
    with pytest.raises(SinkError, match="other.wav exists and would be taken for the audio of other.csv"):
        say("trim", tmp_path / "silent.csv", "-o", tmp_path / "other.csv", "--start", "1")
    assert not (tmp_path / "other.csv").exists()


def test_a_sound_that_ends_before_the_part_begins_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = take(tmp_path)
    soundfile.write(source.with_suffix(".wav"), ramp(0.5), RATE_HZ, subtype="PCM_24")
    say("trim", source, "-o", tmp_path / "part.csv", "--start", "1")
    assert "without audio" in capsys.readouterr().out and not (tmp_path / "part.wav").exists()


def test_nothing_that_is_there_is_overwritten_unasked_neither_take_nor_sound(tmp_path: Path) -> None:
    source = take(tmp_path)
    (tmp_path / "part.wav").write_bytes(b"mine")
    with pytest.raises(SinkError, match="part.wav exists"):
        say("trim", source, "-o", tmp_path / "part.csv", "--start", "1")
    assert (tmp_path / "part.wav").read_bytes() == b"mine" and not (tmp_path / "part.csv").exists()
    say("trim", source, "-o", tmp_path / "part.csv", "--start", "1", "--force")
    assert heard(tmp_path / "part.wav")[0] == RATE_HZ
    with pytest.raises(SinkError, match="part.csv exists"):
        say("trim", source, "-o", tmp_path / "part.csv", "--start", "1")


def test_a_sound_that_cannot_be_written_is_named_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> float:
        raise OSError(errno.ENOSPC, "No space left on device")

    source = take(tmp_path)
    monkeypatch.setattr(pair, "copy_wave", full)
    with pytest.raises(SinkError, match="part.wav cannot be written: No space left"):
        say("trim", source, "-o", tmp_path / "part.csv", "--start", "1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["line.csv", "line.wav"]


def test_a_take_can_be_replaced_by_a_part_of_itself(tmp_path: Path) -> None:
    source = take(tmp_path)
    say("trim", source, "-o", source, "--start", "1", "--force")
    assert heard(tmp_path / "line.wav")[0] == RATE_HZ and len(read_take(source).values) == 120


@pytest.mark.parametrize("kill_at", ["write", "between"])
def test_killed_while_it_writes_it_leaves_no_take_without_its_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: str
) -> None:
    source, child = take(tmp_path), os.fork() if hasattr(os, "fork") else None
    if child is None:
        pytest.skip("this system has no fork")
    if child == 0:
        write = pair.copy_wave

        def dying(*arguments: object, **named: object) -> float:
            if kill_at == "between":
                write(*arguments, **named)  # type: ignore[arg-type]
                os.replace(arguments[1], tmp_path / "part.wav")  # type: ignore[arg-type]
            os._exit(9)

        pair.copy_wave = dying  # type: ignore[assignment]
        say("trim", source, "-o", tmp_path / "part.csv", "--start", "1")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    names = [path.name for path in tmp_path.iterdir() if parse_partial(path.name) is None]
    assert sorted(names) == sorted(["line.csv", "line.wav", *(["part.wav"] if kill_at == "between" else [])])
