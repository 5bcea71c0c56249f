"""Askers of one worker, served together: whoever comes while it is busy waits and shares the next call.

No thread of its own and no waiting for company. One asker alone is served at once, by its own thread; the busier the
worker, the larger the groups.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Lock
from typing import Generic, TypeVar

from speech_to_face.base import ModelError

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class _Place(Generic[Ask, Answer]):
    """One asker's place in the queue. Its fields are written by the thread that serves it, before `served` is set."""

    __slots__ = ("answer", "ask", "error", "served")

    answer: Answer

    def __init__(self, ask: Ask) -> None:
        self.ask, self.served = ask, False
        self.error: BaseException | None = None


class StepBatcher(Generic[Ask, Answer]):
    """`serve` takes what was asked, oldest first, and gives as many answers in the same order. It is never called twice
    at once."""

    def __init__(self, serve: Callable[[list[Ask]], list[Answer]]) -> None:
        self._serve = serve
        self._lock = Lock()
        self._turn = Condition(self._lock)
        self._waiting: list[_Place[Ask, Answer]] = []
        self._busy = False

    def run(self, ask: Ask) -> Answer:
        """The answer to `ask`, after at most the call that is running and one more.

        An error of the call is raised as it is in the thread that made it, and as ModelError in those that shared it;
        who came later is not touched by it.
        """
        place: _Place[Ask, Answer] = _Place(ask)
        taken = self._wait(place)
        if taken:
            self._lead(taken)
        elif place.error is not None:
            raise ModelError(f"a step shared with other voices failed: {place.error}") from place.error
        return place.answer

    def _wait(self, place: _Place[Ask, Answer]) -> list[_Place[Ask, Answer]]:
        """Those that this thread has to serve, itself among them; none when another thread has served it."""
        with self._lock:
            self._waiting.append(place)
            while self._busy and not place.served:
                self._turn.wait()
            if place.served:
                return []
            self._busy = True
            taken, self._waiting = self._waiting, []
            return taken

    def _lead(self, places: list[_Place[Ask, Answer]]) -> None:
        try:
            answers = self._serve([place.ask for place in places])
            for place, answer in zip(places, answers, strict=True):
                place.answer = answer
        except BaseException as error:  # whatever it is, the others must not wait for it for ever
            for place in places:
                place.error = error
            raise
        finally:
            self._release(places)

    def _release(self, places: list[_Place[Ask, Answer]]) -> None:
        with self._lock:
            self._busy = False
            for place in places:
                place.served = True
            if self._waiting or len(places) > 1:
                self._turn.notify_all()
