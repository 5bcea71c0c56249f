"""The Ray engine: a cluster started on this machine, or an existing one whose machines share the folders.

Ray's client runs in a separate process (`driver`): it ends its process when the cluster has been lost for a while, may
block indefinitely if the cluster does not answer, replaces signal handlers and writes to the terminal. Here all of that
shows only as a pipe without messages.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from livelink_bridge.batch.job import Load, OnProgress, Outcome, Recipe, Task, clear_partials, load_context
from livelink_bridge.batch.local import MAX_TRIES, cores
from livelink_bridge.batch.ray import driver
from livelink_bridge.batch.ray.driver import Convert, Died, Done, Dropped, Failed, Started
from livelink_bridge.batch.ray.worker import Job
from livelink_bridge.errors import BridgeError, SinkError, UsageError

START_S = 120.0
"""Seconds a cluster has to connect. Starting one on a slow, busy machine has taken 35."""
SILENCE_S = 20.0
"""Seconds without a message, of which the driver sends one a second, after which it is given up."""
END_S = 15.0
"""Seconds the driver has to end its workers before it is killed."""
PROBE_S = 5.0
"""Time limit of the first connection to a cluster."""
TASKS_PER_WORKER = 2
"""Tasks sent per worker: one running and one waiting, so that workers never wait for this process."""
_MARK = ".livelink-bridge-shared-"
_ADDRESS = re.compile(r"auto|(?:ray://)?(?P<host>[^\s:/\[\]]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")


class RayEngine:
    """A `job.Engine` on Ray. Closing its iterator ends the workers on every machine; an existing cluster keeps
    running."""

    def __init__(self, address: str | None = None, jobs: int | None = None, load: Load = load_context) -> None:
        """
        Parameters
        ----------
        address : None starts a cluster on this machine for the duration of the batch; `auto`, HOST:PORT (on a machine
            of the cluster) or ray://HOST:PORT (from outside) joins one
        jobs : number of workers; None is one per core, or one per GPU if the recipe's device is cuda
        load : loads the context in each worker

        Raises UsageError for an invalid address, BridgeError if Ray is not installed or no cluster answers.
        """
        self._address, self._jobs, self._load = address, jobs, load
        where = _parse_address(address)
        if find_spec("ray") is None:
            raise BridgeError("--engine ray needs Ray, which is not installed: pip install 'livelink-bridge[scale]'")
        if where:
            _probe(address, *where)

    def __call__(
        self, tasks: Iterable[Task], recipe: Recipe, on_progress: OnProgress
    ) -> Iterator[tuple[Task, Outcome]]:
        waiting = iter(tasks)
        first = next(waiting, None)
        if first is None:
            return
        mark = _create_marker(_root(first))
        jobs = self._jobs or (cores() if self._address is None else None)
        run = _Run(Job(recipe, self._load, self._address, jobs, first.sound.parent.resolve(), mark))
        try:
            yield from run.outcomes(chain([first], waiting))
        finally:
            run.end()
            mark.unlink(missing_ok=True)


@dataclass(slots=True)
class _RunningTask:
    task: Task
    tries: int = 1
    """Attempts, this one included."""


class _Run:
    """One batch and its driver process."""

    def __init__(self, job: Job) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._where = f"the Ray cluster at {job.address}" if job.address else "the Ray cluster of this machine"
        self._running: dict[int, _RunningTask] = {}
        self._given = 0
        self._room = 0
        """Most tasks sent at a time; 0 until the cluster is connected."""
        self._full = False
        self._process: BaseProcess = context.Process(target=driver.drive, args=(theirs, job), name="ray-driver")
        self._process.start()
        theirs.close()  # so that the pipe ends with the process

    def outcomes(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Outcome]]:
        while not self._room or self._running or self._fill(tasks):
            for task, outcome in self._receive():
                self._full |= outcome.no_room
                self._fill(tasks)  # before yielding: the consumer writes the outcome to disk
                yield task, outcome
            self._fill(tasks)

    def end(self) -> None:
        """End the workers and remove their partial files. Idempotent."""
        self._pipe.close()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        for running in self._running.values():
            clear_partials(running.task.out)

    def _fill(self, tasks: Iterator[Task]) -> bool:
        """Send tasks up to the limit. Returns whether any task is running."""
        while len(self._running) < self._room and not self._full and (task := next(tasks, None)) is not None:
            self._assign(_RunningTask(task))
        return bool(self._running)

    def _assign(self, running: _RunningTask) -> None:
        self._given += 1
        self._running[self._given] = running
        try:
            self._pipe.send(Convert(self._given, running.task))
        except OSError:
            pass  # the driver has died: reading its pipe reports it next

    def _receive(self) -> Iterator[tuple[Task, Outcome]]:
        message = self._next_message()
        if isinstance(message, Started):
            self._room = TASKS_PER_WORKER * message.workers
        elif isinstance(message, Failed):
            raise BridgeError(message.text)
        elif isinstance(message, Done):
            yield self._running.pop(message.number).task, message.outcome
        elif isinstance(message, Dropped):
            del self._running[message.number]
        elif isinstance(message, Died):
            yield from self._retry(self._running.pop(message.number))

    def _next_message(self) -> object:
        """The next message. Raises BridgeError if none arrives in time."""
        limit_s = SILENCE_S if self._room else START_S
        try:
            if self._pipe.poll(limit_s):
                return self._pipe.recv()
        except (EOFError, OSError):
            pass
        if not self._room:
            raise BridgeError(
                f"{self._where} could not be reached in {limit_s:.0f} s; is it running, and is RAY_AUTH_TOKEN its "
                "token?"
            )
        raise BridgeError(f"{self._where} no longer answers; finished takes are kept, run again to continue")

    def _retry(self, running: _RunningTask) -> Iterator[tuple[Task, Outcome]]:
        """Retry a task whose worker died, or yield its error after the last attempt."""
        clear_partials(running.task.out)
        if self._full:
            return
        if running.tries < MAX_TRIES:
            self._assign(_RunningTask(running.task, running.tries + 1))
        else:
            yield (
                running.task,
                Outcome(error=f"{running.task.sound}: the worker that converted it died {running.tries} times"),
            )


def _parse_address(address: str | None) -> tuple[str, int] | None:
    """Host and port of an address, None without them. Raises UsageError for an invalid address."""
    match = _ADDRESS.fullmatch(address) if address is not None else None
    if address is not None and (match is None or (match["port"] and not 0 < int(match["port"]) < 65536)):
        raise UsageError(f"--ray-address: got {address!r}, expected auto, HOST:PORT or ray://HOST:PORT")
    return (match["host"].strip("[]"), int(match["port"])) if match and match["port"] else None


def _probe(address: str | None, host: str, port: int) -> None:
    """Connect once, since Ray itself retries for minutes. Raises BridgeError if that fails."""
    try:
        socket.create_connection((host, port), PROBE_S).close()
    except OSError as error:
        raise BridgeError(
            f"no Ray cluster answers at {address}: {error.strerror or error}; start one: ray start --head"
        ) from error


def _root(task: Task) -> Path:
    """The folder of takes, which a work's name is below."""
    return task.out.parents[len(Path(task.name).parts) - 1]


def _create_marker(root: Path) -> Path:
    """Create the file by which workers check that they see this folder of takes, not another of the same name. Raises
    SinkError."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        for old in root.glob(f"{_MARK}*"):
            old.unlink(missing_ok=True)
        mark = root.resolve() / f"{_MARK}{secrets.token_hex(8)}"
        mark.touch()
    except OSError as error:
        raise SinkError(f"{root} cannot be written to: {error.strerror or error}") from error
    return mark
