"""The driver process: joins or starts the Ray cluster, keeps every worker busy and sends outcomes to its parent.

It communicates only by messages over a pipe; its standard output and error are closed. Ray is imported inside functions
only. Ray restarts a worker that dies (`max_restarts`), if necessary on another machine, and the worker loads its
context again. The parent retries the task it was running, so that only a file that kills workers runs out of attempts.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from livelink_bridge.batch.job import Outcome, Task
from livelink_bridge.batch.ray.worker import Job, Worker
from livelink_bridge.errors import BridgeError

OBJECT_STORE_BYTES = 80 * 2**20
"""Near Ray's minimum: only a path and an Outcome, a few kilobytes, cross between machines."""
FALSE_STARTS = 3
"""Times in a row that Ray restarts a worker that dies before it is ready."""
CHECK_INTERVAL_S = 1.0
"""Time between checks that the cluster is reachable."""
POLL_S = 0.1
MAX_MISSED_CHECKS = 3
"""Failed checks in a row after which the cluster is lost."""
CONNECT_S = 2.0
"""Time limit of a check's connection."""
UNREACHABLE_PROXY = "http://127.0.0.1:9"
"""The discard port, which is closed on almost every machine."""


class Convert(NamedTuple):
    """To the driver: run this task."""

    number: int
    task: Task


class Started(NamedTuple):
    """The cluster is connected."""

    workers: int


class Alive(NamedTuple):
    """The cluster is still reachable."""


class Done(NamedTuple):
    """A task has finished."""

    number: int
    outcome: Outcome


class Died(NamedTuple):
    """The worker that ran this task has died."""

    number: int


class Dropped(NamedTuple):
    """Not started, since the disk is full."""

    number: int


class Failed(NamedTuple):
    """The batch has failed: the error, on one line."""

    text: str


def drive(pipe: Connection, job: Job) -> None:
    """Main function of the process: runs until the parent closes its end of the pipe or the cluster is lost."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent ends this one
    _silence_output()
    _set_environment(job)
    try:
        if _run_batch(pipe, job):
            import ray

            ray.shutdown()
    finally:
        os._exit(0)  # Ray's own exit waits for a cluster that is lost


def _run_batch(pipe: Connection, job: Job) -> bool:
    """Run the batch. Returns whether the cluster is still reachable afterwards."""
    from ray.exceptions import RayError

    try:
        workers = _connect(job)
        pipe.send(Started(workers))
        _Pool(pipe, job, workers).run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return True  # the parent has closed the pipe
    except BridgeError as error:
        pipe.send(Failed(str(error)))
        return not isinstance(error, _ClusterLost)
    except (RayError, ConnectionError, RuntimeError, ValueError, OSError) as error:
        pipe.send(Failed(f"Ray: {_first_line(error)}"))
        return False
    return True


class _ClusterLost(BridgeError):
    """The cluster no longer answers."""


def _first_line(error: Exception) -> str:
    """First line of a worker's exception, or of Ray's own."""
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {next(iter(str(cause).splitlines()), '')}"


def _silence_output() -> None:
    """Close standard output and error: Ray and its processes would write over the progress bar."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _set_environment(job: Job) -> None:
    """Set the environment variables that Ray reads on import."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if job.address is None:  # a random token excludes other users of this machine, and leaves no file
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        _block_outgoing_http()
        os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 left workers a quarter of a busy machine's share


def _block_outgoing_http() -> None:
    """Keep the processes of a local cluster from contacting other machines.

    With usage statistics off, Ray 2.60 still queries the metadata service of each cloud, one of them by name. Only
    these queries use HTTP here, so a proxy on a closed port makes them fail at once.
    """
    for name in ("HTTP_PROXY", "no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    os.environ["http_proxy"] = UNREACHABLE_PROXY


def _connect(job: Job) -> int:
    """Start or join the cluster. Returns the number of workers to start."""
    import ray

    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if job.address is None:
        ray.init(
            address="local", num_cpus=job.jobs, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **quiet
        )
    else:
        ray.init(address=job.address, **quiet)
    kind = "GPU" if job.recipe.device == "cuda" else "CPU"
    room = int(ray.cluster_resources().get(kind, 0))
    if not room:
        raise BridgeError(
            f"the Ray cluster has no {kind} to give, expected 1 per file at a time; ray status shows what it has"
        )
    return min(job.jobs or room, room)


@dataclass(slots=True, eq=False)
class _Actor:
    """A worker: its Ray actor and its task."""

    handle: Any
    number: int | None = None
    """Number of its task; None while it loads."""


@dataclass(eq=False)
class _Pool:
    pipe: Connection
    job: Job
    workers: int
    _shared: Any = None
    """The job in Ray's object store."""
    _waiting: deque[Convert] = field(default_factory=deque)
    _idle: list[_Actor] = field(default_factory=list)
    _busy: dict[Any, _Actor] = field(default_factory=dict)
    """By the awaited result."""

    def run(self) -> None:
        """Run until the parent closes the pipe, which raises EOFError here. Raises BridgeError if the batch cannot go
        on."""
        import ray

        actors = _actors(self.workers, 1 if self.job.recipe.device == "cuda" else 0)
        health = _HealthCheck(self.job.address)
        self._shared = ray.put(self.job)
        try:
            for actor in actors:
                self._load(_Actor(actor))
            while True:
                self._step(health)
        except (EOFError, OSError):
            for actor in actors:  # at once, without waiting for their tasks
                ray.kill(actor)
            raise

    def _step(self, health: _HealthCheck) -> None:
        self._take(0 if self._busy else POLL_S)
        self._assign()
        for answer in self._answers():
            self._receive(self._busy.pop(answer), answer)
        if health.check():
            self.pipe.send(Alive())

    def _take(self, wait_s: float) -> None:
        while self.pipe.poll(wait_s):
            self._waiting.append(self.pipe.recv())
            wait_s = 0

    def _assign(self) -> None:
        while self._idle and self._waiting:
            actor, request = self._idle.pop(), self._waiting.popleft()
            actor.number = request.number
            self._busy[actor.handle.convert.options(max_task_retries=0).remote(self._shared, request.task)] = actor

    def _answers(self) -> list[Any]:
        import ray

        return list(ray.wait(list(self._busy), num_returns=1, timeout=POLL_S)[0]) if self._busy else []

    def _load(self, actor: _Actor) -> None:
        actor.number = None
        self._busy[actor.handle.load.remote(self._shared)] = actor  # waits while Ray starts it again

    def _receive(self, actor: _Actor, answer: Any) -> None:
        import ray
        from ray.exceptions import RayActorError

        number = actor.number
        try:
            message = ray.get(answer)
        except RayActorError as error:
            if number is None:
                raise BridgeError(
                    f"the batch's workers die while they start ({_first_line(error)}); is there enough memory?"
                ) from error
            self._load(actor)
            self.pipe.send(Died(number))
            return
        if isinstance(message, str):
            raise BridgeError(message)
        self._idle.append(actor)
        if number is None:
            return
        if message.no_room:
            self._drop()
        self._assign()
        self.pipe.send(Done(number, message))

    def _drop(self) -> None:
        while self._waiting:
            self.pipe.send(Dropped(self._waiting.popleft().number))


def _actors(number: int, gpus: int) -> list[Any]:
    """Start workers, spread over the machines."""
    import ray

    options: Any = {
        "num_cpus": 1,
        "num_gpus": gpus,
        "max_restarts": -1,
        "max_task_retries": FALSE_STARTS,
        "scheduling_strategy": "SPREAD",
    }
    kind = ray.remote(**options)(Worker)
    return [kind.remote() for _ in range(number)]


class _HealthCheck:
    """Checks once a second that the cluster's head is reachable. Ray itself waits for a minute and then ends the
    process."""

    def __init__(self, address: str | None) -> None:
        import ray

        place = address if address and address.startswith("ray://") else ray.get_runtime_context().gcs_address
        host, _, port = place.removeprefix("ray://").rpartition(":")
        self._place = (host.strip("[]"), int(port))
        self._where = f"the Ray cluster at {address}" if address else "the Ray cluster of this machine"
        self._next_s = 0.0
        self._missed = 0

    def check(self) -> bool:
        """Whether a check was due and succeeded. Raises BridgeError after MAX_MISSED_CHECKS failures."""
        from livelink_bridge.core.clock import MonotonicClock

        now_s = MonotonicClock().now()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + CHECK_INTERVAL_S
        try:
            socket.create_connection(self._place, CONNECT_S).close()
        except OSError as error:
            self._missed += 1
            if self._missed >= MAX_MISSED_CHECKS:
                why = error.strerror or error
                raise _ClusterLost(
                    f"{self._where} no longer answers ({why}); finished takes are kept, run again to continue"
                ) from error
            return False
        self._missed = 0
        return True
