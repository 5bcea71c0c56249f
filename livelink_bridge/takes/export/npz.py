"""Exports a take as a NumPy .npz archive, without pickled objects."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import Take
from livelink_bridge.takes.export.atomic import Progress


def write_npz(take: Take, file: BinaryIO, on_progress: Progress) -> None:
    """`values` float32 (rows, 61), `times_s` float64 (rows,) from midnight, `rate` int, `channels` str (61,)."""
    np.savez_compressed(
        file, values=take.values, times_s=take.times_s, rate=np.int64(take.rate), channels=np.array(CHANNELS_61)
    )
    on_progress(1.0)
