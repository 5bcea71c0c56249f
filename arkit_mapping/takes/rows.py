"""Text format of a take: header, rows, timecode, and its unit of time.

Time in a take is counted in integer thousandths of a sixtieth of a second: a row's timecode is rounded once, and errors
do not add up. Layout: one header of 63 columns, LF line ends, no spaces, no quotes, values with ten decimals (as in the
app's own files).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE, TAKE_COLUMNS
from arkit_mapping.takes.cells import TakeError as TakeError

MIN_ROWS = 37
"""Rows in 0.6 s. Of this many consecutive rows at least one has an FF over 30, whatever the first."""
DAY_S = 86400
ROW = 1000
"""Thousandths of a sixtieth from one row to the next."""
SECOND = ROW * FRAME_RATE
"""Thousandths of a sixtieth in a second."""
HEADER = ",".join(("Timecode", "BlendShapeCount", *TAKE_COLUMNS))

_TO_COLUMNS = np.array([CHANNELS_61.index(name) for name in TAKE_COLUMNS], dtype=np.intp)
_ROW = "%s,61," + ",".join(["%.10f"] * len(TAKE_COLUMNS)) + "\n"


def timecode(moment: int) -> str:
    """`HH:MM:SS:FF.mmm` of a time in thousandths of a sixtieth; wraps at midnight."""
    seconds, part = divmod(moment, SECOND)
    minutes, seconds = divmod(seconds % DAY_S, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}:{part // ROW:02}.{part % ROW:03}"


def moment_of(seconds: float) -> int:
    """Convert seconds of the day to thousandths of a sixtieth."""
    return round(seconds * SECOND)


def passes_30(moment: int) -> bool:
    """Whether a row at this time shows newer importers that the take counts sixtieths: they look for an FF.mmm over
    30."""
    return moment % SECOND > 30 * ROW


def row_text(moment: int, weights: NDArray[np.float64]) -> str:
    """The line of one frame.

    Parameters
    ----------
    moment
        Thousandths of a sixtieth since midnight.
    weights
        float64 (61,), wire order, finite.
    """
    # Adding zero turns -0.0 into 0.0, which has no sign.
    return _ROW % (timecode(moment), *(weights[_TO_COLUMNS] + 0.0).tolist())


def checked_rows(values: NDArray[np.floating], where: str) -> NDArray[np.float64]:
    """Convert float (61,) or (k, 61) to float64 (k, 61). Raises TakeError for another shape; `where` leads its text."""
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != len(CHANNELS_61):
        raise TakeError(f"{where}: got values of shape {np.shape(values)}, expected (61,) or (rows, 61)")
    return rows
