"""The header of a Broadcast Wave file, read by libsndfile and by hand."""

import io
import struct
import sys
import wave
from datetime import datetime

import numpy as np
import pytest
import soundfile

from livelink_bridge.wire.broadcast_wave import HEADER_BYTES, Format, encode_header

MONO = Format(48000, 1, 24, 36000 * 48000, datetime(2024, 12, 4, 10, 0, 1), "Hall_1_Jörg")


def chunks(header: bytes) -> dict[bytes, bytes]:
    """What each chunk before `data` holds."""
    found, at = {}, 12
    while header[at : at + 4] != b"data":
        (size,) = struct.unpack_from("<L", header, at + 4)
        found[header[at : at + 4]] = header[at + 8 : at + 8 + size]
        at += 8 + size
    assert at + 8 == HEADER_BYTES == len(header)
    return found


@pytest.mark.parametrize(("bits", "subtype"), [(16, "PCM_16"), (24, "PCM_24"), (32, "PCM_32")])
@pytest.mark.parametrize("channels", [1, 2])
def test_other_programs_read_the_samples_behind_it(bits: int, subtype: str, channels: int):
    form = Format(44100, channels, bits, 0, datetime(2024, 12, 4))
    data = encode_header(form, 100) + np.arange(100 * form.frame_bytes, dtype=np.uint8).tobytes()
    info = soundfile.info(io.BytesIO(data))
    assert (info.frames, info.samplerate, info.channels, info.subtype) == (100, 44100, channels, subtype)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnframes(), file.getsampwidth(), file.readframes(1)) == (
            100,
            bits // 8,
            bytes(range(form.frame_bytes)),
        )


def test_it_says_which_sample_of_the_day_is_the_first():
    bext = chunks(encode_header(MONO, 0))[b"bext"]
    assert len(bext) == 602
    assert bext[:12] == b"Hall_1_J?rg\0" and bext[256:272] == b"livelink-bridge\0"
    assert bext[320:338] == b"2024-12-0410:00:01"
    assert struct.unpack_from("<QH", bext, 338) == (36000 * 48000, 1)


def test_a_file_of_more_than_four_gigabytes_has_its_sizes_in_64_bits():
    most = (2**32 - 1 - (HEADER_BYTES - 8)) // 3 // 2 * 2
    assert (encode_header(MONO, most)[:4], encode_header(MONO, most + 2)[:4]) == (b"RIFF", b"RF64")
    frames = 24 * 3600 * 48000
    header = encode_header(MONO, frames)
    assert header[4:8] == header[-4:] == b"\xff" * 4
    assert struct.unpack("<QQQL", chunks(header)[b"ds64"]) == (3 * frames + HEADER_BYTES - 8, 3 * frames, frames, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="wants a file system with holes in files")
def test_other_programs_read_a_day_of_sound(tmp_path):
    frames = 24 * 3600 * 48000
    with open(tmp_path / "day.wav", "wb") as file:
        file.write(encode_header(MONO, frames))
        file.truncate(HEADER_BYTES + 3 * frames)
        file.seek(HEADER_BYTES + 3 * (frames - 1))
        file.write(b"\0\0\x40")
    with soundfile.SoundFile(tmp_path / "day.wav") as sound:
        assert len(sound) == frames
        sound.seek(frames - 2)
        assert sound.read(2).tolist() == [0.0, 0.5]
