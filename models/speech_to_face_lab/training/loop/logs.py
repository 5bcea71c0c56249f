"""A run's log: rows of JSON, and the same as TensorBoard curves where that is installed."""

from __future__ import annotations

import json
import math
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


class Means:
    """Means of values by name over the steps since the last `take`."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: dict[str, float]) -> None:
        """Count one step's values."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """The means, and start again; empty where nothing was added."""
        means = {name: total / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


class Log:
    """Rows of one run; of several processes only the first writes."""

    def __init__(self, folder: Path, writes: bool) -> None:
        self._file = folder / LOG if writes else None
        self._board: Any = None
        if writes and find_spec("tensorboard") is not None:
            self._board = import_module("torch.utils.tensorboard").SummaryWriter(str(folder / "tensorboard"))

    def row(self, step: int, stage: str, seconds: float, values: dict[str, float]) -> None:
        """Append a row. values: losses and measures by name, and "rate"; one that is not finite is written as null."""
        if self._file is None or not values:
            return
        plain = {name: round(value, 6) if math.isfinite(value) else None for name, value in values.items()}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "stage": stage, "seconds": round(seconds, 1), **plain}) + "\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{stage}/{name}", value, step)

    def close(self) -> None:
        """Flush the TensorBoard curves."""
        if self._board is not None:
            self._board.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Rows of a run, in the order they were written; empty where there are none."""
    file = folder / LOG
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
