"""A batch on this machine: one process for each of so many sounds at a time, one thread each, the model loaded once in
each.

Processes are started afresh (spawn), since a network's threads do not survive a fork. Each has a pipe of its own, so
that one which dies takes nothing with it but the sound it was at, and that one is tried once more.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from livelink_bridge.batch.job import Load, Outcome, Part, Recipe, Task, clear_partials, convert_one, load_tools
from livelink_bridge.errors import BridgeError

MOST_TRIES = 2
"""Of a sound whose process died: a machine short of memory kills at random, a sound that kills does it again."""
MOST_FALSE_STARTS = 3
"""Processes in a row that may die before they are ready."""
PART_STEP = 0.01
END_S = 5.0
"""Seconds a process has to end when asked."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""How numpy's libraries are told to use one thread; they look once, when they are loaded."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalEngine:
    """See `job.Engine`."""

    def __init__(self, jobs: int | None = None, load: Load = load_tools) -> None:
        """`jobs`: sounds at a time; None is one for each core, or one on a GPU, where each process has a model of its
        own."""
        self._jobs, self._load = jobs, load

    def __call__(self, works: Iterable[Task], recipe: Recipe, on_part: Part) -> Iterator[tuple[Task, Outcome]]:
        pool = _Pool(recipe, self._load, on_part)
        try:
            yield from pool.run(iter(works), self._jobs or (cores() if recipe.device == "cpu" else 1))
        finally:
            pool.end()


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    work: Task | None = None
    tries: int = 0
    """Of its work, this one counted."""


class _Pool:
    def __init__(self, recipe: Recipe, load: Load, on_part: Part) -> None:
        self._recipe, self._load, self._on_part = recipe, load, on_part
        self._workers: list[_Worker] = []
        self._again: list[tuple[Task, int]] = []
        self._false_starts = 0
        self._full = False

    def run(self, works: Iterator[Task], jobs: int) -> Iterator[tuple[Task, Outcome]]:
        while True:
            while len(self._workers) < jobs and (given := self._next(works)) is not None:
                self._start(*given)
            if not self._workers:
                return
            for pipe in connection.wait([worker.pipe for worker in self._workers]):
                worker = next(one for one in self._workers if one.pipe is pipe)
                yield from self._hear(worker, works)

    def end(self) -> None:
        """End whoever still works, and what they leave. Harmless when all is done."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            _await_end(worker.process)
            worker.pipe.close()
            if worker.work:
                clear_partials(worker.work.out)
        self._workers.clear()

    def _next(self, works: Iterator[Task]) -> tuple[Task, int] | None:
        """What is to be done next, and the how-manieth try it is."""
        if self._full:
            return None
        if self._again:
            return self._again.pop()
        work = next(works, None)
        return None if work is None else (work, 1)

    def _start(self, work: Task, tries: int) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_body, args=(theirs, self._recipe, self._load), name="batch")
        with _quietly():
            process.start()
        theirs.close()  # so that the pipe ends with the process
        self._workers.append(_Worker(process, ours, work=work, tries=tries))

    def _hear(self, worker: _Worker, works: Iterator[Task]) -> Iterator[tuple[Task, Outcome]]:
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._lost(worker)
            return
        assert worker.work is not None
        if isinstance(said, float):
            self._on_part(worker.work, said)
        elif isinstance(said, str):
            raise BridgeError(said)
        elif isinstance(said, Outcome):
            done, worker.work = worker.work, None
            self._full |= said.no_room
            self._give(worker, self._next(works))  # first, so that nobody waits while the answer is written down
            yield done, said
        else:
            worker.ready, self._false_starts = True, 0
            self._send(worker, worker.work)

    def _give(self, worker: _Worker, given: tuple[Task, int] | None) -> None:
        if given is not None:
            worker.work, worker.tries = given
            self._send(worker, worker.work)
            return
        self._send(worker, None)
        _await_end(worker.process)
        self._forget(worker)

    def _send(self, worker: _Worker, work: Task | None) -> None:
        try:
            worker.pipe.send(work)
        except OSError:
            pass  # it has died: the pipe's end says so, and is heard of next

    def _lost(self, worker: _Worker) -> Iterator[tuple[Task, Outcome]]:
        """A process has died, or at least closed its end of the pipe."""
        _await_end(worker.process)
        self._forget(worker)
        how = f"exit code {worker.process.exitcode}"
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                raise BridgeError(
                    f"the processes of the batch die before they begin ({how}); is there memory enough? Try a smaller "
                    "--jobs"
                )
        if worker.work is None:
            return
        clear_partials(worker.work.out)
        if not worker.ready:
            self._again.append((worker.work, worker.tries))
        elif worker.tries < MOST_TRIES:
            self._again.append((worker.work, worker.tries + 1))
        else:
            yield (
                worker.work,
                Outcome(error=f"{worker.work.sound}: the process that converted it died {worker.tries} times ({how})"),
            )

    def _forget(self, worker: _Worker) -> None:
        worker.pipe.close()
        self._workers.remove(worker)


def _await_end(process: BaseProcess) -> None:
    """Kill a process that does not end when asked: this interpreter's own exit would wait for it."""
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join()


def _body(pipe: Connection, recipe: Recipe, load: Load) -> None:
    """A process of the pool: says that it is ready, then what became of each sound it is given, until it is given
    None."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches every process; who ends what is the first one's to say
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from speech_to_face.base import ModelError

    try:
        tools = load(recipe)
    except (BridgeError, ModelError) as error:
        pipe.send(str(error))
        return
    pipe.send(None)
    while (work := pipe.recv()) is not None:
        pipe.send(convert_one(work.sound, work.out, recipe, tools, _Parts(pipe), placed=work.placed))


class _Parts:
    """Tells a long sound's progress, a hundred times at most."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._told = pipe, 0.0

    def __call__(self, part: float) -> None:
        if part - self._told >= PART_STEP and part < 1:
            self._told = part
            self._pipe.send(float(part))


def _end_with_parent() -> None:
    """A daemon, since it must not keep the process: a batch that was killed leaves nobody at work."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _quietly() -> Iterator[None]:
    """What is started here has its libraries use one thread, unless the user says otherwise, and never hears of Ctrl-C.

    Both are inherited: it would be too late to say so in the process, which may be interrupted while it is still
    loading.
    """
    ours = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    mask = getattr(signal, "pthread_sigmask", None)  # Windows has none
    before = mask(signal.SIG_BLOCK, {signal.SIGINT}) if mask else None
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_SETMASK, before)
        for name in ours:
            del os.environ[name]
