"""Exports a take as JSON, for web pages and scripts. Rows are written one by one, so memory does not grow with the
take."""

from __future__ import annotations

import json
from typing import BinaryIO

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import Take
from arkit_mapping.takes.edit import timecode
from livelink_bridge.takes.export.atomic import Progress

VERSION = 1
_ROWS_A_STEP = 1000
_DIGITS = 7
"""Decimal digits of a float32 in [0, 1]."""


def write_json(take: Take, file: BinaryIO, on_progress: Progress) -> None:
    """`{"format", "version", "rate", "start", "channels": [61 names], "frames": [{"t": seconds, "values": [61]},
    ...]}`.

    `t` counts from the first row, whose timecode is `start`; values are in the order of `channels`, the nine angles in
    radians.

    Parameters
    ----------
    take : the take
    file : open for writing
    on_progress : receives the part done, 0 to 1
    """
    head = {
        "format": "livelink-bridge take",
        "version": VERSION,
        "rate": take.rate,
        "start": timecode(float(take.times_s[0])),
        "channels": list(CHANNELS_61),
    }
    file.write((json.dumps(head)[:-1] + ', "frames": [').encode())
    rows = len(take.times_s)
    for at, (time_s, row) in enumerate(zip(take.times_s - take.times_s[0], take.values, strict=True)):
        values = [round(value, _DIGITS) for value in row.tolist()]
        frame = json.dumps({"t": round(float(time_s), 6), "values": values}, separators=(",", ":"))
        file.write(((",\n" if at else "\n") + frame).encode())
        if at % _ROWS_A_STEP == 0:
            on_progress(at / rows)
    file.write(b"\n]}\n")
    on_progress(1.0)
