"""How many threads an operator of PyTorch uses, without deciding it for the process that the network runs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Inside, operators that this thread calls use so many threads; None leaves the number as it is. Costs about a
    microsecond.

    PyTorch keeps the number for each thread; a thread that computes for the first time takes the number that was set
    last, by whichever thread, and a computing host would keep it. So it is put back after every call instead of set
    once.
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
