"""Live faces on several machines, with Ray Serve (livelink-bridge[scale]): python examples/serve_ray.py [REPLICAS]

A client opens ws://HOST:8000/?rate=48000 with a header `x-session-id` and sends 16-bit mono samples (little endian) as
they are generated; messages may end within a sample. It receives frames as they are ready: float32 (n, 61), little
endian, in the order of `arkit_mapping.CHANNELS_61`, frame k for k / 60 s. The text `end` requests the frames still
waiting for audio; then the server closes.

Sticky sessions: a stream is one connection, and Serve's proxy keeps a connection on its replica, which holds the
network's state. A consistent hash of the session id selects the replica, so that a client that reconnects reaches the
same one as long as it runs; adding or removing a replica moves only its share of the sessions. A full replica passes
new sessions on to the next. Draining: a replica that is being removed (scaling down, a new version, `serve shutdown`)
gets no new session and ends after its last stream, or after DRAIN_S.
"""

import asyncio
import os
import sys
import zlib

import numpy as np
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from ray import serve
from ray.serve.config import RequestRouterConfig

from arkit_mapping.liveliness import Liveliness
from livelink_bridge import load_model
from livelink_bridge.audio.pcm import PcmFormat, PcmReader
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.errors import BridgeError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face

STREAMS = 16
"""Live subjects per replica of one core; docs/scale.md explains how to measure the limit of your machine."""
DRAIN_S = 600.0
"""Longest time that a replica being removed waits for its streams to end."""
web = FastAPI()


def seed_of(session: str) -> int:
    """The seed of liveliness: a client that reconnects blinks as before."""
    return zlib.crc32(session.encode())


async def _send(socket: WebSocket, frames: list[FaceFrame]) -> None:
    if frames:
        await socket.send_bytes(np.stack([frame.weights for frame in frames]).astype("<f4").tobytes())


# The functions above must be defined before the class: Serve pickles it at this point.
@serve.deployment(
    max_ongoing_requests=STREAMS,
    graceful_shutdown_timeout_s=DRAIN_S,
    graceful_shutdown_wait_loop_s=1.0,
    ray_actor_options={"num_cpus": 1},
    request_router_config=RequestRouterConfig(
        request_router_class="ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"
    ),
)
@serve.ingress(web)
class Faces:
    """One network, with a stream for each connection."""

    def __init__(self, model: str = "pmmtalk-live") -> None:
        self.model = load_model(model, device="cpu")

    @web.websocket("/")
    async def speak(self, socket: WebSocket, rate: int = 16000) -> None:
        """Serve one connection; `rate` is the sample rate in Hz."""
        await socket.accept(headers=[(b"x-replica", serve.get_replica_context().replica_id.unique_id.encode())])
        try:
            await self._follow(socket, PcmFormat("s16le", rate, 1))
        except BridgeError as error:
            await socket.close(1007, str(error)[:120])
        except WebSocketDisconnect:
            pass  # the client has disconnected, which ends its stream

    async def _follow(self, socket: WebSocket, form: PcmFormat) -> None:
        face = Face(liveliness=Liveliness(seed_of(socket.headers.get("x-session-id", ""))))
        animator, start, sound = Animator(self.model, face), 0, PcmReader(form)
        while (message := await socket.receive()).get("bytes") is not None:
            block = AudioBlock(sound.read(message["bytes"]), form.rate, start, arrived_s=0.0)
            start = block.end
            # In a thread: steps that fall due at the same moment run as one batch.
            await _send(socket, await asyncio.to_thread(animator.push, block))
        if message["type"] == "websocket.disconnect":
            return
        await _send(socket, await asyncio.to_thread(animator.flush))
        await socket.close()


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # for a cluster that is started here
    serve.run(Faces.options(num_replicas=int(sys.argv[1]) if len(sys.argv) > 1 else 2).bind(), blocking=True)
