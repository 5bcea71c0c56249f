"""Small reproductions of the papers' tables: every system and PMMTalk's ablations on the synthetic corpus, evaluated on
unseen speakers.

    python benchmarks/papers.py --corpus corpus/tts --work runs/papers            trains what is missing, then writes
    python benchmarks/papers.py --corpus corpus/tts --work runs/papers --write    only writes tables and plots

After an interruption the same command continues; finished runs are not repeated. The tables correspond to PMMTalk's
tables II and V. The networks are small (1.6 to 1.8 million parameters), have the same input features and look-ahead,
and are trained for the same number of steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import papers_page
from papers_runs import RUNS, Budget, keep, make_features, measure_speed, train_all, train_one

from speech_to_face.base import ModelError


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corpus", type=Path, default=Path("corpus/tts"), help="folder made by python -m speech_to_face_lab.corpus"
    )
    parser.add_argument("--work", type=Path, default=Path("runs/papers"), help="folder of features and runs")
    parser.add_argument("--steps", type=int, default=800, help="optimiser steps of each run (default 800)")
    parser.add_argument("--minutes", type=float, default=4.0, help="at most, of each run's training (default 4)")
    parser.add_argument("--speech-s", type=float, default=150.0, help="seconds of speech of each speaker (default 150)")
    parser.add_argument(
        "--judged-s", type=float, default=40.0, help="seconds of each test speaker that are judged (default 40)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each (default 2)")
    parser.add_argument("--only", nargs="*", help="networks to run (default all)")
    parser.add_argument("--write", action="store_true", help="train nothing; write table and curves from what is done")
    parser.add_argument(
        "--page", type=Path, default=Path("docs/papers.md"), help="page whose marked part becomes the table"
    )
    parser.add_argument("--ship", type=Path, help="folder to write codetalker-mini and dualtalker-mini into")
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "PROTOCOL"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Parse the arguments, train what is missing and write the page."""
    chosen = options()
    budget = Budget(
        chosen.corpus, chosen.work, chosen.steps, chosen.minutes, chosen.speech_s, chosen.judged_s, chosen.seed
    )
    try:
        if chosen.one:
            train_one(chosen.one[0], chosen.one[1], budget)
            return
        keep(budget)
        runs = [run for run in RUNS if not chosen.only or run[0] in chosen.only]
        if not chosen.write:
            make_features(budget)
            train_all(runs, budget, chosen.jobs)
        measure_speed(runs, budget)
        papers_page.write(budget, chosen.page)
        if chosen.ship:
            papers_page.ship(budget, chosen.ship)
    except (ModelError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
