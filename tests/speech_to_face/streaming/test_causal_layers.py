import pytest
import torch

from speech_to_face.streaming.causal_layers import BiasedCausalAttention, CausalBlock, periodic_positions


@pytest.fixture(params=[(3, 1), (3, 4), (5, 2), (1, 1)], ids=lambda shape: f"kernel {shape[0]}, dilation {shape[1]}")
def layer(request):
    torch.manual_seed(0)
    return CausalBlock(6, *request.param)


def start(layer, batch=2):
    return torch.zeros(batch, *layer.state_shape)


@pytest.mark.parametrize("sizes", [(1,) * 40, (3, 7, 30), (39, 1)], ids=["steps", "uneven", "block and step"])
def test_splitting_the_sequence_anywhere_gives_the_same_output(layer, sizes):
    x = torch.randn(2, 40, 6)
    whole, _ = layer(x, start(layer))
    state, parts = start(layer), []
    for part in x.split(sizes, 1):
        y, state = layer(part, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-6, rtol=0)


def test_the_output_for_a_prefix_is_the_prefix_of_the_output(layer):
    x = torch.randn(2, 40, 6)
    torch.testing.assert_close(layer(x[:, :17], start(layer))[0], layer(x, start(layer))[0][:, :17], atol=1e-6, rtol=0)


def test_the_block_is_a_dense_convolution_rectified_added_and_normalised(layer):
    x = torch.randn(2, 20, 6)
    kernel = layer.taps.weight.reshape(6, layer.kernel, 6).permute(0, 2, 1)
    padded = torch.cat([start(layer), x], 1).transpose(1, 2)
    mixed = torch.nn.functional.conv1d(padded, kernel, layer.taps.bias, dilation=layer.dilation).transpose(1, 2)
    torch.testing.assert_close(layer(x, start(layer))[0], layer.norm(x + mixed.relu()), atol=1e-6, rtol=1e-5)


def test_the_block_hears_exactly_its_state_and_now():
    torch.manual_seed(0)
    layer, x = CausalBlock(4, 3, 5), torch.randn(1, 30, 4, requires_grad=True)
    layer(x, start(layer, 1))[0][0, 25, 0].backward()
    assert torch.where(x.grad[0].abs().sum(-1) > 0)[0].tolist() == [15, 20, 25]
    assert layer.state_shape == (10, 4)


def attend(layer, x, sizes):
    state, clock, parts = torch.zeros(x.shape[0], *layer.state_shape), 0, []
    for part in x.split(sizes, 1):
        y, state = layer(part, state, torch.tensor(min(clock, layer.window - 1)))
        parts.append(y)
        clock += part.shape[1]
    return torch.cat(parts, 1)


def reference_attention(layer, x):
    """The formula, frame by frame: softmax over the last `window` frames of score minus slope * distance / 8."""
    q, k, v = (layer._split(part)[0] for part in layer.qkv(x).chunk(3, -1))
    rows = []
    for t in range(x.shape[1]):
        first = max(0, t - layer.window + 1)
        distance = t - torch.arange(first, t + 1)
        score = (q[:, t : t + 1] @ k[:, first : t + 1].transpose(1, 2))[:, 0] / q.shape[2] ** 0.5
        weight = torch.softmax(score - layer.slopes[:, 0] * distance / 8, -1)
        rows.append((weight[:, None] @ v[:, first : t + 1])[:, 0].flatten())
    return layer.out(torch.stack(rows))[None]


@pytest.mark.parametrize("sizes", [30, 1, 7], ids=["whole", "steps", "blocks"])
def test_attention_sees_only_real_frames_of_its_window_however_it_is_split(sizes):
    torch.manual_seed(0)
    layer, x = BiasedCausalAttention(8, 2, window=10), torch.randn(1, 30, 8)
    torch.testing.assert_close(attend(layer, x, sizes), reference_attention(layer, x), atol=1e-6, rtol=1e-5)


def test_positions_repeat_by_the_period_only_through_their_index():
    table = periodic_positions(60, 8)
    assert table.shape == (60, 8) and table[0].tolist() == [0, 1] * 4
    assert torch.unique(table, dim=0).shape[0] == 60
