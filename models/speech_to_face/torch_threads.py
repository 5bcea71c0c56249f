"""The number of threads of a PyTorch operator, set for a call and put back: the host process keeps its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Within the block, operators that this thread calls use `count` threads; None changes nothing. Costs about a
    microsecond.

    PyTorch keeps the number per thread, and a thread that computes for the first time takes the number that any thread
    set last. A host program would keep it, so it is put back after every call instead of set once.
    """
    before = torch.get_num_threads()
    if count is None or count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
