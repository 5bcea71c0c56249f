"""Batches requests of several threads to one worker function: requests that arrive while it is busy share its next
call.

There is no thread of its own, and no request waits for others to join it. A single caller is served at once, on its own
thread; the busier the worker, the larger the batches.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Lock
from typing import Generic, TypeVar

from speech_to_face.base import ModelError

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class _Request(Generic[Ask, Answer]):
    """One caller's request. The thread that serves it writes its fields before it sets `served`."""

    __slots__ = ("answer", "ask", "error", "served")

    answer: Answer

    def __init__(self, ask: Ask) -> None:
        self.ask, self.served = ask, False
        self.error: BaseException | None = None


class StepBatcher(Generic[Ask, Answer]):
    """Runs requests of any number of threads in batches.

    Parameters
    ----------
    serve
        Takes requests, oldest first, and returns as many answers in the same order. Calls never overlap.
    """

    def __init__(self, serve: Callable[[list[Ask]], list[Answer]]) -> None:
        self._serve = serve
        self._lock = Lock()
        self._turn = Condition(self._lock)
        self._waiting: list[_Request[Ask, Answer]] = []
        self._busy = False

    def run(self, ask: Ask) -> Answer:
        """The answer to `ask`, after at most the call in progress and one more.

        An error of the call is raised as it is on the thread that made it, and as ModelError on those that shared it.
        Later requests are not affected.
        """
        request: _Request[Ask, Answer] = _Request(ask)
        batch = self._wait(request)
        if batch:
            self._run_batch(batch)
        elif request.error is not None:
            raise ModelError(f"a step shared with other voices failed: {request.error}") from request.error
        return request.answer

    def _wait(self, request: _Request[Ask, Answer]) -> list[_Request[Ask, Answer]]:
        """The batch that this thread has to run, its own request included; empty when another thread has served it."""
        with self._lock:
            self._waiting.append(request)
            while self._busy and not request.served:
                self._turn.wait()
            if request.served:
                return []
            self._busy = True
            batch, self._waiting = self._waiting, []
            return batch

    def _run_batch(self, batch: list[_Request[Ask, Answer]]) -> None:
        try:
            answers = self._serve([request.ask for request in batch])
            for request, answer in zip(batch, answers, strict=True):
                request.answer = answer
        except BaseException as error:  # any error: the other threads must not wait for it indefinitely
            for request in batch:
                request.error = error
            raise
        finally:
            self._release(batch)

    def _release(self, batch: list[_Request[Ask, Answer]]) -> None:
        with self._lock:
            self._busy = False
            for request in batch:
                request.served = True
            if self._waiting or len(batch) > 1:
                self._turn.notify_all()
