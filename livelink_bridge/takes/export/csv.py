"""Exports a take as Live Link Face CSV, with its own rate, gaps and timecode.

`arkit_mapping.takes.csv.TakeWriter` writes 60 even rows per second; this exporter keeps the time of each row. A row
recorded by the app is written byte for byte as it was.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import Take
from arkit_mapping.takes.rows import HEADER, ROW, moment_of, passes_30, row_text
from livelink_bridge.takes.export.atomic import Progress

_ROWS_A_STEP = 1000


def write_csv(take: Take, file: BinaryIO, on_progress: Progress) -> None:
    """Write every row at its own time, followed by neutral rows if the take is so short that importers would guess its
    rate wrong.

    Parameters
    ----------
    take : the take
    file : open for writing
    on_progress : receives the part done, 0 to 1
    """
    file.write(f"{HEADER}\n".encode())
    rows, seen, moment = len(take.times_s), False, 0
    for first in range(0, rows, _ROWS_A_STEP):
        part = slice(first, first + _ROWS_A_STEP)
        for time_s, row in zip(take.times_s[part].tolist(), take.values[part].astype(np.float64), strict=True):
            moment = moment_of(time_s)
            seen = seen or passes_30(moment)
            file.write(row_text(moment, row).encode())
        on_progress(min(1.0, part.stop / rows))
    while not seen:  # at most half a second of them
        moment += ROW
        seen = passes_30(moment)
        file.write(row_text(moment, np.zeros(len(CHANNELS_61))).encode())
