import math

import pytest
import torch

from speech_to_face.networks.pmmtalk.paper.mel import TalkingMel, slaney_bands, spans


def test_there_are_80_frames_a_second_and_digital_silence_is_the_lowest_value():
    mel = TalkingMel()(torch.zeros(1, 16_000))
    assert mel.shape == (1, 80, 81)
    assert mel.unique().tolist() == [-4.0]


def test_a_tone_is_loudest_in_the_band_around_it_and_a_tenth_of_it_20_decibels_less():
    time = torch.arange(16_000) / 16_000
    tone = 0.05 * torch.sin(2 * math.pi * 1000 * time)[None]
    mel = TalkingMel()
    loud, quiet = mel(tone)[0, :, 40], mel(tone / 10)[0, :, 40]
    centres = (slaney_bands() * torch.linspace(0, 8000, 401)).sum(1) / slaney_bands().sum(1)
    assert abs(centres[loud.argmax()] - 1000) < 60
    assert (loud - quiet)[loud.argmax()] == pytest.approx(20 * 8 / 100, abs=1e-3)


def test_one_value_by_hand_from_a_discrete_fourier_transform():
    torch.manual_seed(0)
    samples = 0.1 * torch.randn(1, 4000)
    emphasised = samples[0].clone()
    emphasised[1:] -= 0.97 * samples[0, :-1]
    piece = emphasised[1600:2400] * torch.hann_window(800)
    size = torch.fft.rfft(piece).abs()
    decibels = 20 * torch.log10(slaney_bands() @ size) - 20
    wanted = (8 * (decibels + 100) / 100 - 4).clamp(-4, 4)
    torch.testing.assert_close(TalkingMel()(samples)[0, :, 10], wanted, atol=1e-4, rtol=1e-4)


def test_bands_are_triangles_of_unit_area_between_55_and_7600_hz():
    bands, bins = slaney_bands(), torch.linspace(0, 8000, 401)
    assert bands.shape == (80, 401)
    reached = bins[(bands > 0).any(0)]
    assert 55 <= reached.min() and reached.max() <= 7600
    assert bands[60].sum() * 20 == pytest.approx(1, rel=0.02)


def test_a_picture_hears_sixteen_mel_frames_from_its_own_time_and_the_last_ones_share_the_end():
    mel = torch.arange(81.0).expand(1, 80, 81)
    heard = spans(mel, 30, 30)
    assert heard.shape == (1, 30, 80, 16)
    for frame in range(30):
        first = min(frame * 80 // 30, 81 - 16)
        assert heard[0, frame, 7].tolist() == list(range(first, first + 16))


def test_sound_shorter_than_a_span_is_heard_with_silence_behind_it():
    assert spans(TalkingMel()(0.1 * torch.ones(2, 300)), 1, 30).shape == (2, 1, 80, 16)
