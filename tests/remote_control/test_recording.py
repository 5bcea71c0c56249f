"""A take recorded and fetched by remote control, with the recorder, the targets and the sockets of a session."""

import socket
import struct
import threading
from fractions import Fraction

import numpy as np
from pythonosc.osc_message_builder import build_msg

from arkit_mapping.takes.csv import read_take
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.network.peers import Peers
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.server import Server
from livelink_bridge.sinks import open_sink
from livelink_bridge.sinks.live_targets import LiveTargets
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES
from livelink_bridge.wire.livelink import decode as decode_pose
from livelink_bridge.wire.osc.decode import decode

DEVICE = "00000000-0000-0000-0000-000000000001"
CLOCK = MonotonicClock()


class Beat:
    """Sends poses as a session does, 60 a second, until it is left."""

    def __init__(self, sinks):
        self.timebase = Timebase(CLOCK, RATES["60"], fps=Fraction(60))
        self._sinks, self._stop = sinks, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        tick, begun_s = 0, CLOCK.now()
        while CLOCK.wait_until(begun_s + tick / 60, self._stop):
            stamp = self.timebase.stamp(begun_s + tick / 60)
            for sink in self._sinks:
                sink.send(np.full(61, 0.25, np.float32), stamp)
            tick += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join(5)


def test_the_take_that_is_fetched_is_the_one_that_was_recorded(tmp_path):
    recorder = Recorder(tmp_path, subject="Ada")
    targets = LiveTargets([], "Ada", lambda uri, subject: open_sink(uri, subject=subject, device_id=DEVICE))
    remote = LiveInterface({}, {"Ada": targets}, recorder, timecode=lambda: "00:00:00:00")
    server = Server(remote, Peers(), port=0, clock=CLOCK, takes=tmp_path)
    thread = threading.Thread(target=server.run)
    thread.start()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unreal,
    ):
        for sock in (desk, unreal):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(5)

        def ask(address, *arguments):
            desk.sendto(build_msg(address, list(arguments)).dgram, ("127.0.0.1", server.port))
            (reply,) = decode(desk.recv(65535))
            return reply.address, *reply.arguments

        try:
            ask("/OSCAddSendTarget", "127.0.0.1", desk.getsockname()[1])
            with Beat([targets, recorder]):
                for message in (
                    ("/AddLiveLinkAddress", "127.0.0.1", unreal.getsockname()[1]),
                    ("/LiveLinkSubject", "Eve"),
                ):
                    desk.sendto(build_msg(message[0], list(message[1:])).dgram, ("127.0.0.1", server.port))
                while decode_pose(unreal.recv(2000)).subject != "Eve":
                    pass
                confirmed, began = ask("/RecordStart", "Act_1", 3)
                assert confirmed == "/RecordStartConfirm"
                assert ask("/RecordStart", "Act_1", 3) == (confirmed, began)
                for _ in range(30):
                    unreal.recv(2000)
                confirmed, ended, csv, sound = ask("/RecordStop", 1)
            assert confirmed == "/RecordStopConfirm" and sound == ""
            assert ended > began
            assert ask("/TakeQuery", 1) == ("/Take", 4)
            got = fetched(desk, server.port, csv)
        finally:
            server.stop()
            thread.join(5)
            targets.close()
            recorder.close()
    (size,) = struct.unpack(">i", got[:4])
    assert size == len(got) - 4
    assert csv.endswith("_Eve.csv") and got[4:] == (tmp_path / csv).read_bytes()
    rows = got[4:].decode().splitlines()[1:]
    assert rows[0].startswith(f"{began},61,")
    assert (read_take(tmp_path / csv).values[:15] == 0.25).all(), (
        "thirty poses were sent meanwhile, a few of them before it began"
    )


def fetched(desk, port, path):
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.settimeout(5)
        desk.sendto(
            build_msg("/Transport", [f"127.0.0.1:{receiver.getsockname()[1]}", path]).dgram, ("127.0.0.1", port)
        )
        connection = receiver.accept()[0]
        connection.settimeout(5)
        with connection, connection.makefile("rb") as stream:
            return stream.read()
