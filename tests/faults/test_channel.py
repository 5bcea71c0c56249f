"""The channel against a list, whatever is done to it in whatever order."""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livelink_bridge.core.channel import Channel, Closed


class ChannelAgainstList(RuleBasedStateMachine):
    """A live channel does what a bounded list that forgets its oldest would do."""

    @initialize(capacity=st.integers(1, 5))
    def make(self, capacity: int) -> None:
        self.channel: Channel[int] = Channel(capacity)
        self.items: deque[int] = deque()
        self.dropped = self.next = 0
        self.closed = False

    @rule()
    def put(self) -> None:
        self.next += 1
        assert self.channel.put(self.next) is not self.closed
        if self.closed:
            return
        if len(self.items) == self.channel.capacity:
            self.items.popleft()
            self.dropped += 1
        self.items.append(self.next)

    @precondition(lambda self: self.items or self.closed)
    @rule()
    def get(self) -> None:
        try:
            assert self.channel.get(timeout_s=1.0) == self.items.popleft()
        except Closed:
            assert self.closed and not self.items

    @rule(limit=st.integers(0, 40))
    def take_while(self, limit: int) -> None:
        wanted = []
        while self.items and self.items[0] < limit:
            wanted.append(self.items.popleft())
        assert self.channel.take_while(lambda item: item < limit) == wanted

    @rule()
    def close(self) -> None:
        self.channel.close()
        self.closed = True

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "channel"):
            assert (len(self.channel), self.channel.dropped, self.channel.closed) == (
                len(self.items),
                self.dropped,
                self.closed,
            )


TestChannel = ChannelAgainstList.TestCase
TestChannel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
