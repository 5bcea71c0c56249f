"""Unreal's Switchboard, made: what it sends, and handlers that take what its handlers take."""

import socket

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_message_builder import build_msg

SILENCE_S = 11.0
"""After which Switchboard drops a device."""


class Switchboard:
    """As Unreal's Switchboard deals with a phone: what it sends and in which order, and handlers that take what its
    handlers take.

    Its handlers get a list of one before the arguments of three of the confirmations, and no room for an argument after
    it: those confirmations must have none. Each of the others takes exactly what is written here.
    """

    def __init__(self, port):
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.out.connect(("127.0.0.1", port))
        self.inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inbox.bind(("127.0.0.1", 0))
        self.inbox.settimeout(SILENCE_S)
        self.events = []
        self.dispatcher = Dispatcher()
        for address, handler, fixed in (
            ("/OSCAddSendTargetConfirm", lambda _peer, _address, _fixed: self.events.append("target"), (1,)),
            ("/ARSessionStartConfirm", lambda _peer, _address, _fixed: self.events.append("ready"), (1,)),
            ("/ARSessionStopConfirm", lambda _peer, _address, _fixed: self.events.append("closed"), (1,)),
            ("/Battery", lambda _peer, _address, level: self.events.append(("battery", level)), ()),
            ("/RecordStartConfirm", lambda _peer, _address, timecode: self.events.append(("recording", timecode)), ()),
            (
                "/RecordStopConfirm",
                lambda _peer, _address, timecode, *paths: self.events.append(("stopped", timecode, paths)),
                (),
            ),
            ("/RecordCancelConfirm", lambda _peer, _address, timecode: self.events.append(("cancelled", timecode)), ()),
        ):
            self.dispatcher.map(address, handler, *fixed, needs_reply_address=True)
        self.dispatcher.set_default_handler(lambda address, *_rest: self.events.append(address))

    def send(self, address, *arguments):
        self.out.send(build_msg(address, list(arguments)).dgram)

    def find(self):
        """Look for a device that may not be there yet, more often than Switchboard does."""
        self.inbox.settimeout(0.5)
        for _ in range(60):
            try:
                self.send("/OSCAddSendTarget", "127.0.0.1", self.inbox.getsockname()[1])
                self.wait_for("target")
                break
            except (TimeoutError, ConnectionRefusedError):
                continue
        self.inbox.settimeout(SILENCE_S)

    def wait_for(self, *expected):
        """The next replies, in this order."""
        assert self.next(len(expected)) == list(expected)

    def next(self, count):
        """The next replies."""
        first = len(self.events)
        while len(self.events) < first + count:
            datagram, peer = self.inbox.recvfrom(65535)
            self.dispatcher.call_handlers_for_packet(datagram, peer)
        return self.events[first:]

    def close(self):
        self.out.close()
        self.inbox.close()


def fetched(board, path):
    """A take's file as it is sent: its size, big endian, then its bytes."""
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.settimeout(5)
        board.send("/Transport", f"127.0.0.1:{receiver.getsockname()[1]}", path)
        connection = receiver.accept()[0]
        connection.settimeout(5)
        with connection, connection.makefile("rb") as stream:
            return stream.read()
