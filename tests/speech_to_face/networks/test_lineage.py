import math

import pytest
import torch

from speech_to_face.networks.lineage import LineageLayer, biased_causal_mask, repeating_positions, slopes


def test_positions_are_sines_and_cosines_that_start_anew_every_period():
    table = repeating_positions(11, period=4, width=6)
    assert table.shape == (11, 6)
    for frame in range(11):
        for pair in range(3):
            angle = (frame % 4) / 10_000 ** (2 * pair / 6)
            assert table[frame, 2 * pair] == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[frame, 2 * pair + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_positions_have_no_longest_recording_and_may_never_repeat():
    assert repeating_positions(1000, period=30, width=8).shape == (1000, 8)
    once = repeating_positions(50, period=50, width=8)
    assert torch.unique(once, dim=0).shape == (50, 8)


def test_slopes_are_those_of_faceformer_for_four_heads_and_filled_up_for_other_numbers():
    assert slopes(4) == [1 / 4, 1 / 16, 1 / 64, 1 / 256]
    assert slopes(8) == [2.0**-n for n in range(1, 9)]
    assert slopes(6) == [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8]


def test_the_mask_costs_a_slope_for_every_whole_period_and_walls_off_the_future():
    mask = biased_causal_mask(9, heads=4, period=3)
    for head, slope in enumerate([1 / 4, 1 / 16, 1 / 64, 1 / 256]):
        for i in range(9):
            for j in range(9):
                wanted = -slope * ((i - j) // 3) if j <= i else -math.inf
                assert mask[head, i, j].item() == wanted


def test_the_mask_is_made_for_more_frames_than_any_table():
    mask = biased_causal_mask(700, heads=4, period=30)
    assert mask.shape == (4, 700, 700)
    assert mask[0, 699, 0].item() == -0.25 * (699 // 30)


def test_a_layer_is_attention_and_feed_forward_each_added_and_normalised():
    torch.manual_seed(0)
    layer, x = LineageLayer(8, 2, 12, dropout=0.5).eval(), torch.randn(2, 5, 8)
    mask = biased_causal_mask(5, 2, 2)
    q, k, v = layer.qkv(x).chunk(3, -1)
    heads = []
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        scores = q[..., part] @ k[..., part].transpose(1, 2) / 2 + mask[head]
        heads.append(torch.softmax(scores, -1) @ v[..., part])
    middle = layer.norm1(x + layer.out_proj(torch.cat(heads, -1)))
    wanted = layer.norm2(middle + layer.linear2(torch.relu(layer.linear1(middle))))
    torch.testing.assert_close(layer(x, mask), wanted)


def test_a_frame_of_a_layer_does_not_change_when_later_frames_do():
    torch.manual_seed(0)
    layer, x = LineageLayer(8, 2, 12, dropout=0.0), torch.randn(1, 9, 8)
    other = x.clone()
    other[:, 6:] += 1
    before, after = (layer(one, biased_causal_mask(9, 2, 3)) for one in (x, other))
    assert torch.equal(before[:, :6], after[:, :6])
    assert not torch.equal(before[:, 6], after[:, 6])


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="width of 10 for 4 heads"):
        LineageLayer(10, 4, 8, 0.0)
