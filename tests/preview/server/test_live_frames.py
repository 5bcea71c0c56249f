"""The newest pose to a tab, as soon as there is one, and nothing while there is none."""

from __future__ import annotations

import asyncio
import json
import struct
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from livelink_bridge.preview.server.live_frames import _follow
from livelink_bridge.sinks.preview import PreviewSink
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp

STAMP = Stamp(100, 0.5, Fraction(60), 1.0)


class Tab:
    """A tab's end of the socket: it says of each pose that it has drawn it."""

    def __init__(self) -> None:
        self.shown: list[int] = []
        self.came = asyncio.Event()
        self.closed = None

    async def send_bytes(self, message: bytes) -> None:
        self.shown.append(int(struct.unpack_from("<d", message)[0]))
        self.came.set()

    async def receive_text(self) -> str:
        return json.dumps({"shown": self.shown[-1]})

    async def close(self, code: int, reason: str) -> None:
        self.closed = code, reason


def test_each_pose_comes_when_it_is_sent_and_nothing_polls_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_polling(*_: object) -> None:
        raise AssertionError("it looks again and again instead of waiting to be told")

    async def run() -> Tab:
        tab = Tab()
        sink = PreviewSink("preview:", clock=ManualClock())
        following = asyncio.create_task(_follow(tab, SimpleNamespace(live_pose=lambda weights: weights), sink))
        for _ in range(3):
            tab.came.clear()
            await asyncio.to_thread(sink.send, np.zeros(61, np.float32), STAMP)
            await asyncio.wait_for(tab.came.wait(), 5)
        await asyncio.to_thread(sink.close)
        await asyncio.wait_for(following, 5)
        return tab

    monkeypatch.setattr(asyncio, "sleep", no_polling)
    tab = asyncio.run(run())
    assert tab.shown == [0, 1, 2]
    assert tab.closed == (1000, "the session has ended")
