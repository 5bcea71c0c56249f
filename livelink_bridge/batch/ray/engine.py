"""A batch on a Ray cluster: one started for it on this machine, or one of many machines that see the same folders.

Ray's own client runs in a process of its own (`ray_driver`): it ends its process when a cluster has been gone for a
while, it may wait for ever for one that does not answer, it takes over signals, and it writes to the terminal. Here all
of that is one pipe that falls silent.
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

from livelink_bridge.batch.job import Load, Outcome, Part, Recipe, Task, clear_partials, load_tools
from livelink_bridge.batch.local import MOST_TRIES, cores
from livelink_bridge.batch.ray import driver
from livelink_bridge.batch.ray.driver import Died, Done, Dropped, Failed, Given, Started
from livelink_bridge.batch.ray.worker import Job
from livelink_bridge.errors import BridgeError, SinkError, UsageError

START_S = 120.0
"""Seconds a cluster has to answer. Starting one on a slow, busy machine has taken 35."""
SILENCE_S = 20.0
"""Seconds after which a driver that says nothing, which it does once a second, is given up."""
END_S = 15.0
"""Seconds a driver has to end its workers when asked."""
PROBE_S = 5.0
AHEAD = 2
"""Sounds for each worker that are given out and not done: one under way, one waiting, so that none waits for this
process."""
_MARK = ".livelink-bridge-shared-"
_ADDRESS = re.compile(r"auto|(?:ray://)?(?P<host>[^\s:/\[\]]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")


class RayEngine:
    """See `job.Engine`. Closing it ends the workers on every machine; a cluster that was there before stays."""

    def __init__(self, address: str | None = None, jobs: int | None = None, load: Load = load_tools) -> None:
        """`address`: None starts a cluster on this machine for as long as the batch takes; `auto`, HOST:PORT (from a
        machine of the cluster) or ray://HOST:PORT (from outside) joins one. `jobs`: sounds at a time; None is one for
        each core, or each GPU where the recipe's device is cuda. Raises UsageError for another address, BridgeError
        without Ray or where nobody answers there.
        """
        self._address, self._jobs, self._load = address, jobs, load
        where = _place(address)
        if find_spec("ray") is None:
            raise BridgeError("--engine ray needs Ray, which is not installed: pip install 'livelink-bridge[scale]'")
        if where:
            _probe(address, *where)

    def __call__(self, works: Iterable[Task], recipe: Recipe, on_part: Part) -> Iterator[tuple[Task, Outcome]]:
        waiting = iter(works)
        first = next(waiting, None)
        if first is None:
            return
        mark = _leave_mark(_root(first))
        jobs = self._jobs or (cores() if self._address is None else None)
        run = _Run(Job(recipe, self._load, self._address, jobs, first.sound.parent.resolve(), mark))
        try:
            yield from run.outcomes(chain([first], waiting))
        finally:
            run.end()
            mark.unlink(missing_ok=True)


@dataclass(slots=True)
class _UnderWay:
    work: Task
    tries: int = 1
    """This one counted."""


class _Run:
    """One batch and the process that drives it."""

    def __init__(self, job: Job) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._where = f"the Ray cluster at {job.address}" if job.address else "the Ray cluster of this machine"
        self._under_way: dict[int, _UnderWay] = {}
        self._given = 0
        self._room = 0
        """How many may be under way; 0 until the cluster has answered."""
        self._full = False
        self._process: BaseProcess = context.Process(target=driver.drive, args=(theirs, job), name="ray-driver")
        self._process.start()
        theirs.close()  # so that the pipe ends with the process

    def outcomes(self, works: Iterator[Task]) -> Iterator[tuple[Task, Outcome]]:
        while not self._room or self._under_way or self._fill(works):
            for work, outcome in self._hear():
                self._full |= outcome.no_room
                self._fill(works)  # first, so that nobody waits while the answer is written down
                yield work, outcome
            self._fill(works)

    def end(self) -> None:
        """End the workers and what they leave. Harmless when all is done."""
        self._pipe.close()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        for doing in self._under_way.values():
            clear_partials(doing.work.out)

    def _fill(self, works: Iterator[Task]) -> bool:
        """Give out what there is room for. Whether something is under way."""
        while len(self._under_way) < self._room and not self._full and (work := next(works, None)) is not None:
            self._give(_UnderWay(work))
        return bool(self._under_way)

    def _give(self, doing: _UnderWay) -> None:
        self._given += 1
        self._under_way[self._given] = doing
        try:
            self._pipe.send(Given(self._given, doing.work))
        except OSError:
            pass  # it has died: the pipe's end says so, and is heard of next

    def _hear(self) -> Iterator[tuple[Task, Outcome]]:
        said = self._said()
        if isinstance(said, Started):
            self._room = AHEAD * said.workers
        elif isinstance(said, Failed):
            raise BridgeError(said.text)
        elif isinstance(said, Done):
            yield self._under_way.pop(said.number).work, said.outcome
        elif isinstance(said, Dropped):
            del self._under_way[said.number]
        elif isinstance(said, Died):
            yield from self._again(self._under_way.pop(said.number))

    def _said(self) -> object:
        """The next message. Raises BridgeError where none comes any more."""
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
        raise BridgeError(f"{self._where} is gone; every take that was finished stays, run again to go on")

    def _again(self, doing: _UnderWay) -> Iterator[tuple[Task, Outcome]]:
        """A worker died of a sound, or over it."""
        clear_partials(doing.work.out)
        if self._full:
            return
        if doing.tries < MOST_TRIES:
            self._give(_UnderWay(doing.work, doing.tries + 1))
        else:
            yield (
                doing.work,
                Outcome(error=f"{doing.work.sound}: the worker that converted it died {doing.tries} times"),
            )


def _place(address: str | None) -> tuple[str, int] | None:
    """Host and port of an address that has them. Raises UsageError for what is no address."""
    match = _ADDRESS.fullmatch(address) if address is not None else None
    if address is not None and (match is None or (match["port"] and not 0 < int(match["port"]) < 65536)):
        raise UsageError(f"--ray-address: got {address!r}, expected auto, HOST:PORT or ray://HOST:PORT")
    return (match["host"].strip("[]"), int(match["port"])) if match and match["port"] else None


def _probe(address: str | None, host: str, port: int) -> None:
    """Knock: Ray itself tries for minutes."""
    try:
        socket.create_connection((host, port), PROBE_S).close()
    except OSError as error:
        raise BridgeError(
            f"no Ray cluster answers at {address}: {error.strerror or error}; start one: ray start --head"
        ) from error


def _root(work: Task) -> Path:
    """The folder of takes, which a work's name is below."""
    return work.out.parents[len(Path(work.name).parts) - 1]


def _leave_mark(root: Path) -> Path:
    """A file that workers look for, to tell that their folder of takes is this one and not another of its name. Raises
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
