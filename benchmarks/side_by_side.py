"""Measures all promised figures in one run on one machine, with plots: docs/side-by-side.md and docs/plots/.

    python benchmarks/side_by_side.py [--data FOLDER] [--seconds 20] [--only wire step ...] [--out docs]

The parts run one after the other; within a part the compared programs run in turns, so that their ratios are
comparable. For parts left out by `--only`, earlier results are reused. `--data` is a folder of recordings
with val.json, for the accuracy of the mouth; without it that part is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import measured_parts as parts
from side_by_side_page import draw, page

ROOT = Path(__file__).parents[1]
PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "wire": parts.wire,
    "step": parts.step,
    "pacing": parts.pacing,
    "start": parts.start,
    "offline": parts.offline,
    "subjects": parts.subjects,
    "quality": parts.quality,
}
IDLE_LOAD = 1.5
"""Above what one part leaves behind for the next one to see."""


def machine() -> dict[str, Any]:
    """The machine and versions of the figures."""
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "day": date.today().isoformat(),
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "gpu": parts.gpu() or "none",
    }


def in_a_process(name: str, chosen: argparse.Namespace) -> dict[str, Any] | None:
    """Run one part in its own process, so that its memory and thread settings do not affect the next."""
    command = [sys.executable, __file__, "--part", name, "--seconds", str(chosen.seconds), "--model", chosen.model]
    command += ["--data", str(chosen.data)] if chosen.data else []
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    if load is not None and load > IDLE_LOAD:
        print(
            f"{name}: the machine is not idle (load {load:.1f}); figures of it are of a busy machine",
            file=sys.stderr,
            flush=True,
        )
    began_s = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT / "benchmarks")
    print(f"{name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    if done.returncode:
        print(f"{name}: failed, its earlier figures stay", file=sys.stderr, flush=True)
        return None
    return {**json.loads(done.stdout.splitlines()[-1]), "load": load, "machine": machine()}


def main() -> None:
    """Parse the arguments, measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="recordings to judge the mouth on: a folder with val.json")
    parser.add_argument("--seconds", type=float, default=20, help="of each timed thing (default: 20)")
    parser.add_argument("--model", default="pmmtalk-live", help="name or folder (default: pmmtalk-live)")
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="which parts (default: all)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where page and plots go (default: docs)")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        print(json.dumps(PARTS[chosen.part](chosen)))
        return
    path = chosen.out / "plots" / "figures.json"
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in chosen.only:
        if name == "quality" and not chosen.data:
            print("quality: left out, no --data", file=sys.stderr)
            continue
        if found := in_a_process(name, chosen):
            figures[name] = found
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw(figures, path.parent)
    (chosen.out / "side-by-side.md").write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
