import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelink_bridge.audio.pcm import PcmFormat, PcmReader, parse_format
from livelink_bridge.errors import UsageError, WireError


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
        (("s16le", 24000.5, 1), "rate"),
        (("s16le", float("nan"), 1), "rate"),
        (("s16le", float("inf"), 1), "rate"),
        (("s16le", "24000", 1), "rate"),
        (("s16le", True, 1), "rate"),
        (("s16le", 24000, True), "channels"),
        (("s16le", 24000, 1.5), "channels"),
        (("s16le", 24000, 0), "channels"),
        (("s16le", 24000, 3), "channels"),
        (("s16le", 24000, "1"), "channels"),
    ],
)
def test_what_cannot_be_is_said(values, name):
    with pytest.raises(UsageError, match=f"^{name}: got .*expected"):
        PcmFormat(*values)


@pytest.mark.parametrize(("rate", "channels"), [(24000.0, 1), (24000, 2.0), (24000.0, 2.0)])
def test_a_whole_number_may_be_written_as_a_float(rate, channels):
    layout = PcmFormat("s16le", rate, channels)
    assert (str(layout), layout.frame_bytes) == (f"s16le:24000:{channels:.0f}", 2 * int(channels))
    assert isinstance(layout.rate, int) and isinstance(layout.channels, int)


def test_what_is_said_back_of_a_long_value_is_short():
    with pytest.raises(UsageError) as error:
        PcmFormat("s16le", ["x" * 1000] * 1000, 1)
    assert len(str(error.value)) < 300


@given(data=st.data(), encoding=st.sampled_from(["s16le", "f32le"]), channels=st.sampled_from([1, 2]))
def test_bytes_cut_anywhere_are_the_same_sound(data, encoding, channels):
    layout = PcmFormat(encoding, 16000, channels)
    whole = layout.encode(np.linspace(-1, 1, 24, dtype=np.float32).reshape(-1, channels))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    reader = PcmReader(layout)
    parts = [reader.read(whole[at:to]) for at, to in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    np.testing.assert_array_equal(np.concatenate(parts), layout.decode(whole))
    assert reader.drop() == 0


def test_a_sample_that_has_begun_can_be_dropped_and_its_bytes_are_told():
    reader = PcmReader(PcmFormat("f32le", 16000, 2))
    assert len(reader.read(bytes(13))) == 1
    assert [reader.drop(), reader.drop()] == [5, 0]
    np.testing.assert_array_equal(reader.read(np.array([0.5, 0.25], "<f4").tobytes()), [[0.5, 0.25]])


def test_a_layout_is_read_as_it_is_written():
    assert parse_format("s16le:24000:1") == PcmFormat("s16le", 24000, 1)
    assert str(parse_format("f32le:48000:2")) == "f32le:48000:2"


@pytest.mark.parametrize(
    "text", ["", "s16le", "s16le:24000", "s16le:24k:1", "s16le:24000:1:2", "s16le:²:1", "mp3:24000:1"]
)
def test_a_layout_that_is_none_is_a_usage_error(text):
    with pytest.raises(UsageError, match="expected"):
        parse_format(text)
