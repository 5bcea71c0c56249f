"""Waiting times of the preview: until the page is served, until the face is drawn, until a recording is analysed.

    python benchmarks/bench_preview.py [--seconds 60] [--rounds 3]

The program is started as a user starts it, its start included, and opened in a headless Chromium that renders in
software (no GPU); the browser is already running, as a user's is. The recording is the bundled sentence, repeated. It
is given on the command line of a second start and timed from the page's address until the page has its clip. Needs
playwright and a Chromium on the PATH.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import Browser, sync_playwright

SENTENCE = Path(__file__).parents[1] / "livelink_bridge/demo/sentence.flac"
SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]


def recording(folder: Path, seconds: float, rate: int, channels: int) -> Path:
    """Write the repeated sentence as a file."""
    sentence, own_rate = soundfile.read(SENTENCE)
    again = np.resize(sentence, int(seconds * own_rate))
    if rate != own_rate:
        import soxr

        again = soxr.resample(again, own_rate, rate)
    soundfile.write(folder / f"{rate}-{channels}.wav", np.repeat(again[:, None], channels, 1), rate)
    return folder / f"{rate}-{channels}.wav"


@contextmanager
def served(home: Path, *files: str) -> Iterator[tuple[str, float, float]]:
    """Run `preview`. Yields the page's address, and the times of the start and of the line with the address."""
    env = os.environ | {"LIVELINK_BRIDGE_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "livelink_bridge", "preview", "--no-browser", "--port", "0", *files]
    began_s = time.perf_counter()
    program = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert program.stdout is not None
    try:
        for line in program.stdout:
            if "http://" in line:
                yield "http://" + line.split("http://")[1].split(";")[0].split()[0], began_s, time.perf_counter()
                break
        else:
            raise SystemExit("the page's address was never printed")
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=30)


def waits(browser: Browser, home: Path) -> tuple[float, float]:
    """Seconds from the program's start to its address, and to the first drawn face."""
    with served(home) as (url, began_s, listening_s):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(url)
        page.wait_for_selector('canvas#face[data-ready="1"]', timeout=60_000)
        drawn_s = time.perf_counter()
        page.close()
    return listening_s - began_s, drawn_s - began_s


def analysis_s(browser: Browser, home: Path, sound: Path) -> float:
    """Seconds from the page's address to the analysed clip."""
    with served(home, str(sound)) as (url, _, listening_s):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(url)
        page.wait_for_function("(name) => livelinkStage?.clip?.name === name", arg=sound.name, timeout=120_000)
        done_s = time.perf_counter()
        page.close()
    return done_s - listening_s


def main() -> None:
    """Parse the arguments and print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of the recording (default: 60)")
    parser.add_argument("--rounds", type=int, default=3, help="starts; the median counts (default: 3)")
    chosen = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no Chromium on this machine")
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Chromium drawing in software")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser: Any = driver.chromium.launch(executable_path=chromium, args=SOFTWARE)
        found = [waits(browser, Path(folder)) for _ in range(chosen.rounds)]
        listening_s, drawn_s = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"listening after {listening_s:.1f} s, face drawn after {drawn_s:.1f} s")
        for rate, channels in ((16000, 1), (48000, 2)):
            sound = recording(Path(folder), chosen.seconds, rate, channels)
            rows = [analysis_s(browser, Path(folder), sound) for _ in range(chosen.rounds)]
            print(
                f"{chosen.seconds:.0f} s at {rate} Hz x {channels}: on the page {statistics.median(rows):.1f} s after "
                "it listens"
            )
        browser.close()


if __name__ == "__main__":
    main()
