import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle

from arkit_mapping import CHANNELS_61
from livelink_bridge.sinks.osc import MAX_BUNDLE, bundles_of

ADDRESSES = tuple(f"/arkit/{name}" for name in CHANNELS_61)


@pytest.mark.parametrize("count", [1, 52, 61])
def test_an_independent_decoder_reads_every_channel(count):
    values = np.random.default_rng(0).uniform(-1, 1, count).astype(np.float32)
    big_endian = values.astype(">f4").view(np.uint8).reshape(-1, 4)
    messages = [message for bundle in bundles_of(ADDRESSES[:count]) for message in OscBundle(bundle.filled(big_endian))]
    assert [message.address for message in messages] == list(ADDRESSES[:count])
    assert [message.params[0] for message in messages] == pytest.approx(values.tolist())


def test_no_datagram_is_long_enough_to_be_cut_on_the_way():
    sizes = [len(bundle.filled(np.zeros((61, 4), np.uint8))) for bundle in bundles_of(ADDRESSES)]
    assert len(sizes) == 2
    assert max(sizes) <= MAX_BUNDLE


def test_a_second_pose_leaves_nothing_of_the_first():
    bundle = bundles_of(ADDRESSES[:3])[0]
    bundle.filled(np.full((3, 4), 255, np.uint8))
    assert [message.params[0] for message in OscBundle(bundle.filled(np.zeros((3, 4), np.uint8)))] == [0, 0, 0]
