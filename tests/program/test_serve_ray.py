"""The example of live faces on Ray Serve: the stream by hand here, the real cluster among the slow tests, since it
takes half a minute."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from arkit_mapping.liveliness import Liveliness
from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.testing.stand_ins import LoudnessModel

pytestmark = pytest.mark.timeout(240)
EXAMPLE = Path(__file__).parents[2] / "examples/serve_ray.py"
RATE_HZ = 16000


@pytest.fixture(scope="module")
def example() -> ModuleType:
    pytest.importorskip("ray.serve", reason="Ray Serve is not installed")
    spec = importlib.util.spec_from_file_location("serve_ray", EXAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["serve_ray"] = module
    spec.loader.exec_module(module)
    return module


class Socket:
    """A connection whose client has said everything already."""

    def __init__(self, *said: bytes | str) -> None:
        self._said = list(said)
        self.headers: dict[str, str] = {"x-session-id": "ada"}
        self.sent: list[bytes] = []
        self.closed = False

    async def receive(self) -> dict[str, Any]:
        message = self._said.pop(0)
        return {"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message}

    async def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)

    async def close(self) -> None:
        self.closed = True


def test_a_stream_in_small_pieces_is_the_face_of_its_sound(example: ModuleType) -> None:
    form = PcmFormat("s16le", RATE_HZ, 1)
    sound = form.encode(np.sin(np.arange(RATE_HZ) / 5).astype(np.float32)[:, None] / 2)
    faces = object.__new__(example.Faces.func_or_class.__mro__[1])
    faces.model = LoudnessModel()
    socket = Socket(*(sound[at : at + 1000] for at in range(0, len(sound), 1000)), "end")
    asyncio.run(faces._follow(socket, form))
    animator = Animator(LoudnessModel(), Face(liveliness=Liveliness(example.seed_of("ada"))))
    frames = animator.push(AudioBlock(form.decode(sound), RATE_HZ, 0, 0.0)) + animator.flush()
    poses = np.frombuffer(b"".join(socket.sent), "<f4").reshape(-1, 61)
    assert poses.shape == (60, 61) and socket.closed
    np.testing.assert_allclose(poses, [frame.weights for frame in frames], atol=1e-6)


def test_sessions_are_hashed_to_replicas_and_a_replica_that_goes_lets_its_streams_end(example: ModuleType) -> None:
    router = example.Faces._deployment_config.request_router_config
    assert router.get_request_router_class().__name__ == "ConsistentHashRouter"
    assert example.Faces._deployment_config.graceful_shutdown_timeout_s == example.DRAIN_S >= 60


@pytest.mark.slow
def test_on_a_cluster_a_session_comes_back_to_its_replica_and_fewer_replicas_cut_no_stream(example: ModuleType) -> None:
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE.parent), "RAY_USAGE_STATS_ENABLED": "0"}
    environment |= {"RAY_worker_niceness": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    patient = {
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_QUEUE_LENGTH_RESPONSE_DEADLINE_S": "5",
        "RAY_SERVE_MAX_QUEUE_LENGTH_RESPONSE_DEADLINE_S": "10",
    }
    program = Path(__file__).parent / "support/serve_program.py"
    run = subprocess.run(
        [sys.executable, str(program)], env=environment | patient, capture_output=True, text=True, timeout=220
    )
    assert run.returncode == 0, run.stderr[-2000:]
