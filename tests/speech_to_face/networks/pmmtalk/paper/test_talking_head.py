import torch

from speech_to_face.networks.pmmtalk.paper.talking_head import TOGETHER, TalkingHead


def head() -> TalkingHead:
    torch.manual_seed(0)
    return TalkingHead(2).eval()


@torch.inference_mode()
def test_it_draws_a_picture_a_frame_over_features_of_every_size():
    talking = head()
    identity = talking.identity(torch.rand(1, 3, 96, 96))
    widths, sides = (2, 4, 8, 16, 32, 64, 64), (96, 48, 24, 12, 6, 3, 1)
    assert [kept.shape for kept in identity] == [
        (1, width, side, side) for width, side in zip(widths, sides, strict=True)
    ]
    drawn = talking(torch.randn(1, 4000), 7, 30, identity)
    assert drawn.shape == (1, 7, 3, 96, 96)
    assert 0 <= drawn.min() and drawn.max() <= 1


@torch.inference_mode()
def test_the_identity_sees_the_upper_half_twice_and_the_lower_half_once_with_blue_first():
    talking, picture = head(), torch.rand(1, 3, 96, 96)
    seen = []
    talking.face_encoder_blocks[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    talking.identity(picture)
    assert torch.equal(seen[0][:, 3:], picture[:, [2, 1, 0]])
    assert torch.equal(seen[0][:, :3, :48], picture[:, [2, 1, 0], :48])
    assert not seen[0][:, :3, 48:].any()


@torch.inference_mode()
def test_pictures_drawn_in_parts_are_those_drawn_one_by_one():
    talking, frames = head(), TOGETHER + 3
    identity, samples = talking.identity(torch.rand(1, 3, 96, 96)), torch.randn(1, 24_000)
    drawn = talking(samples, frames, 30, identity)
    mel = talking.mel(samples)
    for frame in (0, TOGETHER - 1, TOGETHER, frames - 1):
        first = frame * 80 // 30
        alone = talking._drawn(mel[:, None, :, first : first + 16], identity)
        torch.testing.assert_close(drawn[:, frame], alone[:, 0], atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_another_face_and_other_sound_each_draw_another_picture():
    talking = head()
    one, two = (talking.identity(torch.rand(1, 3, 96, 96)) for _ in range(2))
    sound = torch.randn(1, 4000)
    assert not torch.equal(talking(sound, 2, 30, one), talking(sound, 2, 30, two))
    assert not torch.equal(talking(sound, 2, 30, one), talking(0.01 * sound, 2, 30, one))


def test_the_parameters_have_the_public_weights_names_and_at_full_width_their_number():
    with torch.device("meta"):
        state = TalkingHead(16).state_dict()
    wanted = {
        "face_encoder_blocks.0.0.conv_block.0.weight": (16, 6, 7, 7),
        "face_encoder_blocks.2.3.conv_block.1.running_mean": (64,),
        "face_encoder_blocks.6.1.conv_block.0.weight": (512, 512, 1, 1),
        "audio_encoder.12.conv_block.0.weight": (512, 512, 1, 1),
        "face_decoder_blocks.0.0.conv_block.0.bias": (512,),
        "face_decoder_blocks.1.0.conv_block.0.weight": (1024, 512, 3, 3),
        "face_decoder_blocks.6.0.conv_block.0.weight": (160, 64, 3, 3),
        "face_decoder_blocks.6.2.conv_block.1.num_batches_tracked": (),
        "output_block.0.conv_block.0.weight": (32, 80, 3, 3),
        "output_block.1.weight": (3, 32, 1, 1),
    }
    assert {key: tuple(state[key].shape) for key in wanted} == wanted
    with torch.device("meta"):
        assert sum(p.numel() for p in TalkingHead(16).parameters()) == 36_298_035
