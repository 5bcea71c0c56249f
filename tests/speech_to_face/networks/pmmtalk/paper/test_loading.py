import numpy as np
import pytest
import torch
from paper_pmmtalk import tiny_config, tiny_network, write
from PIL import Image
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.config_file import save_config
from speech_to_face.loading import load_model, load_voices
from speech_to_face.networks.pmmtalk.paper.loading import begin_from, load
from speech_to_face.styles import VoiceChoice

SOUND = (0.1 * np.random.default_rng(0).standard_normal(8_000)).astype(np.float32)


@pytest.fixture
def portrait(tmp_path):
    path = tmp_path / "face.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 96, 3), dtype=np.uint8)).save(path)
    return path


def test_a_folder_becomes_a_model_of_30_frames_a_second_live_as_on_whole_recordings(folder):
    model = load(folder, "cpu", [VoiceChoice()], tongue=False, block_threads=None)[0]
    assert isinstance(model, SpeechToFace)
    assert (model.frame_rate, len(model.channels)) == (30, 32)
    whole, stream = model.animate(SOUND), model.stream()
    live = np.concatenate([*(stream.push(part) for part in np.split(SOUND, [1, 900, 4001])), stream.flush()])
    assert whole.shape == (15, 32)
    assert whole.std(0).max() > 1e-4
    np.testing.assert_allclose(live, whole, atol=1e-5)


def test_voices_share_the_weights_and_differ_by_style_and_face(folder, portrait):
    voices = [VoiceChoice(), VoiceChoice(style="anna"), VoiceChoice(reference=portrait)]
    plain, styled, faced = (model.animate(SOUND) for model in load_voices(str(folder), "cpu", voices))
    assert np.abs(plain - styled).max() > 1e-5
    assert np.abs(plain - faced).max() > 1e-7
    np.testing.assert_array_equal(plain, load_model(str(folder), "cpu").animate(SOUND))


def test_a_tongue_and_a_picture_that_is_none_are_refused(folder, tmp_path):
    with pytest.raises(ModelError, match="does not recognize phones"):
        load_model(str(folder), "cpu", tongue=True)
    with pytest.raises(ModelError, match="no such file"):
        load_model(str(folder), "cpu", reference=tmp_path / "nobody.png")


def test_a_folder_of_one_part_drives_no_face(tmp_path):
    part(tmp_path, tiny_network(), ("psi_HG",))
    with pytest.raises(ModelError, match="holds psi_HG of PMMTalk alone, not psi_AE; train a whole one from it first"):
        load_model(str(tmp_path), "cpu")


def test_an_unknown_word_in_the_config_is_one_line(folder, tmp_path):
    write(tiny_network(), tmp_path)
    config = tmp_path / checkpoint.CONFIG
    config.write_text(config.read_text().replace("reduction: sum", "reduction: most"))
    checkpoint.write_sums(tmp_path)
    with pytest.raises(ModelError, match="reduction: got 'most', expected one of sum, mean"):
        load_model(str(tmp_path), "cpu")


def part(place, network, parts, **changes):
    save_config(tiny_config(parts=parts, **changes), place / checkpoint.CONFIG)
    tensors = {
        key: value.contiguous()
        for key, value in network.state_dict().items()
        if key.startswith(tuple(f"{p}." for p in parts))
    }
    save_file(tensors, place / checkpoint.WEIGHTS)
    checkpoint.write_sums(place)
    return place


def test_training_begins_from_folders_of_single_parts(tmp_path):
    network, donor = tiny_network(0), tiny_network(1)
    folders = [tmp_path / name for name in ("xlsr", "zh", "wav2lip")]
    for place, parts in zip(folders, [("psi_AE", "psi_AD"), ("psi_AE", "psi_TD"), ("psi_HG",)], strict=True):
        place.mkdir()
        part(place, donor, parts)
    own = network.state_dict()["psi_IE.convs.0.0.weight"].clone()
    assert begin_from(network, folders) == ("psi_AE", "psi_AD", "psi_TD", "psi_HG")
    wanted = donor.state_dict()
    for key, value in network.state_dict().items():
        if key.startswith(("psi_AE.", "psi_AD.", "psi_TD.", "psi_HG.")):
            assert torch.equal(value, wanted[key]), key
    assert torch.equal(network.state_dict()["psi_IE.convs.0.0.weight"], own)


def test_what_hides_features_in_training_need_not_be_in_a_public_file(tmp_path):
    network, place = tiny_network(0, spec_augment=0.1), part(tmp_path, tiny_network(1), ("psi_AE", "psi_AD"))
    own = network.psi_AD.context.masked_spec_embed.clone()
    assert begin_from(network, [place]) == ("psi_AE", "psi_AD")
    assert torch.equal(network.psi_AD.context.masked_spec_embed, own)


def test_two_feature_encoders_that_differ_are_refused(tmp_path):
    folders = [tmp_path / name for name in ("xlsr", "zh")]
    for place, parts, seed in zip(folders, [("psi_AE", "psi_AD"), ("psi_AE", "psi_TD")], (1, 2), strict=True):
        place.mkdir()
        part(place, tiny_network(seed), parts)
    with pytest.raises(ModelError, match="its psi_AE differs from the one already taken"):
        begin_from(tiny_network(0), folders)


def test_a_part_of_another_size_is_refused_with_both_sizes(tmp_path):
    part(tmp_path, tiny_network(talking_width=2), ("psi_HG",), talking_width=2)
    with pytest.raises(ModelError, match="psi_HG has talking_width 2, the network has 1"):
        begin_from(tiny_network(), [tmp_path])


def test_a_part_with_a_number_that_is_not_finite_is_refused(tmp_path):
    donor = tiny_network(1)
    with torch.no_grad():
        donor.psi_HG.output_block[1].bias[0] = float("nan")
    part(tmp_path, donor, ("psi_HG",))
    with pytest.raises(ModelError, match="psi_HG.output_block.1.bias is missing, of another shape or not finite"):
        begin_from(tiny_network(), [tmp_path])
