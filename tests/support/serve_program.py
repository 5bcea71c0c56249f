"""Two replicas of examples/serve_ray.py on a cluster of this machine, and what a client sees when one goes. Exit code
0: all is well."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import numpy as np
import ray
import serve_ray
from ray import serve
from websockets.sync.client import ClientConnection, connect

RATE_HZ, PORT = 16000, 18765
SESSIONS = [f"session {number}" for number in range(8)]
SOUND = (np.sin(np.arange(RATE_HZ) / 5) * 8000).astype("<i2").tobytes()


def joined(session: str) -> ClientConnection:
    where = f"ws://127.0.0.1:{PORT}/?rate={RATE_HZ}"
    return connect(where, additional_headers={"x-session-id": session}, proxy=None, open_timeout=60)


def replica_of(stream: ClientConnection) -> str:
    assert stream.response
    return stream.response.headers["x-replica"]


def rest(stream: ClientConnection) -> int:
    """Poses that are still to come."""
    stream.send("end")
    return sum(len(message) for message in stream) // 244


def whole(session: str) -> tuple[str, int]:
    with joined(session) as stream:
        stream.send(SOUND)
        return replica_of(stream), rest(stream)


def main() -> None:
    ray.init(address="local", num_cpus=3, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    serve.run(serve_ray.Faces.options(num_replicas=2).bind())
    first = {session: whole(session) for session in SESSIONS}
    assert {poses for _, poses in first.values()} == {60}, first
    assert first == {session: whole(session) for session in SESSIONS}, "a session did not come back to its replica"
    drain(first)
    serve.shutdown()
    ray.shutdown()


def drain(first: dict[str, tuple[str, int]]) -> None:
    """Fewer replicas, while a stream is open on each."""
    on: dict[str, str] = {replica: session for session, (replica, _) in first.items()}
    assert len(on) == 2, first
    with ExitStack() as open_streams:
        streams = [open_streams.enter_context(joined(session)) for session in on.values()]
        for stream in streams:
            stream.send(SOUND)
            assert stream.recv(timeout=20)
        fewer = threading.Thread(target=lambda: serve.run(serve_ray.Faces.options(num_replicas=1).bind()), daemon=True)
        fewer.start()
        await_(lambda: dict(states()).get("STOPPING") == 1)
        later = {session: whole(session)[0] for session in SESSIONS}
        assert len(set(later.values())) == 1, later
        for stream in streams:
            stream.send(SOUND)
            assert rest(stream) > 60, "a stream was cut"
    fewer.join(60)
    assert not fewer.is_alive(), "the replica did not end with its last stream"


def states() -> dict[str, int]:
    return {str(getattr(state, "value", state)): number for state, number in deployment().replica_states.items()}


def deployment() -> Any:
    return serve.status().applications["default"].deployments["Faces"]


def await_(true: Any) -> None:
    waited = threading.Event()
    for _ in range(100):
        if true():
            return
        waited.wait(0.2)
    raise AssertionError(states())


if __name__ == "__main__":
    main()
