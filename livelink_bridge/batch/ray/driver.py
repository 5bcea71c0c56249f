"""The process that speaks to Ray: joins or starts the cluster, keeps every worker busy, and tells its parent what
became of each sound.

Nothing but messages over the pipe comes in or goes out; this process's standard output and error lead nowhere. Ray is
imported in its functions only. Ray starts a worker (`ray_worker`) again when it dies (`max_restarts`), on another
machine if need be, and it loads its tools again before it is given more. The sound it was at is the parent's to give
once more, so that the sound that kills, and no other, runs out of tries.
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
"""Near the least that Ray takes: what crosses machines is a path and an Outcome, a few kilobytes."""
FALSE_STARTS = 3
"""Times in a row that Ray starts a worker which dies before it is ready."""
BEAT_S = 1.0
"""Between looks whether the cluster is there."""
POLL_S = 0.1
MISSED_BEATS = 3
KNOCK_S = 2.0
NO_PROXY_THERE = "http://127.0.0.1:9"
"""The port of the discard service, at which hardly any machine listens."""


class Given(NamedTuple):
    """To the driver: convert this."""

    number: int
    work: Task


class Started(NamedTuple):
    """The cluster has answered."""

    workers: int


class Alive(NamedTuple):
    """The cluster is still there."""


class Done(NamedTuple):
    number: int
    outcome: Outcome


class Died(NamedTuple):
    """The worker of this sound has died."""

    number: int


class Dropped(NamedTuple):
    """Not begun, since the disk is full."""

    number: int


class Failed(NamedTuple):
    """Nothing will come of it: why, on one line."""

    text: str


def drive(pipe: Connection, job: Job) -> None:
    """The process: until the parent closes its end of the pipe, or the cluster is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; who ends what is the parent's to say
    _be_quiet()
    _set_up(job)
    try:
        if _there(pipe, job):
            import ray

            ray.shutdown()
    finally:
        os._exit(0)  # Ray's own way out waits for a cluster that is gone


def _there(pipe: Connection, job: Job) -> bool:
    """Convert until it is over; whether the cluster is still there then."""
    from ray.exceptions import RayError

    try:
        workers = _connect(job)
        pipe.send(Started(workers))
        _Pool(pipe, job, workers).run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return True  # the parent has closed the pipe
    except BridgeError as error:
        pipe.send(Failed(str(error)))
        return not isinstance(error, _Gone)
    except (RayError, ConnectionError, RuntimeError, ValueError, OSError) as error:
        pipe.send(Failed(f"Ray: {_first_line(error)}"))
        return False
    return True


class _Gone(BridgeError):
    """The cluster does not answer any more."""


def _first_line(error: Exception) -> str:
    """What a worker raised, or what Ray says."""
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {next(iter(str(cause).splitlines()), '')}"


def _be_quiet() -> None:
    """Ray and its processes write to a terminal that others draw on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _set_up(job: Job) -> None:
    """What Ray reads when it is imported."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if job.address is None:  # a token of its own closes the cluster to other people of this machine, and leaves no file
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        _keep_in()
        os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 left workers a quarter of a busy machine's share


def _keep_in() -> None:
    """Processes of the cluster that starts here ask nothing outside this machine.

    With usage statistics off, Ray 2.60 still asks each cloud's metadata service which cloud this is, one of them by
    name. It does so by HTTP, like nothing else in this cluster: a proxy that is not there answers at once.
    """
    for name in ("HTTP_PROXY", "no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    os.environ["http_proxy"] = NO_PROXY_THERE


def _connect(job: Job) -> int:
    """Start or join the cluster; how many workers it is to have."""
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
            f"the Ray cluster has no {kind} to give, expected 1 for each sound at a time; ray status shows what it has"
        )
    return min(job.jobs or room, room)


@dataclass(slots=True, eq=False)
class _Hand:
    """A worker as it is seen from here."""

    actor: Any
    number: int | None = None
    """Of the sound it is at; None while it loads."""


@dataclass(eq=False)
class _Pool:
    pipe: Connection
    job: Job
    workers: int
    _shared: Any = None
    """The job, where every worker finds it."""
    _waiting: deque[Given] = field(default_factory=deque)
    _idle: list[_Hand] = field(default_factory=list)
    _busy: dict[Any, _Hand] = field(default_factory=dict)
    """By the answer that is awaited."""

    def run(self) -> None:
        """Until the parent closes the pipe, which is an EOFError here. Raises BridgeError when nothing can be done any
        more."""
        import ray

        actors = _actors(self.workers, 1 if self.job.recipe.device == "cuda" else 0)
        heart = _Heart(self.job.address)
        self._shared = ray.put(self.job)
        try:
            for actor in actors:
                self._load(_Hand(actor))
            while True:
                self._step(heart)
        except (EOFError, OSError):
            for actor in actors:  # now, whatever they are at
                ray.kill(actor)
            raise

    def _step(self, heart: _Heart) -> None:
        self._take(0 if self._busy else POLL_S)
        self._give()
        for answer in self._answers():
            self._hear(self._busy.pop(answer), answer)
        if heart.beat():
            self.pipe.send(Alive())

    def _take(self, wait_s: float) -> None:
        while self.pipe.poll(wait_s):
            self._waiting.append(self.pipe.recv())
            wait_s = 0

    def _give(self) -> None:
        while self._idle and self._waiting:
            hand, given = self._idle.pop(), self._waiting.popleft()
            hand.number = given.number
            self._busy[hand.actor.convert.options(max_task_retries=0).remote(self._shared, given.work)] = hand

    def _answers(self) -> list[Any]:
        import ray

        return list(ray.wait(list(self._busy), num_returns=1, timeout=POLL_S)[0]) if self._busy else []

    def _load(self, hand: _Hand) -> None:
        hand.number = None
        self._busy[hand.actor.load.remote(self._shared)] = hand  # waits while Ray starts it again

    def _hear(self, hand: _Hand, answer: Any) -> None:
        import ray
        from ray.exceptions import RayActorError

        number = hand.number
        try:
            said = ray.get(answer)
        except RayActorError as error:
            if number is None:
                raise BridgeError(
                    f"the batch's workers die before they begin ({_first_line(error)}); is there memory enough?"
                ) from error
            self._load(hand)
            self.pipe.send(Died(number))
            return
        if isinstance(said, str):
            raise BridgeError(said)
        self._idle.append(hand)
        if number is None:
            return
        if said.no_room:
            self._drop()
        self._give()
        self.pipe.send(Done(number, said))

    def _drop(self) -> None:
        while self._waiting:
            self.pipe.send(Dropped(self._waiting.popleft().number))


def _actors(number: int, gpus: int) -> list[Any]:
    """So many workers, spread over the machines."""
    import ray

    wishes: Any = {
        "num_cpus": 1,
        "num_gpus": gpus,
        "max_restarts": -1,
        "max_task_retries": FALSE_STARTS,
        "scheduling_strategy": "SPREAD",
    }
    kind = ray.remote(**wishes)(Worker)
    return [kind.remote() for _ in range(number)]


class _Heart:
    """Looks once a second whether the cluster's head is there: Ray itself waits for a minute, and then ends the
    process."""

    def __init__(self, address: str | None) -> None:
        import ray

        place = address if address and address.startswith("ray://") else ray.get_runtime_context().gcs_address
        host, _, port = place.removeprefix("ray://").rpartition(":")
        self._place = (host.strip("[]"), int(port))
        self._where = f"the Ray cluster at {address}" if address else "the Ray cluster of this machine"
        self._next_s = 0.0
        self._missed = 0

    def beat(self) -> bool:
        """Whether it was looked for and found. Raises BridgeError when it is gone."""
        from livelink_bridge.core.clock import MonotonicClock

        now_s = MonotonicClock().now()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + BEAT_S
        try:
            socket.create_connection(self._place, KNOCK_S).close()
        except OSError as error:
            self._missed += 1
            if self._missed >= MISSED_BEATS:
                why = error.strerror or error
                raise _Gone(
                    f"{self._where} is gone ({why}); every take that was finished stays, run again to go on"
                ) from error
            return False
        self._missed = 0
        return True
