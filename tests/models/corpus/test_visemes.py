import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from models.corpus.phones import CLASSES, VOWELS, Phone
from models.corpus.visemes import RATE, STYLES, curves, labels, sealed, styled

FRAMES = 90


def spoken(*names: str, each: float = 0.1, start: float = 0.3) -> list[Phone]:
    phones = [Phone("SIL", 0, start)] + [Phone(n, start + i * each, start + (i + 1) * each) for i, n in enumerate(names)]
    return [*phones, Phone("SIL", phones[-1].end_s, FRAMES / RATE)]


def channel(mouth: np.ndarray, name: str) -> np.ndarray:
    return mouth[:, MOUTH_32.index(name)]


def aperture(mouth: np.ndarray) -> np.ndarray:
    lips = channel(mouth, "mouthLowerDownLeft") + channel(mouth, "mouthUpperUpLeft")
    return channel(mouth, "jawOpen") - channel(mouth, "mouthClose") + lips / 2


def middle(phones: list[Phone], name: str) -> slice:
    phone = next(p for p in phones if p.name == name)
    return slice(int(np.ceil((phone.start_s + 0.02) * RATE)), int((phone.end_s - 0.02) * RATE) + 1)


@pytest.mark.parametrize("vowel", sorted(VOWELS))
@pytest.mark.parametrize("consonant", ["PB", "M"])
def test_lips_are_sealed_on_p_b_m_between_any_vowels(vowel, consonant):
    phones = spoken(vowel, consonant, vowel)
    mouth = curves(phones, FRAMES)
    assert np.abs(aperture(mouth)[middle(phones, consonant)]).max() < 0.01
    assert aperture(mouth)[middle(phones, vowel)].max() > 0.05


def test_even_a_very_short_b_closes_the_lips_for_two_frames():
    phones = [Phone("AA", 0.3, 0.5), Phone("PB", 0.5, 0.515), Phone("AA", 0.515, 0.8)]
    assert (aperture(curves(phones, FRAMES)) < 0.02)[28:33].sum() >= 2


def test_the_lower_lip_meets_the_teeth_on_f_and_the_jaw_is_narrow_on_s():
    phones = spoken("AA", "FV", "AA")
    mouth = curves(phones, FRAMES)
    at = middle(phones, "FV")
    assert channel(mouth, "mouthRollLower")[at].min() > 0.25 and channel(mouth, "mouthLowerDownLeft")[at].max() < 0.05
    phones = spoken("AA", "S", "AA")
    assert channel(curves(phones, FRAMES), "jawOpen")[middle(phones, "S")].max() <= 0.065


def test_tongue_consonants_leave_rounded_lips_alone():
    phones = spoken("UW", "TD", "UW")
    pucker = channel(curves(phones, FRAMES), "mouthPucker")
    assert pucker[middle(phones, "TD")].min() > 0.85 * pucker.max()


def test_rounding_does_not_begin_before_what_the_look_ahead_can_know():
    early = Phone("AA", 0.0, 0.6), Phone("UW", 0.6, 1.0)
    pucker = channel(curves(early, FRAMES), "mouthPucker")
    assert pucker[int(0.42 * RATE)] < 0.1 * pucker.max()


def test_a_quiet_voice_opens_the_mouth_less():
    phones = spoken("AA", "TD", "AA", each=0.2)
    level = np.full(FRAMES, -20, np.float32)
    level[:36] = -32
    jaw = channel(curves(phones, FRAMES, level), "jawOpen")
    assert jaw[20:30].max() < 0.75 * jaw[45:54].max()


def test_left_equals_right_and_silence_is_still():
    mouth = curves(spoken("AA", "W", "IY", "SH"), FRAMES)
    for name in MOUTH_32:
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            np.testing.assert_array_equal(channel(mouth, name), channel(mouth, name.removesuffix("Left") + "Right"))
    assert np.abs(np.diff(curves([Phone("SIL", 0, 2)], FRAMES), axis=0)).max() < 1e-6


def test_all_values_are_coefficients():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mouth = curves(spoken(*rng.choice(CLASSES, 12), each=float(rng.uniform(0.03, 0.09))), FRAMES)
        assert mouth.shape == (FRAMES, 32) and mouth.dtype == np.float32
        assert mouth.min() >= 0 and mouth.max() <= 1
        assert (channel(mouth, "mouthClose") <= channel(mouth, "jawOpen") + 0.02).all(), "more would push the lips through each other"


def test_labels_and_seals_follow_the_clock():
    phones = [Phone("M", 0.5, 0.6)]
    found = labels(phones, FRAMES)
    assert [CLASSES[i] for i in found[[29, 30, 35, 36]]] == ["SIL", "M", "M", "SIL"]
    assert sealed(phones, FRAMES)[30:36].min() == 1 and sealed(phones, FRAMES)[:27].max() == 0


@pytest.mark.parametrize("style", STYLES)
def test_every_style_keeps_a_seal_sealed(style):
    phones = spoken("AA", "M", "AA")
    mouth = styled(curves(phones, FRAMES), style)
    assert aperture(mouth)[middle(phones, "M")].max() < 0.02


def test_no_phones_are_a_neutral_face():
    assert not curves([], 5).any()
