"""Headers of writers that could not go back to them, or did not."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech_to_face.audio_files import RecordingError, open_recording
from tests.speech_to_face.audio_files.conftest import RATE, SECONDS, cut, read

N = round(SECONDS * RATE)


def wav(
    sound: np.ndarray, *, size: int | None = None, before: bytes = b"", after: bytes = b"", order: str = "<"
) -> bytes:
    """16 bits, mono, with a data chunk of the size that is claimed."""
    data = np.round(sound * 32767).astype(f"{order}i2").tobytes()
    form = struct.pack(f"{order}HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    chunks = b"fmt " + struct.pack(f"{order}I", 16) + form + before
    chunks += b"data" + struct.pack(f"{order}I", len(data) if size is None else size) + data + after
    return (
        (b"RIFF" if order == "<" else b"RIFX")
        + struct.pack(f"{order}I", (len(chunks) + 4) & 0xFFFFFFFF)
        + b"WAVE"
        + chunks
    )


PLACEHOLDERS = [0, 0x7FFFF000, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFF - 36]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", PLACEHOLDERS, ids=hex)
def test_a_wav_whose_size_is_a_placeholder_is_read_to_its_end(tmp_path, voice, size, order):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(voice, size=size, order=order))
    np.testing.assert_allclose(read(path)[:, 0], voice, atol=1e-4)
    assert open_recording(path).warnings == []


def test_a_placeholder_before_silence_is_one_all_the_same(tmp_path, voice):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.concatenate([np.zeros(RATE, np.float32), voice]), size=0))
    assert len(read(path)) == N + RATE


@pytest.mark.parametrize("size", [2 * RATE, 4096, 2])
def test_a_size_that_was_never_brought_up_to_date_is_a_warning(tmp_path, voice, size):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(voice, size=size))
    assert len(read(path)) == N
    (said,) = open_recording(path).warnings
    assert (
        said
        == f"{path}: its header says {size / 2 / RATE:.1f} s and was not brought up to date; all of it, 3.0 s, is read"
    )


INFO = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0"
AFTERWARDS = {
    "nothing": b"",
    "a chunk": INFO,
    "a chunk that is cut": INFO[:20],
    "chunks that are not known": b"mych" + struct.pack("<I", 5) + b"hello\0" + INFO,
    "a tag of a music program": b"TAG" + bytes(125),
    "zeros": bytes(5000),
    "a few bytes": b"\x01\x02\x03",
}


@pytest.mark.parametrize("after", AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_what_follows_the_audio_is_not_audio(tmp_path, voice, after):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(voice, after=after))
    assert len(read(path)) == N
    assert open_recording(path).warnings == []


@pytest.mark.parametrize("after", [b"", INFO], ids=["nothing", "a chunk"])
def test_a_wav_that_is_truly_empty_holds_no_sound(tmp_path, after):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.zeros(0, np.float32), after=after))
    with pytest.raises(RecordingError, match="holds no audio: its header promises 0 samples"):
        open_recording(path)


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF])
def test_an_odd_chunk_may_lack_its_padding(tmp_path, voice, padded, size):
    path = tmp_path / "a.wav"
    odd = b"LIST" + struct.pack("<I", 17) + b"INFOISFT" + struct.pack("<I", 5) + b"hello"
    path.write_bytes(wav(voice, size=size, before=odd + b"\0" * padded))
    np.testing.assert_allclose(read(path)[:, 0], voice, atol=1e-4)


def test_an_odd_chunk_without_padding_does_not_hide_a_cut(tmp_path, voice):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(voice, before=b"note" + struct.pack("<I", 3) + b"abc"))
    with pytest.raises(RecordingError, match="1.8 of 3.0 s"):
        open_recording(cut(path, 0.6))
    assert len(read(path, allow_cut=True)) == pytest.approx(0.6 * N, rel=0.01)


def changed(path: Path, marker: bytes, offset: int, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(marker) + offset
    data[at : at + len(value)] = value
    path.write_bytes(bytes(data))


PATCHES: dict[str, tuple[str, bytes, int, bytes]] = {
    "aiff, 0": ("AIFF", b"SSND", 4, bytes(4)),
    "aiff, sox's": ("AIFF", b"SSND", 4, b"\x7f\0\0\x08"),
    "aiff, 4 GiB": ("AIFF", b"SSND", 4, b"\xff" * 4),
    "au, unknown": ("AU", b".snd", 8, b"\xff" * 4),
    "au, 0": ("AU", b".snd", 8, bytes(4)),
    "caf, to the end": ("CAF", b"data", 4, b"\xff" * 8),
    "w64, 0": ("W64", b"data", 16, bytes(8)),
    "w64, ffmpeg's": ("W64", b"data", 16, b"\xff" * 7 + b"\x7f"),
    "rf64, 0": ("RF64", b"ds64", 8, bytes(24)),
    "flac, 0 samples": ("FLAC", b"fLaC", 22, bytes(4)),
}


@pytest.mark.parametrize(("kind", "marker", "offset", "value"), PATCHES.values(), ids=PATCHES.keys())
def test_placeholders_of_other_containers_are_read_to_the_end(write, voice, kind, marker, offset, value):
    path = write("a.bin", format=kind, subtype="PCM_16")
    changed(path, marker, offset, value)
    np.testing.assert_allclose(read(path)[:, 0], voice, atol=1e-4)
    assert open_recording(path).warnings == []


def test_a_flac_from_a_pipe_that_is_cut_shows_it_by_its_last_block(write):
    path = write("a.flac")
    changed(path, b"fLaC", 22, bytes(4))
    with pytest.raises(RecordingError, match=r"ends early, after \d\.\d s: it ends inside a block of audio"):
        open_recording(cut(path, 0.7))
    assert len(read(path, allow_cut=True)) % 4096 == 0


STALE = {"aiff": ("AIFF", b"SSND", 4, struct.pack(">I", 8 + 32000)), "au": ("AU", b".snd", 8, struct.pack(">I", 32000))}


@pytest.mark.parametrize(("kind", "marker", "offset", "value"), STALE.values(), ids=STALE.keys())
def test_sizes_of_other_containers_that_are_too_small_are_a_warning(write, kind, marker, offset, value):
    path = write("a.bin", format=kind, subtype="PCM_16")
    changed(path, marker, offset, value)
    assert len(read(path)) == N
    assert (
        "header says 1.0 s and was not brought up to date; all of it, 3.0 s, is read"
        in open_recording(path).warnings[0]
    )


PIPES = {
    "espeak-ng": (["espeak-ng", "--stdout", "hello my good friend, how are you?"], 0.9),
    "sox, from a file": (["sox", "IN", "-t", "wav", "-"], SECONDS),
    "sox, float": (["sox", "IN", "-e", "float", "-b", "32", "-t", "wav", "-"], SECONDS),
    "sox, au": (["sox", "IN", "-t", "au", "-"], SECONDS),
    "sox, aiff": (["sox", "IN", "-t", "aiff", "-"], SECONDS),
    "sox, flac": (["sox", "IN", "-t", "flac", "-"], SECONDS),
    "sox, ogg": (["sox", "IN", "-t", "ogg", "-"], SECONDS),
    "flite": (["flite", "-t", "hello my good friend", "-o", "/dev/stdout"], 0.9),
    **{f"ffmpeg, {kind}": (["ffmpeg", "-v", "error", "-i", "IN", "-f", kind, "-"], SECONDS)
       for kind in ("wav", "aiff", "au", "caf", "w64", "flac", "ogg", "opus", "mp3")},
    "ffmpeg, rf64": (["ffmpeg", "-v", "error", "-i", "IN", "-rf64", "always", "-f", "wav", "-"], SECONDS),
}  # fmt: skip


@pytest.mark.parametrize(("command", "seconds"), PIPES.values(), ids=PIPES.keys())
def test_what_real_programs_write_into_a_pipe_is_whole(
    write: Callable[..., Path], tmp_path: Path, command: list[str], seconds: float
):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: apt install {command[0]}")
    sound = write("in.wav")
    given = [str(sound) if word == "IN" else word for word in command]
    done = subprocess.run(given, capture_output=True, timeout=30, check=True)
    (tmp_path / "out").write_bytes(done.stdout)
    recording = open_recording(tmp_path / "out")
    assert recording.warnings == []
    recording.close()
    assert len(read(tmp_path / "out")) / recording.rate >= seconds - 0.01


@pytest.mark.parametrize("ending", ["wav", "aiff", "au", "caf", "w64", "flac", "ogg", "opus", "mp3"])
def test_what_ffmpeg_writes_is_read_whole_and_its_half_is_not(write, tmp_path, ending):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed: apt install ffmpeg")
    out = tmp_path / f"out.{ending}"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(write("in.wav")), str(out)], timeout=30, check=True)
    whole = read(out)
    assert len(whole) / open_recording(out).rate == pytest.approx(SECONDS, abs=0.05)
    with pytest.raises(RecordingError, match="ends early"):
        open_recording(cut(out, 0.5))
    assert 0.2 < len(read(out, allow_cut=True)) / len(whole) < 0.6


@pytest.mark.parametrize(
    "kind", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "NIST", "AVR", "SDS", "MAT5"]
)
def test_a_header_that_is_damaged_or_ends_anywhere_is_read_or_refused_in_one_line(write, kind):
    path = write("a.bin", format=kind, **({"subtype": "PCM_16"} if kind not in ("OGG", "MP3", "SDS") else {}))
    whole, rng = path.read_bytes(), np.random.default_rng(4)
    for turn in range(60):
        data = bytearray(whole[: int(rng.integers(1, 300))] if turn % 2 else whole)
        for at in rng.integers(4, 120, 3).tolist():
            if at < len(data):
                data[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
        path.write_bytes(bytes(data))
        try:
            assert read(path, allow_cut=bool(turn % 3), piece=8192).ndim == 2
        except RecordingError as error:
            assert "\n" not in str(error)


def test_damaged_samples_are_counted_and_silent(tmp_path, voice):
    bad = np.stack([voice, voice], 1).astype(np.float64)
    bad[10, 0], bad[20], bad[30, 1], bad[40, 0] = np.nan, np.inf, 1e30, -1e300
    soundfile.write(tmp_path / "a.wav", bad, RATE, subtype="DOUBLE")
    recording = open_recording(tmp_path / "a.wav")
    heard = recording.read(N)
    assert recording.damaged == 5
    assert heard[20].tolist() == [0, 0] and heard[30, 1] == 0
    np.testing.assert_array_equal(heard[100:], bad[100:].astype(np.float32))


def test_a_loud_file_of_floats_is_taken_as_it_is(tmp_path, voice):
    soundfile.write(tmp_path / "a.wav", 10 * voice, RATE, subtype="FLOAT")
    recording = open_recording(tmp_path / "a.wav")
    np.testing.assert_array_equal(recording.read(N)[:, 0], 10 * voice)
    assert recording.damaged == 0
