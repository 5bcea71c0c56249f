"""Remote-control sessions for tests."""

from fake_interface import FakeInterface

from livelink_bridge.network.peers import Endpoint, Peers
from livelink_bridge.remote_control.protocol import RemoteProtocol
from livelink_bridge.testing.stand_ins import ManualClock

PEER = Endpoint("127.0.0.1", 50000)
DESK = Endpoint("127.0.0.1", 6000)


def session_of(remote=None, peers=None, takes=None, clock=None):
    return RemoteProtocol(remote or FakeInterface(), peers or Peers(), clock=clock or ManualClock(), takes=takes)


def told(session, address, *arguments, peer=PEER):
    return [(reply.address, *reply.arguments) for reply in session.handle(peer, address, arguments)]


def known(remote=None, **kept):
    """A session whose peer has said where it listens."""
    session = session_of(remote, **kept)
    assert told(session, "/OSCAddSendTarget", *DESK) == [("/OSCAddSendTargetConfirm",)]
    return session
