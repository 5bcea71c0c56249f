"""Generates takes in the exact format of the phone app's files, for tests of code that reads them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, TAKE_COLUMNS

START = 19 * 3600 + 55 * 60 + 16
"""Time of day at which the takes start, seconds."""


def face(rows: int, *, head: bool = False) -> NDArray[np.float32]:
    """Frames with a different slow wave on every channel, float32 (rows, 61) in wire order; head and eyes are 0 unless
    `head`."""
    at = np.arange(rows)[:, None] / 60
    values = 0.5 + 0.5 * np.sin(at * 2.0 + np.arange(61) * 0.37)
    values[:, 52:] = (values[:, 52:] - 0.5) * 0.4 if head else 0.0
    waves: NDArray[np.float32] = values.astype(np.float32)
    return waves


def app_take(
    path: Path,
    values: NDArray[np.float32],
    *,
    step: float = 1.001,
    first: float = 26.689,
    lost: range = range(0),
    spelling: str = "BlendshapeCount",
) -> NDArray[np.float64]:
    """Write a take as the app of 2024 does.

    Parameters
    ----------
    path : the .csv file
    values : float32 (rows, 61) in wire order
    step : distance of rows in 1/60 s
    first : frame of the first row within its second, in 1/60 s
    lost : numbers of the rows to leave out
    spelling : header of the second column

    Returns
    -------
    times of day of the rows written, seconds.
    """
    lines, times = [",".join(("Timecode", spelling, *TAKE_COLUMNS))], []
    for number, row in enumerate(values):
        if number in lost:
            continue
        frames = round((first + number * step) * 1000) / 1000
        second, frame = divmod(frames, 60)
        cells = ",".join(f"{row[CHANNELS_61.index(name)]:.10f}" for name in TAKE_COLUMNS)
        whole = int(START + second)
        lines.append(f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frame:06.3f},61,{cells}")
        times.append(whole + frame / 60)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return np.array(times)


def app_folder(
    folder: Path, values: NDArray[np.float32], *, slate: str = "MySlate", take: int = 167, subject: str = "iPhone"
) -> Path:
    """Write the folder of a calibrated take with all files of the app; its `_cal` file has `values`, (n, 61)."""
    home = folder / f"20241204_{slate}_{take}"
    for variant, factor in (("_cal", 1.0), ("_raw", 0.5), ("_neutral", 0.0)):
        app_take(home / f"{slate}_{take}_{subject}{variant}.csv", np.asarray(values * np.float32(factor)))
    (home / "frame_log.csv").write_text("V,0,0.0\n")
    (home / "take.json").write_text(
        json.dumps({"slate": slate, "take": take, "subject": subject, "frames": len(values), "version": 1})
    )
    return home
