"""Sessions of the remote control that tests talk to."""

from staged import FakeStage

from livelink_bridge.network.peers import Endpoint, Peers
from livelink_bridge.remote_control.protocol import RemoteProtocol
from livelink_bridge.testing.stand_ins import ManualClock

PEER = Endpoint("127.0.0.1", 50000)
DESK = Endpoint("127.0.0.1", 6000)


def session_of(stage=None, peers=None, takes=None, clock=None):
    return RemoteProtocol(stage or FakeStage(), peers or Peers(), clock=clock or ManualClock(), takes=takes)


def told(session, address, *arguments, peer=PEER):
    return [(reply.address, *reply.arguments) for reply in session.hear(peer, address, arguments)]


def known(stage=None, **kept):
    """A session whose peer has said where it listens."""
    session = session_of(stage, **kept)
    assert told(session, "/OSCAddSendTarget", *DESK) == [("/OSCAddSendTargetConfirm",)]
    return session
