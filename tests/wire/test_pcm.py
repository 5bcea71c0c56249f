import numpy as np
import pytest

from livelink_bridge.errors import UsageError, WireError
from livelink_bridge.wire.pcm import PcmFormat, parse_format


@pytest.mark.parametrize(
    ("layout", "data", "sound"),
    [
        (PcmFormat("s16le", 24000, 1), b"\x00\x00\x00\x40\x00\x80\xff\x7f", [[0.0], [0.5], [-1.0], [32767 / 32768]]),
        (PcmFormat("s16le", 24000, 2), b"\x00\x40\x00\xc0", [[0.5, -0.5]]),
        (PcmFormat("f32le", 48000, 1), np.array([0.25, -1.0], "<f4").tobytes(), [[0.25], [-1.0]]),
        (PcmFormat("f32le", 48000, 1), b"", np.zeros((0, 1))),
    ],
)
def test_bytes_are_sound_and_sound_is_those_bytes(layout, data, sound):
    decoded = layout.decode(data)
    np.testing.assert_array_equal(decoded, np.array(sound, np.float32))
    assert decoded.dtype == np.float32
    assert layout.encode(decoded) == data


def test_floats_that_are_no_sound_become_silence_or_full_scale():
    data = np.array([np.nan, np.inf, -np.inf, 3.0, -3.0], "<f4").tobytes()
    assert PcmFormat("f32le", 16000, 1).decode(data)[:, 0].tolist() == [0.0, 0.0, 0.0, 1.0, -1.0]


def test_full_scale_does_not_wrap_around():
    assert PcmFormat("s16le", 16000, 1).encode(np.array([[1.0], [-1.0]], np.float32)) == b"\xff\x7f\x00\x80"


def test_half_a_sample_is_an_error_that_says_where():
    with pytest.raises(WireError, match="got 7 bytes of sound, expected a multiple of 4") as error:
        PcmFormat("s16le", 16000, 2).decode(b"1234567")
    assert error.value.offset == 4


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (("s24le", 24000, 1), "format"),
        (("s16le", 7999, 1), "rate"),
        (("s16le", 192001, 1), "rate"),
        (("s16le", 24000.0, 1), "rate"),
        (("s16le", True, 1), "rate"),
        (("s16le", 24000, 0), "channels"),
        (("s16le", 24000, 3), "channels"),
        (("s16le", 24000, "1"), "channels"),
    ],
)
def test_what_cannot_be_is_said(values, name):
    with pytest.raises(UsageError, match=f"^{name}: got .*expected"):
        PcmFormat(*values)


def test_a_layout_is_read_as_it_is_written():
    assert parse_format("s16le:24000:1") == PcmFormat("s16le", 24000, 1)
    assert str(parse_format("f32le:48000:2")) == "f32le:48000:2"


@pytest.mark.parametrize("text", ["", "s16le", "s16le:24000", "s16le:24k:1", "s16le:24000:1:2", "s16le:²:1", "mp3:24000:1"])
def test_a_layout_that_is_none_is_wrong_on_sight(text):
    with pytest.raises(UsageError, match="expected"):
        parse_format(text)
