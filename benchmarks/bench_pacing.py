"""Regularity of packets while a model runs, and their delay after the audio; one voice or several.

The whole live path runs: audio in real time in blocks of a quarter of a frame, the model, the sender, a real socket.

    python benchmarks/bench_pacing.py --seconds 60 --model pmmtalk-live
    python benchmarks/bench_pacing.py --seconds 60 --model pmmtalk-live --subjects 4
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import threading
from fractions import Fraction

import numpy as np
from paced import load, received, receiver, run

from livelink_bridge.reporting.metrics import Summary
from livelink_bridge.session.outputs import Outputs


def report(times_s: np.ndarray, fps: int) -> None:
    """Print rate, intervals, deadline errors and drift of packets sent at `times_s`."""
    intervals_ms = 1000 * np.diff(times_s)
    nominal_ms = 1000 / fps
    numbers = np.round((times_s - times_s[0]) * fps)
    slope, intercept = np.polyfit(numbers, times_s, 1)
    errors_ms = 1000 * np.abs(times_s - (slope * numbers + intercept))
    uneven_ms = np.abs(intervals_ms - nominal_ms)
    print(f"packets            {len(times_s)}")
    print(f"rate               {(len(times_s) - 1) / (times_s[-1] - times_s[0]):.3f} fps")
    print(f"interval sd        {intervals_ms.std():.3f} ms")
    print(f"interval error     p99 {np.percentile(uneven_ms, 99):.3f} ms, max {uneven_ms.max():.3f} ms")
    print(f"deadline error     p99 {np.percentile(errors_ms, 99):.3f} ms, max {errors_ms.max():.3f} ms")
    print(f"drift              {1e6 * (slope * fps - 1):+.1f} ppm")


def report_session(summary: Summary) -> None:
    """Print model time, delay and losses."""
    print(f"model step         {summary.step_ms:.2f} ms a frame, p99 {summary.step_p99_ms:.2f} ms")
    print(f"audio to packet    median {summary.delay_ms:.1f} ms, p99 {summary.delay_p99_ms:.1f} ms")
    print(f"held               {summary.held} ticks; {summary.dropped} dropped, {summary.late_ticks} ticks left out")


def main() -> None:
    """Parse the arguments, run the live path and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to send (default 60)")
    parser.add_argument(
        "--model", default="loudness", help="'loudness', a stand-in without weights (default), or a model's name"
    )
    parser.add_argument("--fps", type=int, default=60, help="packets a second (default 60)")
    parser.add_argument("--subjects", type=int, default=1, help="voices at once (default 1)")
    arguments = parser.parse_args()
    model, stop = load(arguments.model), threading.Event()
    with tempfile.TemporaryDirectory() as home, receiver() as (uri, out):
        os.environ["LIVELINK_BRIDGE_HOME"] = home
        outputs = [Outputs((uri,), f"Bench {number}", Fraction(arguments.fps)) for number in range(arguments.subjects)]
        threading.Timer(arguments.seconds, stop.set).start()
        summaries = run(model, outputs, stop, [None] * arguments.subjects)
        rows = received(out)
    print(
        f"machine            {platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}"
    )
    for number, summary in enumerate(summaries):
        print(f"--- subject {number + 1} of {len(summaries)}, model {model.name}")
        report_session(summary)
        report(rows[rows[:, 0] == number, 1], arguments.fps)


if __name__ == "__main__":
    main()
