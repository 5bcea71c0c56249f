"""The one way to hand things from a thread to another: bounded, closable, and its losses are counted."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeVar

T = TypeVar("T")
Policy = Literal["newest", "wait"]


class Closed(Exception):
    """The channel is closed and everything in it has been read."""


class Channel(Generic[T]):
    """A queue of at most `capacity` items between one writer and one reader.

    Full, it drops its oldest item and counts it (`policy="newest"`, for what is live), or makes the writer wait
    (`policy="wait"`, for what must be complete). `close` means that no more comes: the reader drains what is left, then
    gets `Closed`. Closing twice is harmless, putting after `close` is ignored. With "newest" `put` takes no longer than
    a short lock, so an audio callback may call it.
    """

    def __init__(self, capacity: int, policy: Policy = "newest") -> None:
        if capacity < 1:
            raise ValueError(f"a channel holds at least one item, got capacity {capacity}")
        self.capacity = capacity
        self.policy: Policy = policy
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._dropped = 0

    @classmethod
    def of_ms(cls, capacity_ms: float, item_ms: float, policy: Policy = "newest") -> Channel[T]:
        """A channel for `capacity_ms` milliseconds of items that last `item_ms` each."""
        return cls(max(1, math.ceil(capacity_ms / item_ms)), policy)

    @property
    def dropped(self) -> int:
        """Items thrown away because the reader was too slow."""
        return self._dropped

    @property
    def closed(self) -> bool:
        return self._closed

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Hand over one item. False when the channel is closed and the item was ignored."""
        with self._changed:
            if self.policy == "wait":
                self._changed.wait_for(lambda: self._closed or len(self._items) < self.capacity)
            elif len(self._items) == self.capacity and not self._closed:
                self._items.popleft()
                self._dropped += 1
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float | None = None) -> T:
        """The oldest item, waiting for one to come. Raises `Closed` after the last one, TimeoutError after
        `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or bool(self._items), timeout_s):
                raise TimeoutError(f"nothing came for {timeout_s} s")
            if not self._items:
                raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def take_while(self, wanted: Callable[[T], bool]) -> list[T]:
        """The oldest items for which `wanted` holds, without waiting; perhaps none."""
        with self._changed:
            taken: list[T] = []
            while self._items and wanted(self._items[0]):
                taken.append(self._items.popleft())
            if taken:
                self._changed.notify_all()
            return taken

    def close(self) -> None:
        """No more comes. Whoever waits in `get` or `put` is woken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Items until the channel is closed and empty."""
        while True:
            try:
                yield self.get()
            except Closed:
                return
