"""Live Link Face packets: bytes derived by hand, an independent receiver, and everything that can go wrong."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cases import case
from hypothesis import given, settings
from hypothesis import strategies as st
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from arkit_mapping import CHANNELS_61
from livelink_bridge.errors import BridgeError, WireError
from livelink_bridge.wire.livelink import MAX_DATAGRAM, MAX_TEXT, Encoder, Packet, decode, encode

GOLDEN = Path(__file__).parents[1] / "golden"
ID = "00000000-0000-0000-0000-00000000000"


def golden(name: str) -> bytes:
    return bytes.fromhex((GOLDEN / f"{name}.hex").read_text())


def by_hand(device: bytes, subject: bytes, time: bytes, values: dict[int, float]) -> bytes:
    """The packet by its table, field by field; shares no code with the encoder."""
    raw = b"\x06"
    raw += struct.pack(">i", len(device)) + device
    raw += struct.pack(">i", len(subject)) + subject
    raw += time + b"\x3d"
    for index in range(61):
        raw += struct.pack(">f", values.get(index, 0.0))
    return raw


def face(**named: float) -> np.ndarray:
    values = np.zeros(61, np.float32)
    for name, value in named.items():
        values[CHANNELS_61.index(name)] = value
    return values


def packet(**changed: object) -> Packet:
    fields = dict(
        device_id=ID + "1", subject="Talker", frame=216000, subframe=0.5, rate=Fraction(60), values=face(JawOpen=0.5)
    )
    return Packet(**(fields | changed))  # type: ignore[arg-type]


A = packet(values=face(JawOpen=0.5, MouthFunnel=0.25, HeadYaw=-0.125))
B = packet(
    device_id=ID + "2", subject="Jörg_テスト", frame=5183999, subframe=0.25, values=np.arange(61, dtype=np.float32) / 64
)
C = packet(
    device_id=ID + "3",
    subject="Probe",
    frame=107892,
    subframe=0.75,
    rate=Fraction(30000, 1001),
    values=face(JawLeft=0.125, MouthRight=0.25, TongueOut=0.5, RightEyeRoll=-0.75),
)
D = packet(frame=216002, subframe=0.0, values=None)

B_BY_HAND = by_hand(
    b"00000000-0000-0000-0000-000000000002",
    b"J\xc3\xb6rg_\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
    b"\x00\x4f\x19\xff\x3e\x80\x00\x00\x00\x00\x00\x3c\x00\x00\x00\x01",
    {index: index / 64 for index in range(61)},
)
C_BY_HAND = by_hand(
    b"00000000-0000-0000-0000-000000000003",
    b"Probe",
    b"\x00\x01\xa5\x74\x3f\x40\x00\x00\x00\x00\x75\x30\x00\x00\x03\xe9",
    {15: 0.125, 22: 0.25, 51: 0.5, 60: -0.75},
)

GOLDENS = [("A_basic", A), ("B_utf8_name_ramp", B), ("C_left_right_probe", C), ("D_header_only_noface", D)]


@pytest.mark.parametrize(("name", "made"), GOLDENS, ids=[name for name, _ in GOLDENS])
def test_a_golden_packet_is_encoded_byte_for_byte(name: str, made: Packet) -> None:
    assert encode(made).hex() == golden(name).hex()


@pytest.mark.parametrize(("name", "made"), GOLDENS, ids=[name for name, _ in GOLDENS])
def test_a_golden_packet_is_decoded_to_what_it_means(name: str, made: Packet) -> None:
    read = decode(golden(name))
    same = ("device_id", "subject", "frame", "subframe", "rate")
    assert [getattr(read, field) for field in same] == [getattr(made, field) for field in same]
    np.testing.assert_equal(read.values, made.values)
    assert read.values is None or read.values.dtype == np.float32


@pytest.mark.parametrize(("name", "raw"), [("B_utf8_name_ramp", B_BY_HAND), ("C_left_right_probe", C_BY_HAND)])
def test_the_golden_files_agree_with_the_packet_table_worked_out_by_hand(name: str, raw: bytes) -> None:
    assert golden(name) == raw


def test_golden_a_holds_its_values_at_the_documented_offsets() -> None:
    raw = encode(A)
    assert len(raw) == 312
    assert [struct.unpack_from(">f", raw, offset)[0] for offset in (136, 144, 276)] == [0.5, 0.25, -0.125]


@pytest.mark.parametrize(("name", "made"), GOLDENS[:3], ids=[name for name, _ in GOLDENS[:3]])
def test_an_independent_receiver_reads_the_same_face(name: str, made: Packet) -> None:
    found, theirs = PyLiveLinkFace.decode(encode(made))
    assert found
    assert made.values is not None
    assert [theirs.get_blendshape(shape) for shape in FaceBlendShape] == made.values.tolist()
    assert (theirs.name, theirs.uuid) == (made.subject, "$" + made.device_id)
    assert (theirs.fps, theirs._denominator) == (made.rate.numerator, made.rate.denominator)
    assert (theirs._frames, theirs._sub_frame) == (made.frame, made.subframe)


def test_an_independent_receiver_names_our_channels_as_we_do() -> None:
    assert tuple(shape.name for shape in FaceBlendShape) == CHANNELS_61


def test_an_independent_receiver_finds_no_face_in_a_header_only_packet() -> None:
    assert PyLiveLinkFace.decode(encode(D))[0] is False


def test_an_independent_sender_at_30_fps_divides_its_rate_by_zero_and_is_still_read() -> None:
    theirs = PyLiveLinkFace(name="Peer", uuid=ID + "4", fps=30)
    theirs.set_blendshape(FaceBlendShape.JawOpen, 0.5, no_filter=True)
    read = decode(theirs.encode())
    assert (read.subject, read.rate) == ("Peer", Fraction(0))
    np.testing.assert_equal(read.values, face(JawOpen=0.5))


@settings(deadline=None)  # a loaded machine is no failure
@given(
    device=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40),
    subject=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60),
    frame=st.integers(0, 2**31 - 1),
    subframe=st.floats(0, 1, exclude_max=True, width=32),
    rate=st.builds(Fraction, st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)),
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=61, max_size=61),
)
def test_what_is_encoded_is_decoded_again(
    device: str, subject: str, frame: int, subframe: float, rate: Fraction, values: list[float]
) -> None:
    read = decode(encode(Packet(device, subject, frame, subframe, rate, np.array(values, np.float32))))
    assert (read.device_id, read.subject, read.frame, read.subframe, read.rate) == (
        device,
        subject,
        frame,
        subframe,
        rate,
    )
    assert read.values is not None
    assert read.values.tolist() == values


@pytest.mark.parametrize("subframe", [np.nextafter(1.0, 0.0), 0.99999998, np.float64(0.9999999999)])
def test_a_sub_frame_just_under_one_does_not_round_up_to_the_next_frame(subframe: float) -> None:
    assert decode(encode(packet(subframe=subframe))).subframe == pytest.approx(0.99999994, abs=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", ">f4"])
def test_values_of_any_real_kind_are_sent_as_float32(dtype: str) -> None:
    read = decode(encode(packet(values=np.arange(61).astype(dtype))))
    np.testing.assert_equal(read.values, np.arange(61, dtype=np.float32))


REFUSED = {
    "NaN": (dict(values=face(JawOpen=np.nan)), "value 17 is nan"),
    "infinity": (dict(values=face(RightEyeRoll=-np.inf)), "value 60 is -inf"),
    "a float64 beyond float32": (dict(values=np.full(61, 1e39)), "value 0 is inf"),
    "52 values": (dict(values=np.zeros(52, np.float32)), r"shape \(52,\), expected \(61,\)"),
    "a column": (dict(values=np.zeros((1, 61), np.float32)), r"shape \(1, 61\)"),
    "complex values": (dict(values=np.zeros(61, complex)), "complex128, expected 61 floats"),
    "text values": (dict(values=["a"] * 61), "list, expected 61 floats"),
    "ragged values": (dict(values=[[1], [1, 2]]), "list, expected 61 floats"),
    "rate 0": (dict(rate=Fraction(0)), "rate Fraction"),
    "a negative rate": (dict(rate=Fraction(-60)), "rate Fraction"),
    "a rate beyond int32": (dict(rate=Fraction(2**31)), "two int32"),
    "a rate that is a float": (dict(rate=59.94), "rate 59.94"),
    "a negative frame": (dict(frame=-1), "frame -1"),
    "a frame beyond int32": (dict(frame=2**31), "frame 2147483648"),
    "a frame that is a float": (dict(frame=1.5), "frame 1.5"),
    "sub-frame 1": (dict(subframe=1.0), "sub-frame 1.0"),
    "a negative sub-frame": (dict(subframe=-0.01), "sub-frame -0.01"),
    "sub-frame NaN": (dict(subframe=float("nan")), "sub-frame nan"),
    "sub-frame text": (dict(subframe="0"), "sub-frame '0'"),
    "an empty name": (dict(subject=""), "subject name ''"),
    "an empty id": (dict(device_id=""), "device id ''"),
    "a NUL in the name": (dict(subject="Tal\0ker"), "NUL"),
    "a NUL in the id": (dict(device_id="\0"), "NUL"),
    "half a surrogate pair": (dict(subject="\ud800"), "surrogate"),
    "no name": (dict(subject=None), "subject name None"),
    "a name too long": (dict(subject="n" * (MAX_TEXT - 35)), "1017 bytes together"),
    "a name too long in bytes, not characters": (dict(subject="ö" * 491), "1018 bytes together"),
}


def test_encode_refuses() -> None:
    for changed, reason in REFUSED.values():
        with case(changed, reason):
            with pytest.raises(WireError, match=reason) as caught:
                encode(packet(**changed))
            assert "\n" not in str(caught.value)
            assert caught.value.offset >= 0
            assert isinstance(caught.value, BridgeError)


POSE_REFUSED = {
    what: changed for what, (changed, _) in REFUSED.items() if not {"subject", "device_id"} & changed.keys()
}


def by_encoder(encoder: Encoder, made: Packet) -> bytes:
    assert made.values is not None
    return encoder.encode(made.values, made.frame, made.subframe, made.rate)


@pytest.mark.parametrize(("name", "made"), GOLDENS[:3], ids=[name for name, _ in GOLDENS[:3]])
def test_an_encoder_writes_a_golden_packet_byte_for_byte_after_another_one(name: str, made: Packet) -> None:
    encoder = Encoder(made.device_id, made.subject)
    by_encoder(
        encoder,
        packet(frame=2**31 - 1, subframe=0.9, rate=Fraction(24000, 1001), values=face(HeadRoll=1e9, CheekPuff=1)),
    )
    assert by_encoder(encoder, made).hex() == golden(name).hex()


def test_what_an_encoder_gave_does_not_change_with_the_next_pose() -> None:
    encoder = Encoder(ID + "1", "Talker")
    first = by_encoder(encoder, A)
    by_encoder(encoder, packet(frame=1))
    assert first.hex() == golden("A_basic").hex()


def test_an_encoder_holds_weights_to_their_range_and_leaves_angles() -> None:
    values = np.linspace(-3, 3, 61, dtype=np.float32)
    given = values.copy()
    read = decode(by_encoder(Encoder(ID + "1", "Talker"), packet(values=values))).values
    np.testing.assert_array_equal(read, np.concatenate([np.clip(given[:52], 0, 1), given[52:]]))
    np.testing.assert_array_equal(values, given, "the pose is its owner's")


def test_an_encoder_refuses_what_encode_refuses_in_the_same_words() -> None:
    for changed in POSE_REFUSED.values():
        with case(changed):
            with pytest.raises(WireError) as expected:
                encode(packet(**changed))
            encoder = Encoder(ID + "1", "Talker")
            with pytest.raises(WireError) as caught:
                by_encoder(encoder, packet(**changed))
            assert (str(caught.value), caught.value.offset) == (str(expected.value), expected.value.offset)
            assert by_encoder(encoder, A).hex() == golden("A_basic").hex(), "a refused pose leaves nothing behind"


def test_a_value_that_is_not_finite_is_found_wherever_it_is() -> None:
    for index in range(61):
        for bad in [np.nan, np.inf, -np.inf]:
            with case(bad, index):
                values = np.full(61, np.finfo(np.float32).max, np.float32)
                values[index] = bad
                with pytest.raises(WireError, match=f"value {index} is"):
                    encode(packet(values=values))


def test_an_encoder_of_a_name_that_cannot_be_sent_is_not_made() -> None:
    with pytest.raises(WireError, match="NUL"):
        Encoder(ID + "1", "Tal\0ker")


def test_the_longest_allowed_name_fills_unreals_buffer_exactly() -> None:
    longest = packet(subject="n" * (MAX_TEXT - 36))
    assert len(encode(longest)) == MAX_DATAGRAM == 1286
    assert decode(encode(longest)).subject == longest.subject


def test_a_refused_value_is_located_at_its_byte() -> None:
    with pytest.raises(WireError) as caught:
        encode(packet(values=face(JawOpen=np.nan)))
    assert caught.value.offset == 136


def spoiled(at: int, new: bytes) -> bytes:
    raw = bytearray(golden("A_basic"))
    raw[at : at + len(new)] = new
    return bytes(raw)


UNREADABLE = {
    "nothing": (b"", 0, "empty datagram"),
    "version 5": (spoiled(0, b"\x05"), 0, "version 5, expected version 6"),
    "a negative id length": (spoiled(1, b"\xff\xff\xff\xff"), 1, "-1 as the length of the device id"),
    "an id past the end": (spoiled(1, b"\x00\x00\x01\x34"), 1, "308 bytes long, but 307 follow"),
    "a huge name": (spoiled(41, b"\x7f\xff\xff\xff"), 41, "2147483647 bytes long, but 267 follow"),
    "an id that is not UTF-8": (spoiled(7, b"\xff"), 7, "device id is not UTF-8"),
    "a name cut inside a character": (spoiled(50, b"\xc3"), 50, "subject name is not UTF-8"),
    "count 52": (spoiled(67, b"\x34"), 67, "52 values, expected 61"),
    "60 values": (golden("A_basic")[:-4], 68, "240 of their 244 bytes"),
    "version and nothing else": (b"\x06", 1, "ends in the length of the device id"),
    "no time": (golden("A_basic")[:51], 51, "0 of its 16 bytes"),
    "OSC": (b"/arkit/JawOpen\0\0,f\0\0\0\0\0\0", 0, "version 47"),
}


@pytest.mark.parametrize(("raw", "offset", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_decode_says_where_and_why(raw: bytes, offset: int, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        decode(raw)
    assert caught.value.offset == offset
    assert "\n" not in str(caught.value)


def test_every_truncation_is_refused_except_the_one_that_is_header_only() -> None:
    raw = golden("A_basic")
    readable = []
    for length in range(len(raw)):
        try:
            readable.append((length, decode(raw[:length]).values))
        except WireError as error:
            assert error.offset <= length
    assert readable == [(67, None)]


def test_bytes_after_the_last_value_are_ignored_as_unreal_ignores_them() -> None:
    np.testing.assert_equal(decode(golden("A_basic") + b"tail").values, A.values)


def test_an_id_of_any_length_is_read() -> None:
    assert decode(encode(packet(device_id="phone"))).device_id == "phone"


def test_values_a_receiver_should_not_get_are_still_read() -> None:
    read = decode(spoiled(68, struct.pack(">ff", float("nan"), 7.0)))
    assert read.values is not None
    assert np.isnan(read.values[0])
    assert read.values[1] == 7


def reads_or_refuses(raw: bytes) -> None:
    try:
        read = decode(raw)
    except WireError as error:
        assert 0 <= error.offset <= len(raw)
    else:
        assert read.values is None or read.values.shape == (61,)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_wire_error(raw: bytes) -> None:
    reads_or_refuses(raw)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.binary(max_size=400))
def test_no_bytes_after_the_version_raise_anything_but_a_wire_error(raw: bytes) -> None:
    reads_or_refuses(b"\x06" + raw)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.data())
def test_no_damage_to_a_good_packet_raises_anything_but_a_wire_error(data: st.DataObject) -> None:
    raw = bytearray(golden(data.draw(st.sampled_from([name for name, _ in GOLDENS]))))
    for at in data.draw(st.lists(st.integers(0, min(len(raw), 90) - 1), max_size=6)):
        raw[at] = data.draw(st.integers(0, 255))
    reads_or_refuses(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
