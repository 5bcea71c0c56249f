"""Sends the newest live frame to the browser, one message in flight at a time."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fastapi import FastAPI
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from livelink_bridge.preview.editor.state import EditorState
from livelink_bridge.sinks.preview import LatestPose, PreviewSink

_LONGEST_ACK = 200


def add_live(app: FastAPI, session: EditorState) -> None:
    """Add the WebSocket route that sends the newest live frame to the browser."""

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        performer = socket.query_params.get("performer", "0")
        sink = (
            session.show.sink(int(performer)) if session.show and performer.isdecimal() and len(performer) < 4 else None
        )
        if sink is None:
            await socket.close(1000, "nothing is live")
            return
        try:
            await _follow(socket, session, sink)
        except (WebSocketDisconnect, RuntimeError):  # the tab was closed, also in the middle of a message
            pass

    app.router.routes.append(WebSocketRoute("/session/live", live))


async def _follow(socket: WebSocket, session: EditorState, sink: PreviewSink) -> None:
    """Send the newest pose, wait until it is drawn, send the then newest: a slow browser skips, nothing queues."""
    shown, before = -1, True
    with _news_of(sink) as news:
        while True:
            news.clear()
            if sink.closed:
                break
            pose = sink.latest()
            if pose is None or pose.number <= shown:
                await news.wait()
                continue
            await socket.send_bytes(_message(pose, session))
            shown = _number(await socket.receive_text())
            if not before:  # the first one had been waiting for a browser
                sink.acknowledge(shown)
            shown, before = max(shown, pose.number), False
    await socket.close(1000, "the session has ended")


@contextmanager
def _news_of(sink: PreviewSink) -> Iterator[asyncio.Event]:
    """An event that is set after each pose and when the sink closes, whichever thread does it."""
    news, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        with suppress(RuntimeError):  # the page's server has ended
            loop.call_soon_threadsafe(news.set)

    end = sink.subscribe(tell)
    try:
        yield news
    finally:
        end()


def _message(pose: LatestPose, session: EditorState) -> bytes:
    """Little-endian: float64 number of the pose, float64 seconds on the sink's clock, float32 (61,) as the page shows
    it."""
    return struct.pack("<dd", pose.number, pose.sent_s) + session.live_pose(pose.weights).astype("<f4").tobytes()


def _number(text: str) -> int:
    """The pose that the page says it has drawn; -1 for anything else."""
    try:
        said = json.loads(text[:_LONGEST_ACK])
        return int(said["shown"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return -1
