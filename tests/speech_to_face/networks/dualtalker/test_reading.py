"""Phones off curves: the whole at once or in blocks, every frame named, no take in another's memory."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.config_file import load_config, save_config
from speech_to_face.networks.dualtalker.config import Config
from speech_to_face.networks.dualtalker.reading import LipReading, load_reader
from speech_to_face.streaming.stepped import BLOCK_STEPS


def mouths(frames: int) -> np.ndarray:
    return np.random.default_rng(0).random((frames, 32)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 2, 30, BLOCK_STEPS + 17])
def test_a_long_take_is_read_as_if_at_once_and_frame_k_is_named_after_the_readers_delay(tiny, frames):
    network, mouth = tiny(), mouths(frames)
    late = network.config.read_delay
    held = torch.from_numpy(np.concatenate([mouth, np.repeat(mouth[-1:], late, 0)]))[None]
    with torch.no_grad():
        moved, _ = network.motion(held, network.motion.initial_states(1))
        wanted, _, _ = network.reader(moved, network.reader.initial_states(1))
    read = LipReading(network)(mouth)
    assert read.shape == (frames, 30) and read.dtype == np.float32
    np.testing.assert_allclose(read, wanted[0, late:], atol=1e-5)
    np.testing.assert_allclose(np.exp(read).sum(1), 1, atol=1e-5)


def test_takes_do_not_read_one_another_and_a_take_without_frames_has_no_phones(tiny):
    reading = LipReading(tiny())
    first = reading(mouths(20))
    np.testing.assert_array_equal(reading(mouths(20)), first)
    assert reading(mouths(0)).shape == (0, 30)


def test_channels_are_taken_by_name(tiny):
    names = Config().channels
    mouth = mouths(9)
    network = tiny()
    other = LipReading(tiny(channels=names[::-1]))
    other.network.load_state_dict(network.state_dict())
    np.testing.assert_allclose(other(mouth[:, ::-1]), LipReading(network)(mouth), atol=1e-6)


def test_the_reader_comes_out_of_a_checkpoint_folder(tiny, tiny_dualtalker):
    np.testing.assert_array_equal(load_reader(tiny_dualtalker)(mouths(12)), LipReading(tiny())(mouths(12)))


def test_a_model_that_reads_no_lips_and_one_with_other_phones_are_one_clear_line(tiny_dualtalker, tmp_path):
    with pytest.raises(ModelError, match="'pmmtalk-live' is a 'pmmtalk' network, which does not read lips"):
        load_reader(checkpoint.find("pmmtalk-live"))
    folder = Path(shutil.copytree(tiny_dualtalker, tmp_path / "copied"))
    config = load_config(folder / checkpoint.CONFIG, Config)
    save_config(replace(config, phones=("SIL", "AA")), folder / checkpoint.CONFIG)
    with pytest.raises(ModelError, match="damaged or changed"):
        load_reader(folder)
    checkpoint.write_sums(folder)
    with pytest.raises(ModelError, match="reads other phones"):
        load_reader(folder)
