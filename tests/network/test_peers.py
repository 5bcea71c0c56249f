"""Who is heard."""

import pytest

from livelink_bridge.network.peers import Peers, read_peers


def test_without_a_list_only_this_machine_is_heard_and_reached():
    peers = Peers()
    assert peers.host == "127.0.0.1"
    assert peers.allows("127.0.0.1") and not peers.allows("192.168.1.10")


def test_with_a_list_all_interfaces_are_bound_and_only_the_listed_are_heard():
    peers = read_peers(["192.168.1.10", "10.0.0.0/24", " 10.1.2.3/16"])
    assert peers.host == "0.0.0.0"
    heard = ["192.168.1.10", "10.0.0.77", "10.1.200.1"]
    assert [
        one for one in [*heard, "192.168.1.11", "10.0.1.1", "127.0.0.1", "::1", "x", ""] if peers.allows(one)
    ] == heard


@pytest.mark.parametrize("text", ["stage", "1.2.3", "::1", "1.2.3.4/33", "", "1.2.3.4:8000"])
def test_what_is_no_ipv4_address_or_network_is_refused(text):
    with pytest.raises(ValueError, match="such as 192.168.1.20 or 192.168.1.0/24"):
        read_peers(["10.0.0.1", text])
