import numpy as np
import pytest
from cases import case

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face.phones import CLASSES, VOWELS, Phone
from speech_to_face_lab.corpus import visemes
from speech_to_face_lab.corpus.visemes import STYLES, curves, held, labels, sealed, seen, styled

FRAMES = 90
TONGUE = ("TD", "N", "L", "RR", "KG", "NG", "H")
"""Consonants made behind the teeth: lips do what the vowels around them want."""
SIDES = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


def spoken(*names: str, each: float = 0.1, start: float = 0.3) -> list[Phone]:
    phones = [Phone("SIL", 0, start)] + [
        Phone(n, start + i * each, start + (i + 1) * each) for i, n in enumerate(names)
    ]
    return [*phones, Phone("SIL", phones[-1].end_s, FRAMES / FRAME_RATE)]


def channel(mouth: np.ndarray, name: str) -> np.ndarray:
    return mouth[:, MOUTH_32.index(name)]


def aperture(mouth: np.ndarray) -> np.ndarray:
    lips = channel(mouth, "mouthLowerDownLeft") + channel(mouth, "mouthUpperUpLeft")
    return channel(mouth, "jawOpen") - channel(mouth, "mouthClose") + lips / 2


def middle(phones: list[Phone], name: str) -> slice:
    phone = next(p for p in phones if p.name == name)
    return slice(int(np.ceil((phone.start_s + 0.02) * FRAME_RATE)), int((phone.end_s - 0.02) * FRAME_RATE) + 1)


def alone(name: str) -> np.ndarray:
    """(32,) of a phone that lasts."""
    return curves([Phone(name, 0, 1)], FRAME_RATE)[FRAME_RATE // 2]


def test_lips_are_sealed_on_p_b_m_between_any_vowels():
    for consonant in ["PB", "M"]:
        for vowel in sorted(VOWELS):
            with case(vowel, consonant):
                phones = spoken(vowel, consonant, vowel)
                mouth = curves(phones, FRAMES)
                at = middle(phones, consonant)
                assert np.abs(aperture(mouth)[at]).max() < 0.01
                assert (
                    channel(mouth, "mouthPressLeft")[at].min() > 0.1
                    and channel(mouth, "mouthRollLower")[at].min() > 0.1
                )
                assert aperture(mouth)[middle(phones, vowel)].max() > 0.05


def test_even_a_very_short_b_closes_the_lips_for_two_frames():
    phones = [Phone("AA", 0.3, 0.5), Phone("PB", 0.5, 0.515), Phone("AA", 0.515, 0.8)]
    assert (aperture(curves(phones, FRAMES)) < 0.02)[28:33].sum() >= 2


@pytest.mark.parametrize("vowel", sorted(VOWELS))
def test_the_lower_lip_meets_the_teeth_on_f_between_any_vowels(vowel):
    phones = spoken(vowel, "FV", vowel)
    mouth, at = curves(phones, FRAMES), middle(phones, "FV")
    assert channel(mouth, "mouthRollLower")[at].min() > 0.2 and channel(mouth, "mouthLowerDownLeft")[at].max() < 0.05
    assert channel(mouth, "jawOpen")[at].max() <= 0.105
    assert channel(mouth, "mouthUpperUpLeft")[at].min() > 0.04, "the upper lip stays off it, or it would be a b"


@pytest.mark.parametrize("sibilant", ["S", "SH"])
@pytest.mark.parametrize("vowel", ["AA", "AE", "OW", "IY"])
def test_the_jaw_is_narrow_on_sibilants_and_not_shut(sibilant, vowel):
    phones = spoken(vowel, sibilant, vowel)
    jaw = channel(curves(phones, FRAMES), "jawOpen")
    assert (
        jaw[middle(phones, sibilant)].max() <= visemes._table()["holds"][sibilant]["at_most"]["jawOpen"] + 1e-3 <= 0.105
    )
    assert aperture(curves(phones, FRAMES))[middle(phones, sibilant)].min() > 0.1, "teeth show"


@pytest.mark.parametrize("tongue", TONGUE)
def test_tongue_consonants_leave_the_lips_alone(tongue):
    for vowel, name in (("UW", "mouthPucker"), ("OW", "mouthFunnel"), ("IY", "mouthSmileLeft")):
        phones = spoken(vowel, tongue, vowel)
        lips = channel(curves(phones, FRAMES), name)
        assert lips[middle(phones, tongue)].min() > 0.8 * lips[18:36].max(), name


def test_every_channel_is_used_by_some_class_above_what_counts_as_rest():
    most = np.max([alone(name) for name in CLASSES], axis=0)
    assert {name: value for name, value in zip(MOUTH_32, most, strict=True) if value <= 0.04} == {}


def test_classes_that_sound_alike_look_apart_from_those_that_do_not():
    look = {name: alone(name) for name in CLASSES}

    def value(name, of):
        return look[of][MOUTH_32.index(name)]

    for rounded in ("UW", "YY", "W", "OW"):
        for spread in ("IY", "EH", "S"):
            assert value("mouthPucker", rounded) > value("mouthPucker", spread) + 0.2
            assert value("mouthStretchLeft", spread) > value("mouthStretchLeft", rounded) + 0.1
    assert max(look, key=lambda name: value("jawOpen", name)) == "AA"
    assert all(value("jawOpen", vowel) > value("jawOpen", "M") for vowel in VOWELS)


def test_faces_are_not_quite_even_and_not_crooked():
    for name in [c for c in CLASSES if c != "SIL"]:
        with case(name):
            mouth = dict(zip(MOUTH_32, alone(name), strict=True))
            pairs = [
                (mouth[c], mouth[c.removesuffix("Left") + "Right"])
                for c in MOUTH_32
                if c.endswith("Left") and c not in SIDES
            ]
            for left, right in pairs:
                assert min(left, right) >= 0.85 * max(left, right) - 1e-6
            assert all(mouth[side] <= 0.08 for side in SIDES)


def test_some_pair_is_uneven_and_silence_is_even():
    assert any(abs(alone("IY") - alone("IY")[[MOUTH_32.index(_other(c)) for c in MOUTH_32]]) > 0.01)
    still = curves([Phone("SIL", 0, 2)], FRAMES)
    assert np.abs(np.diff(still, axis=0)).max() < 1e-6 and still.max() <= 0.02


def _other(name: str) -> str:
    return name.replace("Left", "Right") if "Left" in name else name.replace("Right", "Left")


ANTICIPATION = [
    ("AA", "UW", "mouthPucker"),
    ("IY", "OW", "mouthFunnel"),
    ("IH", "AA", "jawOpen"),
    ("UW", "AA", "jawOpen"),
] + [
    ("AA", "IY", "mouthSmileLeft"),
    ("UW", "EH", "mouthStretchLeft"),
    ("AA", "M", "mouthPressLeft"),
    ("UW", "AA", "mouthLowerDownLeft"),
]


@pytest.mark.parametrize(("before", "after", "name"), ANTICIPATION)
def test_no_phone_is_seen_earlier_than_its_groups_time_constant_allows(before, after, name):
    groups = visemes._table()["groups"].values()
    reach = next(g["before_ms"] for g in groups if name.removesuffix("Left") in g["channels"]) / 1000
    moving = channel(curves([Phone(before, 0.0, 0.6), Phone(after, 0.6, 1.2)], 72), name)
    way = (moving - moving[6]) / (moving[60] - moving[6])
    early = {share: 0.6 - float(np.argmax(way > share)) / FRAME_RATE for share in (0.1, 0.25)}
    assert early[0.25] <= reach + 1 / FRAME_RATE and early[0.1] <= 2 * reach + 1 / FRAME_RATE
    assert early[0.1] > 0, "and none is seen only once it is heard"


def test_rounding_does_not_run_ahead_of_the_sound():
    early = Phone("AA", 0.0, 0.6), Phone("UW", 0.6, 1.0)
    pucker = channel(curves(early, FRAMES), "mouthPucker")
    assert pucker[int(0.42 * FRAME_RATE)] < 0.1 * pucker.max()


def test_a_quiet_voice_opens_the_mouth_less():
    phones = spoken("AA", "TD", "AA", each=0.2)
    level = np.full(FRAMES, -20, np.float32)
    level[:36] = -36
    jaw = channel(curves(phones, FRAMES, level), "jawOpen")
    assert jaw[20:30].max() < 0.85 * jaw[45:54].max()


def test_all_values_are_coefficients():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mouth = curves(spoken(*rng.choice(CLASSES, 12), each=float(rng.uniform(0.03, 0.09))), FRAMES)
        assert mouth.shape == (FRAMES, 32) and mouth.dtype == np.float32
        assert mouth.min() >= 0 and mouth.max() <= 1
        assert (channel(mouth, "mouthClose") <= channel(mouth, "jawOpen") + 0.02).all(), (
            "more would push the lips through each other"
        )


def test_labels_and_seals_follow_the_clock():
    phones = [Phone("M", 0.5, 0.6)]
    found = labels(phones, FRAMES)
    assert [CLASSES[i] for i in found[[29, 30, 35, 36]]] == ["SIL", "M", "M", "SIL"]
    assert sealed(phones, FRAMES)[30:36].min() == 1 and sealed(phones, FRAMES)[:27].max() == 0


def test_captured_lips_seal_too_and_keep_what_the_rules_do_not_ask_for():
    captured = np.random.default_rng(0).uniform(0.1, 0.6, (FRAMES, 32)).astype(np.float32)
    phones = [Phone("AA", 0.3, 0.6), Phone("M", 0.6, 0.7), Phone("AA", 0.7, 1.2)]
    mouth = held(captured, phones)
    assert np.abs(aperture(mouth)[middle(phones, "M")]).max() < 0.01
    free = sealed(phones, FRAMES) == 0
    np.testing.assert_array_equal(mouth[free], captured[free])
    funnel = channel(mouth, "mouthFunnel")
    np.testing.assert_array_equal(funnel, channel(captured, "mouthFunnel"))
    assert channel(captured, "jawOpen").max() > 0.5, "held leaves its argument alone"


def test_captured_lips_touch_the_teeth_at_f_and_both_sides_obey():
    captured = np.full((FRAMES, 32), 0.4, np.float32)
    phones = [Phone("FV", 0.5, 0.7)]
    mouth, at = held(captured, phones), middle(phones, "FV")
    for name in ("mouthLowerDownLeft", "mouthLowerDownRight"):
        assert channel(mouth, name)[at].max() <= 0.02 * 1.03 + 1e-6
    assert channel(mouth, "jawOpen")[at].max() <= 0.1 + 1e-6 and channel(mouth, "mouthRollLower")[at].min() >= 0.28


@pytest.mark.parametrize("style", STYLES)
def test_every_style_keeps_a_seal_sealed(style):
    phones = spoken("AA", "M", "AA")
    mouth = styled(curves(phones, FRAMES), style)
    assert aperture(mouth)[middle(phones, "M")].max() < 0.02


def test_styles_differ_and_neutral_changes_nothing():
    mouth = curves(spoken("AA", "IY", "UW"), FRAMES)
    np.testing.assert_array_equal(styled(mouth, "neutral"), mouth)
    assert styled(mouth, "subtle").max() < mouth.max() < styled(mouth, "broad").max()
    smiling = styled(mouth, "smiling") - mouth
    assert channel(smiling, "mouthSmileLeft").min() > 0.1 and channel(smiling, "jawOpen").max() == 0


def test_no_phones_are_a_neutral_face():
    assert not curves([], 5).any()


def test_the_lips_open_with_the_burst_before_the_stop_has_ended():
    phones = [Phone("AA", 0.0, 0.4), Phone("PB", 0.4, 0.5), Phone("AA", 0.5, 1.0)]
    assert [(p.name, round(p.end_s, 3)) for p in seen(phones)] == [("AA", 0.4), ("PB", 0.47), ("AA", 1.0)]
    assert [p.start_s for p in seen(phones)[1:]] == [p.end_s for p in seen(phones)[:-1]], "no gap is left"


def test_after_a_pause_the_lips_close_before_anything_is_heard():
    phones = [Phone("SIL", 0.0, 0.5), Phone("PB", 0.5, 0.6), Phone("AA", 0.6, 1.0)]
    assert [round(p.end_s, 3) for p in seen(phones)] == [0.46, 0.57, 1.0]
    short = [Phone("AA", 0.0, 0.45), Phone("SIL", 0.45, 0.5), Phone("PB", 0.5, 0.6)]
    assert [round(p.end_s, 3) for p in seen(short)] == [0.45, 0.475, 0.6], (
        "at most half of the pause, and no burst before a rest"
    )


def test_phones_that_are_no_stops_are_seen_when_they_are_heard():
    phones = [Phone(name, i * 0.1, (i + 1) * 0.1) for i, name in enumerate(["SIL", "M", "AA", "S", "FV", "IY"])]
    assert seen(phones) == phones
