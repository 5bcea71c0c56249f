"""Soak test: an hour or a day of live audio. Checks memory growth, drift of the ticks and uncounted losses.

The whole live path runs in real time, receiver in another process. Memory is read every ten seconds and its slope taken
after the first five minutes. Prints a line a minute; ends with a verdict and exit code 0 or 1.

    python benchmarks/soak.py --minutes 60 --model pmmtalk-live
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from paced import load, received, receiver, run

from livelink_bridge.reporting.metrics import Status
from livelink_bridge.session.outputs import Outputs

SETTLED_S = 300.0
EVERY_S = 10.0
MAX_MB_PER_HOUR = 1.0
MAX_PPM = 50.0
"""Drift of the ticks against this machine's clock, by which the audio arrives here."""


class Memory:
    """Resident megabytes over time."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float]] = []
        self._begun_s = time.monotonic()

    def look(self) -> bool:
        """Read the memory every EVERY_S. True once a minute."""
        passed_s = time.monotonic() - self._begun_s
        if self.rows and passed_s - self.rows[-1][0] < EVERY_S:
            return False
        self.rows.append((passed_s, resident_mb()))
        return len(self.rows) % round(60 / EVERY_S) == 0

    def slope(self) -> float | None:
        """Growth in MB per hour, without the first five minutes; None if there are too few readings."""
        settled = np.array([row for row in self.rows if row[0] >= SETTLED_S])
        return float(3600 * np.polyfit(settled[:, 0], settled[:, 1], 1)[0]) if len(settled) > 6 else None


def resident_mb() -> float:
    """Memory of this process, MB. Linux only: reads /proc/self/status."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmRSS in /proc/self/status")


def main() -> None:
    """Parse the arguments, run the session and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--model", default="pmmtalk-live", help="a model's name (default pmmtalk-live), or 'loudness'")
    parser.add_argument("--subjects", type=int, default=1, help="voices at once (default 1)")
    arguments = parser.parse_args()
    model, stop, memory = load(arguments.model), threading.Event(), Memory()

    def watch(statuses: list[Status]) -> None:
        if memory.look():
            line = "; ".join(
                f"{one.fps:.2f} fps, {one.losses.held} held, {one.losses.late_ticks} late" for one in statuses
            )
            print(f"{memory.rows[-1][0] / 60:5.1f} min  {memory.rows[-1][1]:.1f} MB  {line}", flush=True)

    with tempfile.TemporaryDirectory() as home, receiver() as (uri, out):
        os.environ["LIVELINK_BRIDGE_HOME"] = home
        outputs = [Outputs((uri,), f"Soak {number}", Fraction(60)) for number in range(arguments.subjects)]
        threading.Timer(60 * arguments.minutes, stop.set).start()
        summaries = run(model, outputs, stop, [None] * arguments.subjects, watch)
        rows = received(out)
    failed = False
    for number, summary in enumerate(summaries):
        times_s, frames = rows[rows[:, 0] == number, 1], rows[rows[:, 0] == number, 2]
        missed = int(frames[-1] - frames[0] + 1 - len(frames))
        numbers = frames - frames[0]
        ppm = 1e6 * (np.polyfit(numbers, times_s, 1)[0] * 60 - 1)
        lost = summary.sent - len(frames)
        print(
            f"subject {number + 1}: {len(frames)} packets, {missed} frame numbers left out, {summary.late_ticks} late "
            "ticks counted"
        )
        print(f"  {lost} lost on the way; drift {ppm:+.1f} ppm; {summary.held} held")
        print(f"  delay median {summary.delay_ms:.1f} ms, p99 {summary.delay_p99_ms:.1f} ms")
        failed |= abs(ppm) > MAX_PPM or missed > summary.late_ticks + lost + 2
    slope = memory.slope()
    print(
        f"memory {memory.rows[0][1]:.1f} -> {memory.rows[-1][1]:.1f} MB; slope "
        + (f"{slope:+.2f} MB/h" if slope is not None else "unknown")
    )
    failed |= slope is not None and slope > MAX_MB_PER_HOUR
    print("FAILED" if failed else "passed")
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
