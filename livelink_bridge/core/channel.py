"""Bounded, closable queue between two threads that counts the items it drops."""

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

    After `close` the reader drains the remaining items, then gets `Closed`. Closing twice is harmless; `put` after
    `close` is ignored. With policy "newest", `put` holds a lock only briefly, so an audio callback may call it.
    """

    def __init__(self, capacity: int, policy: Policy = "newest") -> None:
        """
        Parameters
        ----------
        capacity : items, at least 1; ValueError otherwise
        policy : when the queue is full, "newest" drops and counts the oldest item (live audio and frames), "wait"
            blocks the writer (data that must be complete)
        """
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
        """A channel that holds `capacity_ms` milliseconds of items that last `item_ms` each, at least one item."""
        return cls(max(1, math.ceil(capacity_ms / item_ms)), policy)

    @property
    def dropped(self) -> int:
        """Items dropped because the reader was too slow."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Whether `close` was called; items may still be waiting to be read."""
        return self._closed

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Append one item. False when the channel is closed and the item was ignored."""
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
        """Remove and return the oldest item; waits until there is one.

        Parameters
        ----------
        timeout_s : seconds to wait; None waits indefinitely

        Raises
        ------
        Closed : the channel is closed and empty
        TimeoutError : no item within `timeout_s`
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or bool(self._items), timeout_s):
                raise TimeoutError(f"no item within {timeout_s} s")
            if not self._items:
                raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def take_while(self, predicate: Callable[[T], bool]) -> list[T]:
        """Remove and return the oldest items while `predicate` holds, without waiting; may be empty."""
        with self._changed:
            items: list[T] = []
            while self._items and predicate(self._items[0]):
                items.append(self._items.popleft())
            if items:
                self._changed.notify_all()
            return items

    def close(self) -> None:
        """End the input. Wakes threads that wait in `get` or `put`."""
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
