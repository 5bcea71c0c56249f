"""The local engine: worker processes on this machine with one thread and one loaded model each.

Processes are spawned, since a network's threads do not survive a fork. Each has its own pipe: a process that dies loses
only its own task, which is tried once more.
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

from livelink_bridge.batch.job import Load, OnProgress, Outcome, Recipe, Task, clear_partials, convert_one, load_context
from livelink_bridge.errors import BridgeError

MAX_TRIES = 2
"""Attempts at a task whose process died: the out-of-memory killer picks at random, a faulty file crashes again."""
MAX_FALSE_STARTS = 3
"""Processes in a row that may die before they are ready."""
PROGRESS_STEP = 0.01
"""Progress between two reports of one task."""
END_S = 5.0
"""Seconds a process has to end before it is killed."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Environment variables that limit numpy's libraries to one thread; read once, when they are loaded."""


def cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalEngine:
    """A `job.Engine` of processes on this machine."""

    def __init__(self, jobs: int | None = None, load: Load = load_context) -> None:
        """
        Parameters
        ----------
        jobs : number of processes; None is one per core, or one on a GPU, since each process loads its own model
        load : loads the context in each process
        """
        self._jobs, self._load = jobs, load

    def __call__(
        self, tasks: Iterable[Task], recipe: Recipe, on_progress: OnProgress
    ) -> Iterator[tuple[Task, Outcome]]:
        pool = _Pool(recipe, self._load, on_progress)
        try:
            yield from pool.run(iter(tasks), self._jobs or (cores() if recipe.device == "cpu" else 1))
        finally:
            pool.end()


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None
    tries: int = 0
    """Attempts at its task, this one included."""


class _Pool:
    def __init__(self, recipe: Recipe, load: Load, on_progress: OnProgress) -> None:
        self._recipe, self._load, self._on_progress = recipe, load, on_progress
        self._workers: list[_Worker] = []
        self._retries: list[tuple[Task, int]] = []
        self._false_starts = 0
        self._full = False

    def run(self, tasks: Iterator[Task], jobs: int) -> Iterator[tuple[Task, Outcome]]:
        while True:
            while len(self._workers) < jobs and (assignment := self._next(tasks)) is not None:
                self._start(*assignment)
            if not self._workers:
                return
            for pipe in connection.wait([worker.pipe for worker in self._workers]):
                worker = next(one for one in self._workers if one.pipe is pipe)
                yield from self._receive(worker, tasks)

    def end(self) -> None:
        """End the remaining processes and remove their partial files. Idempotent."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            _await_end(worker.process)
            worker.pipe.close()
            if worker.task:
                clear_partials(worker.task.out)
        self._workers.clear()

    def _next(self, tasks: Iterator[Task]) -> tuple[Task, int] | None:
        """Next task and its attempt number; None if there is none."""
        if self._full:
            return None
        if self._retries:
            return self._retries.pop()
        task = next(tasks, None)
        return None if task is None else (task, 1)

    def _start(self, task: Task, tries: int) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_worker_main, args=(theirs, self._recipe, self._load), name="batch")
        with _worker_environment():
            process.start()
        theirs.close()  # so that the pipe ends with the process
        self._workers.append(_Worker(process, ours, task=task, tries=tries))

    def _receive(self, worker: _Worker, tasks: Iterator[Task]) -> Iterator[tuple[Task, Outcome]]:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._handle_death(worker)
            return
        assert worker.task is not None
        if isinstance(message, float):
            self._on_progress(worker.task, message)
        elif isinstance(message, str):
            raise BridgeError(message)
        elif isinstance(message, Outcome):
            done, worker.task = worker.task, None
            self._full |= message.no_room
            self._assign(worker, self._next(tasks))  # before yielding: the consumer writes the outcome to disk
            yield done, message
        else:
            worker.ready, self._false_starts = True, 0
            self._send(worker, worker.task)

    def _assign(self, worker: _Worker, assignment: tuple[Task, int] | None) -> None:
        if assignment is not None:
            worker.task, worker.tries = assignment
            self._send(worker, worker.task)
            return
        self._send(worker, None)
        _await_end(worker.process)
        self._remove(worker)

    def _send(self, worker: _Worker, task: Task | None) -> None:
        try:
            worker.pipe.send(task)
        except OSError:
            pass  # the process has died: reading its pipe reports it next

    def _handle_death(self, worker: _Worker) -> Iterator[tuple[Task, Outcome]]:
        """A process has died, or has closed its end of the pipe."""
        _await_end(worker.process)
        self._remove(worker)
        how = f"exit code {worker.process.exitcode}"
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= MAX_FALSE_STARTS:
                raise BridgeError(
                    f"the worker processes die while they start ({how}); is there enough memory? Try a smaller --jobs"
                )
        if worker.task is None:
            return
        clear_partials(worker.task.out)
        if not worker.ready:
            self._retries.append((worker.task, worker.tries))
        elif worker.tries < MAX_TRIES:
            self._retries.append((worker.task, worker.tries + 1))
        else:
            yield (
                worker.task,
                Outcome(error=f"{worker.task.sound}: the process that converted it died {worker.tries} times ({how})"),
            )

    def _remove(self, worker: _Worker) -> None:
        worker.pipe.close()
        self._workers.remove(worker)


def _await_end(process: BaseProcess) -> None:
    """Kill a process that does not end within `END_S`: the interpreter's exit would wait for it."""
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join()


def _worker_main(pipe: Connection, recipe: Recipe, load: Load) -> None:
    """Main function of a worker process: sends None when it is ready, then an outcome per task; ends at the task None.
    An error while loading is sent as a text."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from speech_to_face.base import ModelError

    try:
        context = load(recipe)
    except (BridgeError, ModelError) as error:
        pipe.send(str(error))
        return
    pipe.send(None)
    while (task := pipe.recv()) is not None:
        pipe.send(convert_one(task.sound, task.out, recipe, context, _ProgressSender(pipe), placed=task.placed))


class _ProgressSender:
    """Sends the progress of a task, at most a hundred times."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._sent = pipe, 0.0

    def __call__(self, part: float) -> None:
        if part - self._sent >= PROGRESS_STEP and part < 1:
            self._sent = part
            self._pipe.send(float(part))


def _end_with_parent() -> None:
    """End this process with its parent, so that a killed batch leaves no workers. Runs on a daemon thread."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _worker_environment() -> Iterator[None]:
    """Start processes with one thread per library, unless the user's environment sets more, and SIGINT blocked.

    Both are inherited. Setting them in the process would be too late: it may be interrupted while it is loading.
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
