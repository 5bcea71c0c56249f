"""Several microphones at once, on a real sound system."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61

pytestmark = [pytest.mark.device, pytest.mark.timeout(60)]

JAW = CHANNELS_61.index("JawOpen")

LIVE = """
import sys, threading
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.face.face import Face
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.modes.performers import Performer, run_performers
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.stand_ins import LoudnessModel

stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
to = (sys.argv[1],)
performers = [Performer(Input(f"{name}.monitor"), Face(), Outputs(to, name)) for name in ("voice", "second")]
run_performers(performers, LoudnessModel(), clock=MonotonicClock(), stop=stop, on_status=lambda statuses: None)
"""


def test_two_microphones_drive_two_subjects_at_once(room, receiver, pulse):
    room.restore("second", silent=True)
    live = subprocess.Popen([sys.executable, "-c", LIVE, receiver.uri], env=pulse, stdin=subprocess.PIPE, text=True)
    try:
        assert receiver.first.wait(20), "no packet came"
        threading.Event().wait(1.0)
        room.speak("voice")
        threading.Event().wait(3.0)
        room.silence()
        switched_s = time.perf_counter()
        threading.Event().wait(1.0)
        room.speak("second")
        threading.Event().wait(3.0)
    finally:
        live.communicate("", timeout=20)
    assert live.returncode == 0
    packets = {
        name: [(at_s, packet) for at_s, packet in receiver.arrived if packet.subject == name]
        for name in ("voice", "second")
    }
    assert len({packet.device_id for _, packet in receiver.arrived}) == 2, "one id for each subject"
    for name, found in packets.items():
        times_s = np.array([at_s for at_s, _ in found])
        jaw = np.array([packet.values[JAW] for _, packet in found])
        first, second = jaw[times_s < switched_s].max(), jaw[times_s > switched_s + 0.8].max()
        assert (first > 0.2, second > 0.2) == (name == "voice", name == "second"), (
            "each face follows its own microphone alone"
        )
        # A stalled machine leaves ticks out; a face that waits for the other would have half as many.
        assert (len(times_s) - 1) / (times_s[-1] - times_s[0]) == pytest.approx(60, abs=6)
        assert not found[-1][1].values.any()
