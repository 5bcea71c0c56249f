"""Steps in PyTorch: where a voice begins, and the fixed buffers of a captured graph, as far as they go without a
GPU."""

import numpy as np
import pytest
import torch

from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.networks.pmmtalk.torch_steps import CudaGraphSteps, TorchSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.streaming.stepped import PRIME_STEPS, silence

MEL = np.random.default_rng(0).standard_normal((30, 160)).astype(np.float32)


class Uncaptured(CudaGraphSteps):
    """The captured graph's buffers without the capture, which wants CUDA."""

    @torch.inference_mode()
    def _capture(self):
        self._fixed = [state.clone() for state in self.network.initial_states()]


@pytest.fixture
def network(tiny_checkpoint):
    return load_network(tiny_checkpoint, load_config(tiny_checkpoint / "config.yaml"))


@pytest.fixture
def face(network) -> Voice:
    width, squares = network.config.branch_width, network.head.squares
    return Voice(*(np.zeros(shape, np.float32) for shape in ((1, width), (1, width), (1, squares, 48))))


def test_a_voice_begins_where_a_second_of_silence_ends(network, face):
    begun, waited = TorchSteps(network, face), TorchSteps(network, face)
    waited._states, waited._clock = network.initial_states(), 0
    waited.run(silence())
    assert len(silence()) == PRIME_STEPS
    np.testing.assert_allclose(begun.run(MEL), waited.run(MEL), atol=1e-6)


@pytest.mark.parametrize("steps", [TorchSteps, Uncaptured])
def test_after_a_reset_the_same_sound_gives_the_same_frames(steps, network, face):
    voice = steps(network, face)
    first = voice.run(MEL)
    voice.reset()
    np.testing.assert_array_equal(voice.run(MEL), first)


def test_the_fixed_buffers_of_a_graph_begin_in_silence_too(network, face):
    np.testing.assert_allclose(Uncaptured(network, face).run(MEL), TorchSteps(network, face).run(MEL), atol=1e-6)
