import io
import struct

import numpy as np
import pytest
import soundfile

from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.errors import SourceError
from livelink_bridge.sources.pipe import PipeSource, read_wav_header
from livelink_bridge.testing.stand_ins import ManualClock

RATE = 22050
VOICE = np.random.default_rng(3).uniform(-0.5, 0.5, (RATE // 5, 2)).astype(np.float32)


def wav(subtype: str, **options) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, VOICE, RATE, format=options.get("format", "WAV"), subtype=subtype)
    return file.getvalue()


def heard(source: PipeSource) -> np.ndarray:
    return np.concatenate([block.samples for block in source.blocks()])


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time, as its writer made them."""

    def __init__(self, data: bytes, step: int) -> None:
        self._file = io.BytesIO(data)
        self._step = step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._file.read(min(self._step, len(buffer)))
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("options", [{}, {"format": "WAVEX"}])
@pytest.mark.parametrize(("subtype", "encoding"), [("PCM_16", "s16le"), ("FLOAT", "f32le")])
def test_a_wav_file_from_a_pipe_is_its_sound(subtype, encoding, options):
    source = PipeSource(io.BytesIO(wav(subtype, **options)), None, clock=ManualClock())
    assert source.format == PcmFormat(encoding, RATE, 2)
    np.testing.assert_allclose(heard(source)[: len(VOICE)], VOICE, atol=1 / 32768)
    assert source.played_out()
    assert source.sample_rate == RATE


@pytest.mark.parametrize("step", [1000, 4097])
def test_samples_that_come_in_halves_are_put_together(step):
    layout = PcmFormat("f32le", RATE, 2)
    pipe = io.BufferedReader(Dribble(layout.encode(VOICE) + b"\0\0\0", step), 1024)
    np.testing.assert_array_equal(heard(PipeSource(pipe, layout, clock=ManualClock())), VOICE)


def with_size(size: int) -> bytes:
    data = bytearray(wav("PCM_16"))
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", size)
    return bytes(data)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_unknown_length_is_not_heeded(size):
    data = with_size(size)
    np.testing.assert_allclose(
        heard(PipeSource(io.BytesIO(bytes(data)), None, clock=ManualClock())), VOICE, atol=1 / 32768
    )


def test_a_chunk_before_the_sound_is_passed_over():
    data = wav("PCM_16")
    at = data.index(b"fmt ")
    stream = io.BytesIO(data[:at] + b"LIST" + struct.pack("<I", 3) + b"abc\0" + data[at:])
    assert read_wav_header(stream, "pipe") == (PcmFormat("s16le", RATE, 2), VOICE.size * 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"OggS" + bytes(40), "got b'OggS'.*--raw s16le:24000:1"),
        (b"RIFF", "does not begin like a wav file"),
        (b"RIFF\0\0\0\0WAVE", "ends before its audio begins"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd", "fmt chunk has 4 bytes"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "before its fmt chunk"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f", "expected at most"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, RATE, 0, 3, 24), "format 1 with 24 bits"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 6, RATE, 0, 12, 16), "channels: got 6"),
    ],
)
def test_what_is_no_wav_file_is_one_line(data, says):
    with pytest.raises(SourceError, match=says):
        PipeSource(io.BytesIO(data), None, clock=ManualClock())


def test_a_reader_that_fails_says_so_and_ends_what_waits_for_it(monkeypatch):
    def fail(self, sound, rate):
        raise MemoryError("no room")

    monkeypatch.setattr(PipeSource, "push", fail)
    source = PipeSource(io.BytesIO(wav("PCM_16")), None, clock=ManualClock())
    assert list(source.blocks()) == []
    assert source.played_out()
    assert str(source.failure) == "reading standard input failed: MemoryError('no room')"


def test_a_pipe_that_ends_early_is_played_and_then_fails():
    data = wav("PCM_16")
    source = PipeSource(io.BytesIO(data[: len(data) // 2]), None, clock=ManualClock())
    assert 0.45 < len(heard(source)) / len(VOICE) < 0.55
    assert (
        str(source.failure)
        == "standard input ended early: 0.10 of 0.20 s; this part was played; --allow-cut accepts a truncated file"
    )
    allowed = PipeSource(io.BytesIO(data[: len(data) // 2]), None, clock=ManualClock(), allow_cut=True)
    heard(allowed)
    assert allowed.failure is None


def test_chunks_behind_the_sound_of_a_pipe_are_not_played():
    data = wav("PCM_16") + b"LIST" + struct.pack("<I", 4000) + bytes(range(1, 251)) * 16
    for step in (7, 1000, 100_000):
        source = PipeSource(io.BufferedReader(Dribble(data, step), 1024), None, clock=ManualClock())
        assert len(heard(source)) == len(VOICE)
        assert source.failure is None


def test_a_pipe_whose_header_was_never_brought_up_to_date_is_played_to_its_end(caplog):
    source = PipeSource(io.BytesIO(with_size(RATE // 5)), None, clock=ManualClock())
    assert len(heard(source)) == len(VOICE)
    assert "its header says 0.1 s and was never updated; it is played to its end" in caplog.text


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_an_odd_chunk_of_a_pipe_may_lack_its_padding(padding):
    data = wav("PCM_16")
    at = data.index(b"fmt ")
    stream = io.BytesIO(data[:at] + b"LIST" + struct.pack("<I", 3) + b"abc" + padding + data[at:])
    assert read_wav_header(stream, "pipe")[0] == PcmFormat("s16le", RATE, 2)
