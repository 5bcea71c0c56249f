"""What a run says while it learns: rows of JSON, and the same as TensorBoard curves where that is installed."""

from __future__ import annotations

import json
import math
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


class Log:
    """Rows of one run; of several processes only the first writes."""

    def __init__(self, folder: Path, writes: bool) -> None:
        self._file = folder / LOG if writes else None
        self._board: Any = None
        if writes and find_spec("tensorboard") is not None:
            self._board = import_module("torch.utils.tensorboard").SummaryWriter(str(folder / "tensorboard"))

    def row(self, step: int, stage: str, seconds: float, values: dict[str, float]) -> None:
        """values: the stage's losses by name, and "rate"; one that is not finite is written as null."""
        if self._file is None:
            return
        plain = {name: round(value, 6) if math.isfinite(value) else None for name, value in values.items()}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "stage": stage, "seconds": round(seconds, 1), **plain}) + "\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{stage}/{name}", value, step)

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Rows of a run, in the order they were written; empty where there are none."""
    file = folder / LOG
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
