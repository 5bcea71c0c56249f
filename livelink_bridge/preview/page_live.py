"""The live face: the newest pose to the browser, one message on its way at a time, and the session's figures beside it."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import Iterator

from fastapi import FastAPI
from nicegui import ui
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from livelink_bridge.metrics import Status
from livelink_bridge.preview.live import LatestPose, PreviewSink
from livelink_bridge.preview.page_session import Session

LOOK_EVERY_S = 0.003
"""Between two looks for a pose that is newer than the one shown: a fifth of a pose."""
_LONGEST_ACK = 200


def add_live(app: FastAPI, session: Session) -> None:
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        if session.live is None:
            await socket.close(1000, "nothing is live")
            return
        try:
            await _follow(socket, session, session.live)
        except (WebSocketDisconnect, RuntimeError):  # the tab was closed, also in the middle of a message
            pass

    app.router.routes.append(WebSocketRoute("/session/live", live))


async def _follow(socket: WebSocket, session: Session, sink: PreviewSink) -> None:
    """Send the newest pose, wait until it is drawn, send the then newest: a slow browser skips, nothing queues."""
    shown, before = -1, True
    while not sink.closed:
        pose = sink.latest()
        if pose is None or pose.number <= shown:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        await socket.send_bytes(_message(pose, session))
        shown = _number(await socket.receive_text())
        if not before:  # the first one had been waiting for somebody to look
            sink.acknowledge(shown)
        shown, before = max(shown, pose.number), False
    await socket.close(1000, "the session has ended")


def _message(pose: LatestPose, session: Session) -> bytes:
    """Little-endian: float64 number of the pose, float64 seconds on the sink's clock, float32 (61,) as the page's sliders make it."""
    return struct.pack("<dd", pose.number, pose.sent_s) + session.wear_live(pose.weights).astype("<f4").tobytes()


def _number(text: str) -> int:
    """The pose that the page says it has drawn; -1 for anything else."""
    try:
        said = json.loads(text[:_LONGEST_ACK])
        return int(said["shown"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return -1


class LiveFigures:
    """Level, gate, delays and pace of the live session, in a corner of the face; hidden when nothing is live."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._box = ui.label().classes("live-figures").props("id=live")
        ui.timer(0.2, self.refresh)

    def refresh(self) -> None:
        live = self._session.live
        self._box.set_visibility(live is not None and not live.closed)
        if live is not None:
            self._box.set_text("\n".join(lines(self._session)))


def lines(session: Session) -> Iterator[str]:
    """What is said of the live session, line by line."""
    status, sink = session.live_status, session.live
    if sink is None:
        return
    if status is not None:
        yield from _of_status(status)
    seen = sink.delay()
    yield f"drawn  {seen.fps:.0f} fps, {seen.skipped} skipped"
    if not math.isnan(seen.p95_ms):
        yield f"pose to screen  {seen.p50_ms:.0f} ms, p95 {seen.p95_ms:.0f} ms"


def _of_status(status: Status) -> Iterator[str]:
    yield status.state if status.trouble is None else status.trouble
    yield f"level  {max(status.level.rms_dbfs, -120):.0f} dBFS"
    if status.gate is not None:
        yield f"gate  {'closed' if status.gate < 0.01 else 'open' if status.gate > 0.99 else f'{status.gate:.0%} open'}"
    yield f"sent  {status.fps:.1f} fps"
    if status.delay is None:
        return
    yield f"sound to packet  {status.delay.median_ms:.0f} ms"
    parts = status.delay.parts
    if parts is not None:
        yield f"   look-ahead {parts.lookahead_ms:.0f}, network {parts.compute_ms:.1f}, pacing {parts.pacing_ms:.0f} ms"
