"""iFacialMocap text: the protocol page's own example, texts worked out by hand, and everything that can go wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping import CHANNELS_61
from livelink_bridge.errors import WireError
from livelink_bridge.wire.ifacialmocap import HANDSHAKE, HANDSHAKE_V2, NAMES, Version, decode, encode, read_handshake

PAGE_EXAMPLE = (
    b"mouthSmile_R-0|eyeLookOut_L-0|mouthUpperUp_L-11|eyeWide_R-0|mouthClose-8|mouthPucker-4|mouthRollLower-9|eyeBlink_R-7|"
    b"eyeLookDown_L-17|cheekSquint_R-11|eyeBlink_L-7|tongueOut-0|jawRight-0|eyeLookIn_R-6|cheekSquint_L-11|mouthDimple_L-10|"
    b"mouthPress_L-4|eyeSquint_L-11|mouthRight-0|mouthShrugLower-9|eyeLookUp_R-0|eyeLookOut_R-0|mouthPress_R-5|cheekPuff-2|"
    b"jawForward-11|mouthLowerDown_L-9|mouthFrown_L-6|mouthShrugUpper-26|browOuterUp_L-4|browInnerUp-20|mouthDimple_R-10|"
    b"browDown_R-0|mouthUpperUp_R-10|mouthRollUpper-8|mouthFunnel-12|mouthStretch_R-21|mouthFrown_R-13|eyeLookDown_R-17|"
    b"jawOpen-12|jawLeft-0|browDown_L-0|mouthSmile_L-0|noseSneer_R-18|mouthLowerDown_R-8|noseSneer_L-21|eyeWide_L-0|"
    b"mouthStretch_L-21|browOuterUp_R-4|eyeLookIn_L-4|eyeSquint_R-11|eyeLookUp_L-0|mouthLeft-1|"
    b"=head#-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|"
    b"rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
)
"""What https://www.ifacialmocap.com/for-developer/ shows as one frame."""

BOTH: tuple[Version, ...] = (1, 2)


def face(**named: float) -> np.ndarray:
    values = np.zeros(61, np.float32)
    for name, value in named.items():
        values[CHANNELS_61.index(name)] = value
    return values


def as_a_receiver_reads(text: bytes, separator: str) -> tuple[dict[str, int], dict[str, list[float]]]:
    """Shapes and bones by the protocol's description alone; shares no code with the encoder."""
    shapes, _, bones = text.decode().partition("=")
    weights = {name: int(number) for name, number in (part.split(separator) for part in shapes.strip("|").split("|"))}
    listed = (part.split("#") for part in bones.strip("|").split("|"))
    return weights, {name: [float(number) for number in numbers.split(",")] for name, numbers in listed}


def test_the_pages_example_is_decoded_to_what_it_says() -> None:
    read = decode(PAGE_EXAMPLE)
    values = dict(zip(CHANNELS_61, read.values.tolist(), strict=True))
    assert (read.version, read.values.dtype, read.values.shape) == (1, np.float32, (61,))
    assert values["MouthShrugUpper"] == pytest.approx(0.26)
    assert values["MouthLeft"] == pytest.approx(0.01)
    assert values["EyeLookDownLeft"] == pytest.approx(0.17)
    assert np.rad2deg(values["HeadPitch"]) == pytest.approx(-21.488958, rel=1e-6)
    assert read.position == (-0.030653415, -0.10287084, -0.6584072)


def test_eyes_of_the_pages_example_turn_as_their_shapes_say_by_live_links_signs() -> None:
    """They look down (0.17) and in (0.06 right, 0.04 left): Live Link's pitch is positive, LeftEyeYaw too, RightEyeYaw
    negative."""
    values = dict(zip(CHANNELS_61, decode(PAGE_EXAMPLE).values.tolist(), strict=True))
    assert values["LeftEyePitch"] == pytest.approx(0.62 * 0.17, rel=0.05)
    assert values["RightEyePitch"] == pytest.approx(0.62 * 0.17, rel=0.05)
    assert values["LeftEyeYaw"] > 0 > values["RightEyeYaw"]


def test_our_names_are_those_of_the_pages_example() -> None:
    assert set(NAMES) == set(as_a_receiver_reads(PAGE_EXAMPLE, "-")[0])
    assert len(set(NAMES)) == 52


@pytest.mark.parametrize(("version", "separator"), [(1, "-"), (2, "&")])
def test_every_shape_and_the_head_are_in_each_text(version: Version, separator: str) -> None:
    text = encode(np.zeros(61, np.float32), version)
    weights, bones = as_a_receiver_reads(text, separator)
    assert weights == dict.fromkeys(as_a_receiver_reads(PAGE_EXAMPLE, "-")[0], 0)
    assert {name: len(listed) for name, listed in bones.items()} == {"head": 6, "rightEye": 3, "leftEye": 3}
    assert text.endswith(b"|")


def test_a_text_is_what_was_worked_out_by_hand() -> None:
    pose = face(
        EyeBlinkLeft=0.07,
        JawLeft=0.155,
        MouthRight=1.0,
        TongueOut=0.004,
        HeadYaw=np.pi / 6,
        HeadPitch=-np.pi / 4,
        HeadRoll=np.pi / 180,
        RightEyeYaw=-np.pi / 90,
        LeftEyePitch=np.pi / 36,
    )
    text = encode(pose).decode()
    assert text.startswith("eyeBlink_L-7|eyeLookDown_L-0|eyeLookIn_L-0|")
    shapes, _, bones = text.partition("=")
    assert "|jawLeft-16|jawRight-0|" in shapes
    assert "|mouthLeft-0|mouthRight-100|mouthSmile_L-0|" in shapes
    assert shapes.endswith("|tongueOut-0|")
    assert bones == (
        "head#-45.0000,-30.0000,-1.0000,0,0,0|rightEye#0.0000,2.0000,-0.0000|leftEye#5.0000,-0.0000,-0.0000|"
    )  # x is the pitch, y the yaw turned round, z the roll turned round


@pytest.mark.parametrize(
    ("weight", "written"), [(-0.5, "0"), (0.0, "0"), (0.006, "1"), (0.994, "99"), (1.0, "100"), (7.0, "100")]
)
@pytest.mark.parametrize("version", BOTH)
def test_weights_are_whole_numbers_from_0_to_100(weight: float, written: str, version: Version) -> None:
    assert re.search(rb"jawOpen[-&](\d+)\|", encode(face(JawOpen=weight), version)).group(1).decode() == written  # type: ignore[union-attr]


@settings(deadline=None, max_examples=50)  # a loaded machine is no failure; lists of 61 are slow to draw
@given(
    weights=st.lists(st.integers(0, 100), min_size=52, max_size=52),
    angles=st.lists(st.floats(-3, 3, width=32), min_size=9, max_size=9),
    version=st.sampled_from(BOTH),
)
def test_what_is_encoded_is_decoded_again(weights: list[int], angles: list[float], version: Version) -> None:
    values = np.array([weight / 100 for weight in weights] + angles, np.float32)
    text = encode(values, version)
    assert len(text) < 1024, "receivers are known that read no more"
    read = decode(text)
    assert read.version == version
    np.testing.assert_allclose(read.values, values, atol=1e-6 + 2e-6)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros(52), r"shape \(52,\)"),
        (face(JawOpen=np.nan), "value 17 is nan"),
        (face(HeadYaw=np.inf), "value 52 is inf"),
    ],
)
def test_encode_refuses(values: np.ndarray, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        encode(values)


def test_other_apps_spellings_and_additions_are_read() -> None:
    read = decode(b"trackingStatus&1|mouthSmileLeft&50|FM_SAD&10|noise|jawOpen&25.5|=head#0,0,0,1,2,3|\r\n\0")
    np.testing.assert_allclose(read.values, face(MouthSmileLeft=0.5, JawOpen=0.255), atol=1e-7)
    assert read.position == (1, 2, 3)


def test_a_negative_number_of_version_2_is_read() -> None:
    np.testing.assert_allclose(decode(b"jawOpen&-5|=head#0,0,0,0,0,0|").values, face(JawOpen=-0.05), atol=1e-7)


HEAD = b"=head#0,0,0,0,0,0|"

UNREADABLE = {
    "nothing": (b"", 0, "text was truncated"),
    "a handshake": (HANDSHAKE, 51, "text was truncated"),
    "no head": (b"jawOpen-5|=rightEye#0,0,0|", 26, "no head#"),
    "a head of three": (b"jawOpen-5|=head#0,0,0|", 16, "head has 3 numbers, expected 6"),
    "no known shape": (b"jawOpened-5|" + HEAD, 0, "no known shape"),
    "a word for a number": (b"jawOpen-wide|" + HEAD, 8, "got 'wide', expected a number"),
    "NaN": (b"jawOpen-nan|" + HEAD, 8, "got 'nan'"),
    "Python's own way with numbers": (b"jawOpen-1_0|" + HEAD, 8, "got '1_0'"),
    "beyond sense": (b"jawOpen-1e9|" + HEAD, 8, "got '1e9'"),
    "beyond a float": (b"jawOpen-1e999|" + HEAD, 8, "got '1e999'"),
    "not ASCII": (b"jawOpen-5|\xff", 10, "byte 0xff"),
    "too long": (b"jawOpen-5|" * 900 + HEAD, 8192, "9018 bytes, expected a text of at most 8192"),
    "an eye of one": (b"jawOpen-5|" + HEAD + b"leftEye#0|", 36, "leftEye has 1 numbers, expected 3"),
}


@pytest.mark.parametrize(("raw", "offset", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_decode_says_where_and_why(raw: bytes, offset: int, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        decode(raw)
    assert caught.value.offset == offset
    assert "\n" not in str(caught.value)


def reads_or_refuses(raw: bytes) -> None:
    try:
        read = decode(raw)
    except WireError as error:
        assert 0 <= error.offset <= len(raw)
    else:
        assert read.values.shape == (61,)
        assert np.isfinite(read.values).all()


@settings(deadline=None)  # a loaded machine is no failure
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_wire_error(raw: bytes) -> None:
    reads_or_refuses(raw)
    try:
        read_handshake(raw)
    except WireError:
        pass


@settings(deadline=None)  # a loaded machine is no failure
@given(st.data())
def test_no_damage_to_a_good_text_raises_anything_but_a_wire_error(data: st.DataObject) -> None:
    raw = bytearray(encode(np.linspace(0, 1, 61), data.draw(st.sampled_from(BOTH))))
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=6)):
        raw[at] = data.draw(st.integers(0, 255) | st.sampled_from(b"|-&=#,.0e"))
    reads_or_refuses(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


@pytest.mark.parametrize(
    ("raw", "version"), [(HANDSHAKE, 1), (HANDSHAKE_V2, 2), (HANDSHAKE + b"\r\n", 1), (HANDSHAKE_V2 + b"\0", 2)]
)
def test_a_handshake_says_which_version_is_wanted(raw: bytes, version: Version) -> None:
    assert read_handshake(raw) == version


def test_the_handshakes_are_the_protocols() -> None:
    assert HANDSHAKE_V2 == b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "expected an iFacialMocap handshake"),
        (HANDSHAKE + b"|sendDataVersion=v3", "expected an iFacialMocap handshake"),
        (HANDSHAKE[:-1], "expected an iFacialMocap handshake"),
        (b"iFacialMocap_UDPTCP_sahuasouryya9218sauhuiayeta91555dy3719", "a handshake for TCP"),
        (PAGE_EXAMPLE, "expected an iFacialMocap handshake"),
        (HANDSHAKE * 1000, "expected an iFacialMocap handshake"),
    ],
)
def test_what_is_no_handshake_is_refused_in_one_short_line(raw: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        read_handshake(raw)
    assert len(str(caught.value)) < 200
